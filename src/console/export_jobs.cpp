#include "console/export_jobs.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

#include "adapters/parquet/parquet_file.hpp"
#include "adapters/store/dataset.hpp"
#include "base/clock.hpp"
#include "console/content_access.hpp"

namespace understudy::console {

namespace {

using parquet_file::Column;
using Kind = parquet_file::Column::Kind;

const auto columns = std::to_array<Column>({{"call", Kind::text},
                                            {"session", Kind::text},
                                            {"started_at", Kind::text},
                                            {"split", Kind::text},
                                            {"model", Kind::text},
                                            {"request", Kind::text},
                                            {"response", Kind::text},
                                            {"prompt_tokens", Kind::integer},
                                            {"completion_tokens", Kind::integer},
                                            {"latency_us", Kind::integer},
                                            {"repeats", Kind::integer},
                                            {"asked", Kind::integer}});

using Put = std::function<Status(const Example&)>;

Status put_row(parquet_file::Writer& file, const Example& example) {
  const std::string started = to_iso8601(example.started_at);
  return file.add_row(std::to_array<parquet_file::Cell>(
      {example.call.value, example.session.value, std::string_view(started),
       to_string(example.split), std::string_view(example.model),
       std::string_view(example.request.reveal()), std::string_view(example.response.reveal()),
       example.usage.prompt_tokens, example.usage.completion_tokens, example.latency_us,
       example.repeats, example.asked}));
}

Result<std::string> to_line(const Example& example) {
  return json::to_text(json::object{{"call", example.call.value},
                                    {"session", example.session.value},
                                    {"started_at", to_iso8601(example.started_at)},
                                    {"split", to_string(example.split)},
                                    {"model", example.model},
                                    {"request", TRY(json::parse(example.request.reveal()))},
                                    {"response", TRY(json::parse(example.response.reveal()))},
                                    {"prompt_tokens", example.usage.prompt_tokens},
                                    {"completion_tokens", example.usage.completion_tokens},
                                    {"latency_us", example.latency_us},
                                    {"repeats", example.repeats},
                                    {"asked", example.asked}}) +
         "\n";
}

// A new file of lines that only its owner reads.
class LineFile {
 public:
  static Result<LineFile> create(const std::filesystem::path& path) {
    const int descriptor = ::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    if (descriptor < 0) return fail(ErrorCode::unavailable, "cannot create " + path.string());
    return LineFile(path, descriptor);
  }
  LineFile(LineFile&& other) noexcept
      : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}
  LineFile& operator=(LineFile&&) = delete;
  ~LineFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  Status write(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto wrote = ::write(descriptor_, bytes.data(), bytes.size());
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote <= 0) {
        return fail(errno == ENOSPC ? ErrorCode::exhausted : ErrorCode::unavailable,
                    "cannot write " + path_.string());
      }
      bytes.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return {};
  }
  Status close() {
    if (::fsync(descriptor_) == 0) return {};
    return fail(ErrorCode::unavailable, "cannot write " + path_.string());
  }

 private:
  LineFile(std::filesystem::path path, int descriptor)
      : path_(std::move(path)), descriptor_(descriptor) {}
  std::filesystem::path path_;
  int descriptor_;
};

Result<std::uint64_t> visit_split(const Home& home, const DatasetId& id,
                                  const crypto::SecretKey& reader, const std::string& split,
                                  const Put& put) {
  std::uint64_t count = 0;
  TRY(store::visit_dataset(home, id, reader, [&](const Example& example) -> Status {
    if (!split.empty() && split != to_string(example.split)) return {};
    ++count;
    return put(example);
  }));
  return count;
}

Status check(const ExportRequest& request) {
  if (request.format != "jsonl" && request.format != "parquet")
    return fail(ErrorCode::invalid_input, "a format is jsonl or parquet");
  if (request.role != "trainer" && request.role != "curator")
    return fail(ErrorCode::invalid_input, "a data set opens for the trainer and the curator");
  if (!request.split.empty()) TRY(parse_split(request.split));
  if (request.format == "parquet" && !request.output)
    return fail(ErrorCode::invalid_input, "Parquet needs a file", "add --output FILE");
  return {};
}

}  // namespace

Result<json::value> export_dataset(const Home& home, const ExportRequest& request,
                                   const std::function<void(std::string_view)>& print) {
  TRY(check(request));
  const crypto::Role role =
      request.role == "trainer" ? crypto::Role::trainer : crypto::Role::curator;
  const DatasetId id =
      request.dataset.empty() ? TRY(store::current_dataset(home)) : DatasetId{request.dataset};
  const auto access =
      TRY(ContentAccess::begin(home, role, "export dataset", id.value + " as " + request.format));
  const auto reader = TRY(crypto::load_secret_key(home.keys(), role));
  std::uint64_t count = 0;
  if (!request.output) {
    count = TRY(visit_split(home, id, reader, request.split, [&](const Example& example) -> Status {
      print(TRY(to_line(example)));
      return {};
    }));
    TRY(access.end(count));
    return json::object{{"dataset", id.value}, {"examples", count}, {"path", nullptr}};
  }
  // Under another name until it is whole.
  const std::filesystem::path fresh = request.output->string() + ".unfinished";
  const auto write = [&]() -> Status {
    if (request.format == "parquet") {
      const auto file = TRY(parquet_file::create(fresh, columns));
      count = TRY(visit_split(home, id, reader, request.split,
                              [&](const Example& example) { return put_row(*file, example); }));
      return file->close();
    }
    LineFile file = TRY(LineFile::create(fresh));
    count = TRY(visit_split(home, id, reader, request.split, [&](const Example& example) -> Status {
      return file.write(TRY(to_line(example)));
    }));
    return file.close();
  };
  std::error_code status;
  if (const Status written = write(); !written) {
    std::filesystem::remove(fresh, status);
    return fail(written.error());
  }
  std::filesystem::rename(fresh, *request.output, status);
  if (status) return fail(ErrorCode::unavailable, "cannot name " + request.output->string());
  TRY(access.end(count));
  return json::object{
      {"dataset", id.value}, {"examples", count}, {"path", request.output->string()}};
}

}  // namespace understudy::console
