#include "adapters/store/call_log_writer.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "adapters/crypto/keys.hpp"
#include "adapters/store/segment_writer.hpp"
#include "base/check.hpp"
#include "base/clock.hpp"

namespace understudy::store {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t room_step_bytes = 64 * limits::kibi;  // freed room is told in such steps

struct Entry {
  std::variant<Call, Feedback> record;
  std::size_t bytes = 0;
  CallLogWriter::Done done;
};

// What a record holds of the memory, roughly: its text and its fields.
std::size_t bytes_of(const Call& call) {
  return sizeof(Entry) + call.request.reveal().size() + call.response.reveal().size() +
         call.repeated.size() * sizeof(TextRange) + call.tool_results.size() * sizeof(ToolResult);
}
std::size_t bytes_of(const Feedback& feedback) {
  return sizeof(Entry) + feedback.comment.reveal().size();
}

}  // namespace

struct CallLogWriter::State {
  State(const Home& where, const CallLogOptions& given) : home(where), options(given) {}

  const Home home;
  const CallLogOptions options;

  mutable std::mutex mutex;
  std::condition_variable filled;  // the writer's thread waits for work
  std::condition_variable eased;   // append() waits for room, flush() for the disk
  std::vector<Entry> ring;
  std::vector<std::function<void()>> room_callbacks;
  bool writer_sleeps = false;  // without a deadline: somebody has to wake it
  bool stopping = false;
  int flushing = 0;
  CaptureCounters counters;
  std::uint64_t settled = 0;        // committed or lost
  std::optional<Error> unreported;  // the first loss that nobody was told of
  std::optional<Error> broken;      // the disk takes nothing at the moment
  Clock::time_point retry_at;

  // The writer's thread's own.
  struct Waiting {
    std::uint64_t record = 0;  // the segment's calls up to this one must be on the disk
    Done done;
  };
  std::optional<SegmentWriter> segment;
  std::vector<Waiting> waiting;
  std::uint64_t told_committed = 0;  // of the segment's calls, those that counters know of
  std::uint64_t content_bytes = 0;
  Clock::time_point segment_made_at;
  std::optional<Clock::time_point> commit_at;
  std::jthread thread;

  [[nodiscard]] bool has_room(std::size_t bytes) const {
    if (ring.empty() && counters.ring_bytes == 0) return true;  // one large call is taken alone
    return counters.ring_records < limits::log_ring_records_max &&
           counters.ring_bytes + bytes <= options.ring_bytes;
  }
  [[nodiscard]] bool is_urgent() const {
    return stopping || flushing > 0 || options.mode == CaptureMode::durable ||
           counters.ring_bytes >= options.ring_bytes / 4 || !room_callbacks.empty();
  }

  template <class Record>
  bool put(Record& record, Done done, std::unique_lock<std::mutex>& lock);
  void run();
  void wait_for_work(std::unique_lock<std::mutex>& lock);
  void store(std::vector<Entry>& batch);
  void store_one(Entry& entry);
  Status append(const Call& call);
  Status append(const Feedback& feedback);
  Status ready_segment();
  Status end_segment();
  Status commit();
  void tell_committed();
  void lose(Entry& entry, const Error& error);
  void give_up(const Error& error);
  void free_room(std::size_t records, std::size_t bytes);
};

template <class Record>
bool CallLogWriter::State::put(Record& record, Done done, std::unique_lock<std::mutex>& lock) {
  const std::size_t bytes = bytes_of(record);
  if (!has_room(bytes)) return false;
  counters.ring_bytes += bytes;
  ++counters.ring_records;
  ++counters.appended;
  ring.push_back({.record = std::move(record), .bytes = bytes, .done = std::move(done)});
  const bool wake = writer_sleeps || is_urgent();
  writer_sleeps = false;
  lock.unlock();
  if (wake) filled.notify_one();
  return true;
}

void CallLogWriter::State::wait_for_work(std::unique_lock<std::mutex>& lock) {
  const auto has_work = [this] {
    return stopping || flushing > 0 || !ring.empty() ||
           (!room_callbacks.empty() && counters.ring_bytes == 0);
  };
  if (commit_at) {
    const auto soon = Clock::now() + milliseconds(limits::log_encode_interval_ms);
    filled.wait_until(lock, std::min(*commit_at, soon), has_work);
  } else {
    writer_sleeps = true;
    if (segment) {
      filled.wait_until(lock, segment_made_at + std::chrono::seconds(options.segment_age_s),
                        has_work);
    } else {
      filled.wait(lock, has_work);
    }
  }
  writer_sleeps = false;
  if (ring.empty() || is_urgent()) return;
  // Let some gather: a burst is cheaper than a switch of threads for each call.
  filled.wait_for(lock, milliseconds(limits::log_encode_interval_ms),
                  [this] { return is_urgent(); });
}

void CallLogWriter::State::run() {
  std::vector<Entry> batch;
  std::unique_lock lock(mutex);
  while (true) {
    wait_for_work(lock);
    batch.swap(ring);
    const bool must_commit = stopping || flushing > 0 || options.mode == CaptureMode::durable;
    const bool last = stopping;
    lock.unlock();
    store(batch);
    batch.clear();
    if (commit_at && (must_commit || Clock::now() >= *commit_at)) {
      if (const Status status = commit(); !status) give_up(status.error());
    }
    if (segment && Clock::now() - segment_made_at >= std::chrono::seconds(options.segment_age_s)) {
      if (const Status status = end_segment(); !status) give_up(status.error());
    }
    free_room(0, 0);
    lock.lock();
    if (last && ring.empty()) break;
  }
  lock.unlock();
  // Everything is committed; a segment whose end mark is missing is as good as one that has it.
  static_cast<void>(end_segment());
}

void CallLogWriter::State::store(std::vector<Entry>& batch) {
  std::size_t freed_records = 0;
  std::size_t freed_bytes = 0;
  for (Entry& entry : batch) {
    store_one(entry);
    entry.record = Call();  // wiped here, before its room is given away
    ++freed_records;
    freed_bytes += entry.bytes;
    if (freed_bytes >= room_step_bytes) {
      free_room(std::exchange(freed_records, 0), std::exchange(freed_bytes, 0));
    }
  }
  free_room(freed_records, freed_bytes);
}

void CallLogWriter::State::store_one(Entry& entry) {
  if (broken && Clock::now() < retry_at) return lose(entry, *broken);
  if (const Status ready = ready_segment(); !ready) {
    give_up(ready.error());
    return lose(entry, ready.error());
  }
  const Status appended =
      std::visit([this](const auto& record) { return append(record); }, entry.record);
  if (!appended) return lose(entry, appended.error());  // this one only
  if (entry.done) {
    waiting.push_back({.record = segment->appended(), .done = std::move(entry.done)});
  }
  if (!commit_at) commit_at = Clock::now() + milliseconds(limits::log_commit_interval_ms);
  if (segment->buffered_bytes() < limits::log_write_bytes) return;
  if (const Status written = segment->write(); !written) give_up(written.error());
}

Status CallLogWriter::State::append(const Call& call) {
  content_bytes += call.request.reveal().size() + call.response.reveal().size();
  return segment->append(call);
}

Status CallLogWriter::State::append(const Feedback&) {
  return fail(ErrorCode::unsupported, "feedback is not recorded yet");
}

Status CallLogWriter::State::ready_segment() {
  if (segment && (segment->bytes() >= options.segment_bytes || segment->is_full())) {
    TRY(end_segment());
  }
  if (segment) return {};
  segment = TRY(SegmentWriter::create(home));
  segment_made_at = Clock::now();
  told_committed = 0;
  const std::scoped_lock lock(mutex);
  ++counters.segments;
  return {};
}

Status CallLogWriter::State::end_segment() {
  if (!segment) return {};
  TRY(commit());
  const Status closed = segment->close();
  segment.reset();
  return closed;
}

Status CallLogWriter::State::commit() {
  if (!commit_at) return {};  // all of it is on the disk
  commit_at.reset();
  const Stopwatch watch;
  TRY(segment->commit());
  const std::int64_t took_us = watch.elapsed_us();
  {
    const std::scoped_lock lock(mutex);
    ++counters.commits;
    counters.commit_us_sum += took_us;
    counters.commit_us_max = std::max(counters.commit_us_max, took_us);
    counters.state = LogState::ok;
    broken.reset();
  }
  tell_committed();
  return {};
}

// Passes on what the segment says about its calls that are on the disk now.
void CallLogWriter::State::tell_committed() {
  const std::uint64_t committed = segment->committed();
  auto told = waiting.begin();
  for (; told != waiting.end() && told->record <= committed; ++told) told->done({});
  waiting.erase(waiting.begin(), told);
  const std::scoped_lock lock(mutex);
  counters.committed += committed - told_committed;
  counters.content_bytes += std::exchange(content_bytes, 0);
  settled += committed - told_committed;
  told_committed = committed;
  eased.notify_all();
}

void CallLogWriter::State::lose(Entry& entry, const Error& error) {
  if (entry.done) entry.done(fail(error));
  const std::scoped_lock lock(mutex);
  ++counters.lost;
  ++settled;
  if (!unreported) unreported = error;
  eased.notify_all();
}

// The segment failed: what is behind its last whole record on the disk is lost.
void CallLogWriter::State::give_up(const Error& error) {
  commit_at.reset();
  std::uint64_t lost = 0;
  if (segment) {
    tell_committed();
    lost = segment->appended() - segment->committed();
    for (Waiting& one : waiting) one.done(fail(error));
    waiting.clear();
    segment->discard();
    segment.reset();
  }
  const std::scoped_lock lock(mutex);
  counters.lost += lost;
  settled += lost;
  counters.state = error.code == ErrorCode::exhausted ? LogState::full_disk : LogState::failing;
  broken = error;
  if (!unreported) unreported = error;
  retry_at = Clock::now() + milliseconds(limits::log_retry_interval_ms);
  eased.notify_all();
}

void CallLogWriter::State::free_room(std::size_t records, std::size_t bytes) {
  std::vector<std::function<void()>> callbacks;
  {
    const std::scoped_lock lock(mutex);
    counters.ring_records -= records;
    counters.ring_bytes -= bytes;
    // Only on progress: a callback whose call is still too large would ask again at once.
    if (bytes > 0 || counters.ring_bytes == 0) callbacks.swap(room_callbacks);
    if (bytes > 0) eased.notify_all();
  }
  for (const auto& callback : callbacks) callback();
}

CallLogWriter::CallLogWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}

CallLogWriter::~CallLogWriter() {
  {
    const std::scoped_lock lock(state_->mutex);
    state_->stopping = true;
  }
  state_->filled.notify_all();
}

Result<std::unique_ptr<CallLogWriter>> CallLogWriter::open(const Home& home,
                                                           const CallLogOptions& options) {
  TRY(crypto::load_public_key(home.keys(), crypto::Role::curator));
  auto state = std::make_unique<State>(home, options);
  State& running = *state;
  running.thread = std::jthread([&running] { running.run(); });
  return std::unique_ptr<CallLogWriter>(new CallLogWriter(std::move(state)));
}

bool CallLogWriter::try_append(Call& call, Done done) {
  std::unique_lock lock(state_->mutex);
  return state_->put(call, std::move(done), lock);
}

bool CallLogWriter::try_append(Feedback& feedback, Done done) {
  std::unique_lock lock(state_->mutex);
  return state_->put(feedback, std::move(done), lock);
}

void CallLogWriter::when_room(std::function<void()> callback) {
  {
    const std::scoped_lock lock(state_->mutex);
    state_->room_callbacks.push_back(std::move(callback));
  }
  state_->filled.notify_one();
}

Status CallLogWriter::append(Call call) {
  const std::size_t bytes = bytes_of(call);
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  state.eased.wait(lock, [&] { return state.has_room(bytes); });
  if (state.broken && Clock::now() < state.retry_at) {
    ++state.counters.appended;
    ++state.counters.lost;
    ++state.settled;
    return fail(*state.broken);
  }
  CHECK(state.put(call, {}, lock), "there was room, and the lock was not given away");
  return {};
}

Status CallLogWriter::flush() {
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  const std::uint64_t target = state.counters.appended;
  ++state.flushing;
  state.filled.notify_all();
  state.eased.wait(lock, [&] { return state.settled >= target; });
  --state.flushing;
  if (auto lost = std::exchange(state.unreported, std::nullopt)) return fail(std::move(*lost));
  return {};
}

CaptureCounters CallLogWriter::counters() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->counters;
}

void CallLogWriter::count_dropped() {
  const std::scoped_lock lock(state_->mutex);
  ++state_->counters.dropped;
}

}  // namespace understudy::store
