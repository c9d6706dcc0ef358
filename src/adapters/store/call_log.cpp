#include "adapters/store/call_log.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "adapters/store/sealed_file.hpp"

namespace understudy::store {

namespace {

constexpr const char* segment_suffix = ".sealed";

std::vector<std::filesystem::path> segments_of(const Home& home) {
  std::vector<std::filesystem::path> segments;
  std::error_code status;
  for (const auto& entry : std::filesystem::directory_iterator(home.log(), status)) {
    if (entry.path().extension() == segment_suffix) segments.push_back(entry.path());
  }
  std::ranges::sort(segments);  // names are UUIDv7: by time
  return segments;
}

Result<Call> parse_call(std::string_view text) { return call_from_json(TRY(json::parse(text))); }

}  // namespace

Result<LogReadReport> read_call_log(const Home& home, const crypto::SecretKey& reader,
                                    const std::function<Status(Call)>& visit) {
  LogReadReport report;
  for (const auto& path : segments_of(home)) {
    ++report.segments;
    auto segment = SealedReader::open(path, reader);
    if (!segment) {
      if (segment.error().code != ErrorCode::corrupt) return fail(segment.error());
      report.corrupt.push_back(segment.error());
      continue;
    }
    while (true) {
      auto record = segment->next();
      if (!record) {
        report.corrupt.push_back(record.error());
        break;
      }
      if (!*record) break;
      Result<Call> call = parse_call((*record)->reveal());
      if (!call) {
        report.corrupt.push_back(call.error().within(path.string()));
        break;
      }
      TRY(visit(std::move(*call)));
      ++report.calls;
    }
    if (const Tail tail = segment->tail(); tail.lost_bytes > 0) {
      report.lost_tail_bytes += tail.lost_bytes;
      report.warnings.push_back(
          path.string() + ": " + std::to_string(tail.lost_bytes) +
          " bytes behind the last whole record (the writer was stopped while writing)");
    }
  }
  return report;
}

}  // namespace understudy::store
