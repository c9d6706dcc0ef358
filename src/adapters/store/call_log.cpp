#include "adapters/store/call_log.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "adapters/crypto/role_keys.hpp"
#include "adapters/store/input_file.hpp"
#include "adapters/store/log_index.hpp"
#include "adapters/store/sealed_file.hpp"
#include "adapters/store/sealed_format.hpp"
#include "adapters/store/segment_format.hpp"
#include "adapters/store/segment_reader.hpp"

namespace understudy::store {

namespace {

constexpr std::string_view segment_suffix = ".sealed";
constexpr std::string_view feedback_suffix = ".feedback.sealed";

enum class Which { calls, feedback, all };

std::vector<std::filesystem::path> segments_of(const Home& home, Which which) {
  std::vector<std::filesystem::path> segments;
  std::error_code status;
  for (const auto& entry : std::filesystem::directory_iterator(home.log(), status)) {
    const std::string name = entry.path().filename().string();
    const bool is_feedback = name.ends_with(feedback_suffix);
    if (!name.ends_with(segment_suffix)) continue;
    if (which != Which::all && is_feedback != (which == Which::feedback)) continue;
    segments.push_back(entry.path());
  }
  std::ranges::sort(segments);  // names are UUIDv7: by time
  return segments;
}

Result<std::uint32_t> version_of(const std::filesystem::path& path) {
  const InputFile file = TRY(InputFile::open(path));
  const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(file.size(), 12));
  const auto version = segment_format::version_of(TRY(file.read(0, bytes)));
  if (!version) return fail(version.error().within(path.string()));
  return version;
}

Result<SegmentKeys> keys_of(const Home& home, const crypto::SecretKey& reader, bool open_content) {
  SegmentKeys keys{.keys_dir = home.keys(), .readers = {reader}, .open_content = open_content};
  for (crypto::SecretKey& former : TRY(crypto::former_keys(home.keys(), reader))) {
    keys.readers.push_back(std::move(former));
  }
  return keys;
}

// Feedback of a call and of a session, whichever was given last.
class Rewards {
 public:
  void add(const Feedback& feedback) {
    const bool is_reward =
        feedback.name.empty() || feedback.name == "reward" || feedback.name == "score";
    if (!feedback.reward || !is_reward) return;
    const Given given{.at = feedback.at, .reward = *feedback.reward};
    Given& kept =
        feedback.call.empty() ? of_session_[feedback.session.value] : of_call_[feedback.call.value];
    if (kept.at <= given.at) kept = given;
  }
  void apply_to(Call& call) const {
    const auto own = of_call_.find(call.id.value);
    const auto session = of_session_.find(call.session.value);
    if (own != of_call_.end()) call.reward = own->second.reward;
    if (session == of_session_.end()) return;
    if (own == of_call_.end() || own->second.at < session->second.at) {
      call.reward = session->second.reward;
    }
  }

 private:
  struct Given {
    UnixMicros at;
    double reward = 0;
  };
  std::unordered_map<std::string, Given> of_call_;
  std::unordered_map<std::string, Given> of_session_;
};

// A failure that concerns one segment is reported and the others are read; a wrong key stops.
class LogReading {
 public:
  LogReading(const SegmentKeys& keys, const std::function<Status(Call)>& visit,
             LogIndex* index = nullptr)
      : keys_(keys), visit_(visit), index_(index) {}

  Status read(const std::filesystem::path& path) {
    std::error_code ignored;
    report_.bytes += std::filesystem::file_size(path, ignored);
    const auto version = version_of(path);
    if (!version) return put_aside(version.error());
    SegmentIndex* places = index_ != nullptr ? &index_->begin_segment(path) : nullptr;
    if (*version == sealed_format::version) return read_version_1(path);
    auto segment = SegmentReader::open(path, keys_);
    if (!segment) return put_aside(segment.error());
    if (places != nullptr) segment->index_into(*places);
    while (true) {
      auto record = segment->next();
      if (!record) {
        TRY(put_aside(record.error()));
        break;
      }
      if (!*record) break;
      record_ = segment->records() - 1;
      TRY(take(std::move(**record), path));
    }
    for (const std::string& warning : segment->warnings()) report_.warnings.push_back(warning);
    end(path, segment->tail());
    return {};
  }

  [[nodiscard]] LogReadReport& report() { return report_; }
  [[nodiscard]] Rewards& rewards() { return rewards_; }
  [[nodiscard]] std::vector<Feedback>& feedback() { return feedback_; }

 private:
  Status put_aside(const Error& error) {
    if (error.code != ErrorCode::corrupt && error.code != ErrorCode::unsupported) {
      return fail(error);
    }
    report_.corrupt.push_back(error);
    return {};
  }

  Status take(LogRecord record, const std::filesystem::path& path) {
    if (auto* call = std::get_if<Call>(&record)) return take(std::move(*call));
    if (auto* feedback = std::get_if<Feedback>(&record)) {
      rewards_.add(*feedback);
      feedback_.push_back(std::move(*feedback));
      ++report_.feedback;
    } else if (auto* anchor = std::get_if<AnchorRecord>(&record)) {
      report_.anchors.push_back(
          {.segment = path, .lines = anchor->lines, .head = std::move(anchor->head)});
    }
    return {};
  }

  Status take(Call call) {
    rewards_.apply_to(call);
    if (call.content == ContentState::erased) ++report_.erased_calls;
    if (call.content == ContentState::withheld) ++report_.withheld_calls;
    if (index_ != nullptr) index_->add_call(record_);
    TRY(visit_(std::move(call)));
    ++report_.calls;
    return {};
  }

  // Before tenants had keys: one key for all, sealed to the curator alone.
  Status read_version_1(const std::filesystem::path& path) {
    Result<SealedReader> segment = SealedReader::open(path, keys_.readers.front());
    for (std::size_t i = 1; !segment && i < keys_.readers.size(); ++i) {
      if (segment.error().code != ErrorCode::denied) break;
      segment = SealedReader::open(path, keys_.readers[i]);
    }
    if (!segment && segment.error().code == ErrorCode::denied &&
        keys_.readers.front().public_key.name == to_string(crypto::Role::auditor)) {
      report_.warnings.push_back(path.string() +
                                 ": of format version 1, which only the curator can open");
      return {};
    }
    if (!segment) return put_aside(segment.error());
    while (true) {
      auto record = segment->next();
      if (!record) {
        TRY(put_aside(record.error()));
        break;
      }
      if (!*record) break;
      auto tree = json::parse((*record)->reveal());
      auto call = tree ? call_from_json(*tree) : Result<Call>(fail(tree.error()));
      if (!call) {
        report_.corrupt.push_back(call.error().within(path.string()));
        break;
      }
      call->content_bytes = {.request = call->request.reveal().size(),
                             .response = call->response.reveal().size()};
      if (!keys_.open_content) {
        call->request = {};
        call->response = {};
        call->content = ContentState::withheld;
      }
      TRY(take(std::move(*call)));
    }
    end(path, segment->tail());
    return {};
  }

  void end(const std::filesystem::path& path, const Tail& tail) {
    if (tail.closed) ++report_.closed_segments;
    if (tail.lost_bytes == 0) return;
    report_.lost_tail_bytes += tail.lost_bytes;
    report_.warnings.push_back(
        path.string() + ": " + std::to_string(tail.lost_bytes) +
        " bytes behind the last whole record (the writer was stopped while writing)");
  }

  const SegmentKeys& keys_;
  const std::function<Status(Call)>& visit_;
  LogIndex* index_;
  std::uint64_t record_ = 0;  // the one that is taken, of its segment
  LogReadReport report_;
  Rewards rewards_;
  std::vector<Feedback> feedback_;
};

}  // namespace

Result<LogReadReport> read_call_log(const Home& home, const crypto::SecretKey& reader,
                                    const std::function<Status(Call)>& visit,
                                    const LogReadOptions& options) {
  const SegmentKeys keys = TRY(keys_of(home, reader, options.open_content));
  LogReading reading(keys, visit, options.index);
  for (const auto& path : segments_of(home, Which::feedback)) TRY(reading.read(path));
  for (const auto& path : segments_of(home, Which::calls)) {
    if (options.on_progress) options.on_progress(reading.report().bytes);
    ++reading.report().segments;
    TRY(reading.read(path));
  }
  return std::move(reading.report());
}

struct LogIndex::Segment {
  std::filesystem::path path;
  SegmentIndex index;
  std::size_t first_call = 0;  // number
};

LogIndex::LogIndex() = default;
LogIndex::~LogIndex() = default;
LogIndex::LogIndex(LogIndex&&) noexcept = default;
LogIndex& LogIndex::operator=(LogIndex&&) noexcept = default;

SegmentIndex& LogIndex::begin_segment(const std::filesystem::path& path) {
  segments_.push_back(
      std::make_unique<Segment>(Segment{.path = path, .index = {}, .first_call = places_.size()}));
  return segments_.back()->index;
}

void LogIndex::add_call(std::uint64_t record) {
  places_.push_back({.segment = static_cast<std::uint32_t>(segments_.size() - 1),
                     .record = static_cast<std::uint32_t>(record)});
}

namespace {

// From its segment's start, where nothing says which calls brought its parts.
Result<Call> read_up_to(const SegmentKeys& keys, const std::filesystem::path& path,
                        std::size_t calls_before) {
  std::optional<Call> found;
  const Error enough{.code = ErrorCode::cancelled, .message = "enough", .hint = {}};
  const std::function<Status(Call)> visit = [&](Call call) -> Status {
    if (calls_before-- > 0) return {};
    found = std::move(call);
    return fail(enough);
  };
  LogReading reading(keys, visit);
  const Status read = reading.read(path);
  if (found) return std::move(*found);
  if (!read) return fail(read.error());
  if (!reading.report().corrupt.empty()) return fail(reading.report().corrupt.front());
  return fail(ErrorCode::conflict, path.string() + " holds fewer calls than when it was indexed");
}

}  // namespace

Result<Call> open_call(const Home& home, const crypto::SecretKey& reader, const LogIndex& index,
                       std::size_t number) {
  if (number >= index.places_.size()) return fail(ErrorCode::not_found, "no such call");
  const LogIndex::Place place = index.places_[number];
  const LogIndex::Segment& segment = *index.segments_[place.segment];
  const SegmentKeys keys = TRY(keys_of(home, reader, true));
  if (!segment.index.marks.empty()) {
    auto opened = TRY(SegmentReader::open(segment.path, keys));
    if (auto call = TRY(opened.open_call(segment.index, place.record))) return std::move(*call);
  }
  return read_up_to(keys, segment.path, number - segment.first_call);
}

Result<std::vector<Feedback>> read_feedback(const Home& home, const crypto::SecretKey& reader) {
  const SegmentKeys keys = TRY(keys_of(home, reader, true));
  const std::function<Status(Call)> no_calls = [](const Call&) -> Status { return {}; };
  LogReading reading(keys, no_calls);
  for (const auto& path : segments_of(home, Which::feedback)) TRY(reading.read(path));
  if (!reading.report().corrupt.empty()) return fail(reading.report().corrupt.front());
  return std::move(reading.feedback());
}

std::vector<SegmentInfo> list_segments(const Home& home) {
  std::vector<SegmentInfo> found;
  for (const auto& path : segments_of(home, Which::all)) {
    SegmentInfo info;
    info.path = path;
    info.cipher = to_string(crypto::CipherKind::xchacha20_poly1305);  // of version 1
    std::error_code ignored;
    info.bytes = std::filesystem::file_size(path, ignored);
    const auto describe = [&]() -> Status {
      info.version = TRY(version_of(path));
      if (info.version == sealed_format::version) {
        info.fingerprints = TRY(read_sealed_fingerprints(path));
        return {};
      }
      const auto header = TRY(read_segment_header(path));
      info.is_feedback = header.kind == segment_format::SegmentKind::feedback;
      info.made_at = header.made_at;
      info.cipher = crypto::to_string(header.cipher);
      for (const auto& key : header.keys) info.fingerprints.push_back(crypto::hex(key.fingerprint));
      return {};
    };
    if (const Status described = describe(); !described) info.error = described.error();
    found.push_back(std::move(info));
  }
  return found;
}

}  // namespace understudy::store
