#include "adapters/store/dataset.hpp"

#include <algorithm>

#include "adapters/crypto/role_keys.hpp"
#include "adapters/store/sealed_file.hpp"
#include "base/clock.hpp"
#include "base/files.hpp"

namespace understudy::store {

namespace {

constexpr const char* examples_file = "examples.sealed";
constexpr const char* manifest_file = "manifest.json";

// A data set that was made before its reader's key was rotated opens with the former one.
Result<SealedReader> open_with_former(const Home& home, const std::filesystem::path& path,
                                      const crypto::SecretKey& reader) {
  auto file = SealedReader::open(path, reader);
  if (file || file.error().code != ErrorCode::denied) return file;
  for (const crypto::SecretKey& former : TRY(crypto::former_keys(home.keys(), reader))) {
    if (auto opened = SealedReader::open(path, former)) return opened;
  }
  return file;
}

}  // namespace

Result<DatasetId> write_dataset(const Home& home, std::span<const crypto::PublicKey> readers,
                                const std::vector<Example>& examples, json::object manifest) {
  std::vector<std::string> records;
  std::string digests;
  for (const Example& example : examples) {
    records.push_back(json::to_text(to_json(example)));
    digests += crypto::blake2b(records.back());
  }
  const DatasetId id{"d-" + crypto::blake2b_hex(digests).substr(0, 16)};

  // The data set appears under its name when it is whole; an interrupted one is written anew.
  const auto target = home.datasets() / id.value;
  const auto fresh = home.datasets() / (id.value + ".new");
  std::error_code status;
  std::filesystem::remove_all(fresh, status);
  std::filesystem::create_directories(fresh, status);
  if (status)
    return fail(ErrorCode::unavailable, "cannot make " + fresh.string() + ": " + status.message());
  auto writer = TRY(SealedWriter::create(fresh / examples_file, readers));
  for (std::string& record : records) {
    TRY(writer.append(record));
    wipe(record);
  }
  TRY(writer.close());
  manifest["id"] = id.value;
  manifest["made_at"] = to_iso8601(now());
  manifest["examples"] = examples.size();
  TRY(write_file_atomically(fresh / manifest_file, json::to_text(manifest) + "\n"));
  std::filesystem::remove_all(target, status);
  std::filesystem::rename(fresh, target, status);
  if (status)
    return fail(ErrorCode::unavailable, "cannot name " + target.string() + ": " + status.message());
  TRY(write_file_atomically(home.datasets() / "current", id.value + "\n"));
  return id;
}

Result<DatasetId> current_dataset(const Home& home) {
  auto content = read_file(home.datasets() / "current");
  if (!content)
    return fail(ErrorCode::not_found, "there is no curated data set yet",
                "run `understudy curate` first");
  while (content->ends_with('\n')) content->pop_back();
  return DatasetId{std::move(*content)};
}

Result<std::vector<Example>> read_dataset(const Home& home, const DatasetId& id,
                                          const crypto::SecretKey& reader) {
  const auto path = home.datasets() / id.value / examples_file;
  auto file = TRY(open_with_former(home, path, reader));
  std::vector<Example> examples;
  while (true) {
    const auto record = TRY(file.next());
    if (!record) break;
    examples.push_back(TRY(example_from_json(TRY(json::parse(record->reveal())))));
  }
  if (!file.tail().closed) {
    return fail(ErrorCode::corrupt, path.string() + " is cut short",
                "run `understudy curate` again");
  }
  return examples;
}

Result<json::value> read_manifest(const Home& home, const DatasetId& id) {
  return json::parse(TRY(read_file(home.datasets() / id.value / manifest_file)));
}

}  // namespace understudy::store
