#include "adapters/store/call_log.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "adapters/store/sealed_file.hpp"
#include "base/ids.hpp"
#include "base/limits.hpp"

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

struct CallLogWriter::State {
  std::filesystem::path directory;
  std::vector<crypto::PublicKey> readers;

  std::mutex mutex;
  std::condition_variable filled;     // the writer thread waits for work
  std::condition_variable committed;  // appenders wait for room, flush() for the disk
  std::deque<SecretText> ring;        // serialised calls
  std::size_t ring_bytes = 0;
  std::uint64_t appended = 0;
  std::uint64_t stored = 0;   // on the disk
  std::uint64_t settled = 0;  // stored or lost
  bool stopping = false;
  bool flushing = false;
  std::optional<Error> broken;  // the last write failed
  bool reported = false;        // somebody was told
  std::chrono::steady_clock::time_point retry_at;

  std::optional<SealedWriter> segment;  // the writer thread's own
  std::jthread thread;

  bool has_room(std::size_t bytes) const {
    return ring.size() < limits::log_ring_records_max &&
           ring_bytes + bytes <= limits::log_ring_bytes_max;
  }

  // Stores the batch in groups that are small enough for a nearly full disk to take some of them.
  // `count` grows with each group that is on the disk.
  Status write(const std::deque<SecretText>& batch, std::uint64_t& count) {
    std::uint64_t in_group = 0;
    std::size_t group_bytes = 0;
    const auto commit = [&]() -> Status {
      TRY(segment->commit());
      count += std::exchange(in_group, 0);
      group_bytes = 0;
      return {};
    };
    for (const SecretText& record : batch) {
      if (!segment || segment->bytes() + record.reveal().size() > limits::segment_bytes_max) {
        if (segment) {
          TRY(commit());
          TRY(segment->close());
        }
        segment = TRY(SealedWriter::create(directory / (make_uuid7() + segment_suffix), readers));
      }
      TRY(segment->append(record.reveal()));
      ++in_group;
      group_bytes += record.reveal().size();
      if (group_bytes >= limits::log_group_bytes_max) TRY(commit());
    }
    return segment ? commit() : Status{};
  }

  void run() {
    std::unique_lock lock(mutex);
    while (true) {
      filled.wait(lock, [this] { return stopping || !ring.empty(); });
      if (!stopping && !flushing) {  // let a group gather: one fdatasync serves them all
        filled.wait_for(lock, std::chrono::milliseconds(limits::log_commit_interval_ms), [this] {
          return stopping || flushing || ring.size() >= limits::log_ring_records_max / 2 ||
                 ring_bytes >= limits::log_ring_bytes_max / 2;
        });
      }
      const std::deque<SecretText> batch = std::exchange(ring, {});
      ring_bytes = 0;
      lock.unlock();
      std::uint64_t count = 0;
      const Status status = write(batch, count);
      lock.lock();
      stored += count;
      settled += batch.size();
      if (!status) {
        broken = status.error();
        reported = false;
        retry_at = std::chrono::steady_clock::now() +
                   std::chrono::milliseconds(limits::log_retry_interval_ms);
        segment.reset();  // a new segment when the log is tried again
      }
      committed.notify_all();
      if (stopping && ring.empty()) break;
    }
    // All calls are on the disk; a segment whose end mark is missing is as good as a closed one.
    if (segment) static_cast<void>(segment->close());
  }

  // The error that the caller must hear of. Once heard, and after a pause, the log is tried again:
  // a disk that has room again is written to without a restart.
  std::optional<Error> failure() {
    if (broken && reported && std::chrono::steady_clock::now() >= retry_at) broken.reset();
    reported = true;
    return broken;
  }
};

CallLogWriter::CallLogWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}

CallLogWriter::~CallLogWriter() {
  {
    const std::scoped_lock lock(state_->mutex);
    state_->stopping = true;
  }
  state_->filled.notify_all();
}

Result<std::unique_ptr<CallLogWriter>> CallLogWriter::open(
    const Home& home, std::span<const crypto::PublicKey> readers) {
  auto state = std::make_unique<State>();
  state->directory = home.log();
  state->readers.assign(readers.begin(), readers.end());
  State& running = *state;
  running.thread = std::jthread([&running] { running.run(); });
  return std::unique_ptr<CallLogWriter>(new CallLogWriter(std::move(state)));
}

Status CallLogWriter::append(const Call& call) {
  SecretText record(json::to_text(to_json(call)));
  const std::size_t bytes = record.reveal().size();
  if (bytes > limits::record_bytes_max) {
    return fail(ErrorCode::exhausted, "call " + call.id.value + " takes " + std::to_string(bytes) +
                                          " bytes; the log's limit is " +
                                          std::to_string(limits::record_bytes_max));
  }
  std::unique_lock lock(state_->mutex);
  state_->committed.wait(lock, [&] { return state_->broken || state_->has_room(bytes); });
  if (auto failure = state_->failure()) return fail(std::move(*failure));
  state_->ring_bytes += bytes;
  state_->ring.push_back(std::move(record));
  ++state_->appended;
  lock.unlock();
  state_->filled.notify_one();
  return {};
}

Status CallLogWriter::flush() {
  std::unique_lock lock(state_->mutex);
  const std::uint64_t target = state_->appended;
  state_->flushing = true;
  state_->filled.notify_all();
  state_->committed.wait(lock, [&] { return state_->settled >= target; });
  state_->flushing = false;
  if (auto failure = state_->failure()) return fail(std::move(*failure));
  return {};
}

std::uint64_t CallLogWriter::committed_records() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->stored;
}

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
