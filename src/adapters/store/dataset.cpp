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
constexpr const char* unfinished = "unfinished";

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

struct DatasetWriter::State {
  Home home;
  std::filesystem::path directory;  // under another name until it is whole
  SealedWriter examples;
  std::string digest;  // of all records so far
  std::uint64_t count = 0;
  bool finished = false;
};

DatasetWriter::DatasetWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
DatasetWriter::DatasetWriter(DatasetWriter&&) noexcept = default;
DatasetWriter& DatasetWriter::operator=(DatasetWriter&&) noexcept = default;

DatasetWriter::~DatasetWriter() {
  std::error_code ignored;
  if (state_ && !state_->finished) std::filesystem::remove_all(state_->directory, ignored);
}

Result<DatasetWriter> DatasetWriter::create(const Home& home,
                                            std::span<const crypto::PublicKey> readers) {
  const auto directory = home.datasets() / unfinished;
  std::error_code status;
  std::filesystem::remove_all(directory, status);
  std::filesystem::create_directories(directory, status);
  if (status) {
    return fail(ErrorCode::unavailable,
                "cannot make " + directory.string() + ": " + status.message());
  }
  return DatasetWriter(std::unique_ptr<State>(
      new State{.home = home,
                .directory = directory,
                .examples = TRY(SealedWriter::create(directory / examples_file, readers)),
                .digest = {}}));
}

Status DatasetWriter::append(const Example& example) {
  std::string record = json::to_text(to_json(example));
  state_->digest = crypto::blake2b(state_->digest + crypto::blake2b(record));
  ++state_->count;
  const Status appended = state_->examples.append(record);
  wipe(record);
  return appended;
}

Result<DatasetId> DatasetWriter::finish(json::object manifest) {
  State& state = *state_;
  TRY(state.examples.close());
  const DatasetId id{
      "d-" + crypto::hex(state.digest.empty() ? crypto::blake2b("") : state.digest).substr(0, 16)};
  manifest["id"] = id.value;
  manifest["made_at"] = to_iso8601(now());
  manifest["examples"] = state.count;
  TRY(write_file_atomically(state.directory / manifest_file, json::to_text(manifest) + "\n"));
  const auto target = state.home.datasets() / id.value;
  std::error_code status;
  std::filesystem::remove_all(target, status);
  std::filesystem::rename(state.directory, target, status);
  if (status)
    return fail(ErrorCode::unavailable, "cannot name " + target.string() + ": " + status.message());
  state.finished = true;
  TRY(write_file_atomically(state.home.datasets() / "current", id.value + "\n"));
  return id;
}

Result<DatasetId> write_dataset(const Home& home, std::span<const crypto::PublicKey> readers,
                                const std::vector<Example>& examples, json::object manifest) {
  auto writer = TRY(DatasetWriter::create(home, readers));
  for (const Example& example : examples) TRY(writer.append(example));
  return writer.finish(std::move(manifest));
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
  std::vector<Example> examples;
  TRY(visit_dataset(home, id, reader, [&](Example example) -> Status {
    examples.push_back(std::move(example));
    return {};
  }));
  return examples;
}

Status visit_dataset(const Home& home, const DatasetId& id, const crypto::SecretKey& reader,
                     const std::function<Status(Example)>& visit) {
  const auto path = home.datasets() / id.value / examples_file;
  auto file = TRY(open_with_former(home, path, reader));
  while (true) {
    const auto record = TRY(file.next());
    if (!record) break;
    TRY(visit(TRY(example_from_json(TRY(json::parse(record->reveal()))))));
  }
  if (!file.tail().closed) {
    return fail(ErrorCode::corrupt, path.string() + " is cut short",
                "run `understudy curate` again");
  }
  return {};
}

Result<json::value> read_manifest(const Home& home, const DatasetId& id) {
  return json::parse(TRY(read_file(home.datasets() / id.value / manifest_file)));
}

}  // namespace understudy::store
