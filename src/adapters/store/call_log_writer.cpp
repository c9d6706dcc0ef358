#include "adapters/store/call_log_writer.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "adapters/crypto/keys.hpp"
#include "adapters/store/compression_budget.hpp"
#include "adapters/store/record_chunk.hpp"
#include "adapters/store/segment_lane.hpp"
#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/short_lock.hpp"

namespace understudy::store {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::int64_t feedback_budget_us = 1'000'000;  // for compression: comments are few

// What a record holds of the ring's memory.
std::size_t ring_bytes_of(const RecordView& record) {
  return sizeof(RecordChunk::Entry) + RecordChunk::bytes_of(record, false);
}

// Content that is too large to be copied under the lock changes hands.
std::unique_ptr<RecordChunk::OwnedContent> take_large(Call& call, RecordView& record) {
  if (record.content_bytes() <= limits::log_copied_bytes_max) return nullptr;
  auto owned = std::make_unique<RecordChunk::OwnedContent>(std::move(call.request),
                                                           std::move(call.response));
  record.request = owned->request.reveal();
  record.response = owned->response.reveal();
  return owned;
}
std::unique_ptr<RecordChunk::OwnedContent> take_large(Feedback&, RecordView&) { return nullptr; }

}  // namespace

struct CallLogWriter::State {
  State(const Home& where, const CallLogOptions& given) : home(where), options(given) {}

  const Home home;
  const CallLogOptions options;

  mutable std::mutex mutex;
  std::condition_variable filled;  // the writer's thread waits for work
  std::condition_variable eased;   // append() waits for room, flush() for the disk
  std::vector<std::unique_ptr<RecordChunk>> ring;
  std::vector<std::unique_ptr<RecordChunk>> spare;  // empty ones, for the next records
  std::vector<std::function<void()>> room_callbacks;
  bool writer_sleeps = false;  // without a deadline: somebody has to wake it
  bool stopping = false;
  int flushing = 0;
  CaptureCounters counters;
  std::uint64_t accepted = 0;       // records; counters count calls
  std::uint64_t settled = 0;        // of these, committed or lost
  std::optional<Error> unreported;  // the first loss that nobody was told of
  std::optional<Error> broken;      // the disk takes nothing at the moment
  Clock::time_point retry_at;

  // The writer's thread's own.
  SegmentLane calls{home, options, segment_format::SegmentKind::calls};
  SegmentLane feedback{home, options, segment_format::SegmentKind::feedback};
  std::uint64_t content_bytes = 0;
  std::optional<Clock::time_point> commit_at;  // something is not yet on the disk
  Clock::time_point check_at;
  Clock::time_point budget_at;
  CompressionBudget compression_budget;
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
  bool put(Record& record, Done done);
  // Of something that has_room().
  template <class Record>
  void put(Record& record, RecordView view, Done done, std::unique_lock<std::mutex>& lock);
  RecordChunk& chunk_for(std::size_t bytes);
  void run();
  void wait_for_work(std::unique_lock<std::mutex>& lock);
  void store(std::vector<std::unique_ptr<RecordChunk>>& batch);
  void store_one(RecordChunk::Entry& entry);
  void commit();
  void check();
  std::int64_t compression_budget_us(std::uint64_t bytes);
  void lose(Done& done, const Error& error);
  void give_up(SegmentLane& lane, const Error& error);
  void set_state(const Error& error);
  void settle(SegmentLane& lane);
  void free_room(std::size_t records, std::size_t bytes, std::unique_ptr<RecordChunk> emptied = {});
};

template <class Record>
bool CallLogWriter::State::put(Record& record, Done done) {
  thread_local std::string metadata;
  const RecordView view = view_of(record, metadata);
  auto lock = short_lock(mutex);
  if (!has_room(ring_bytes_of(view))) return false;
  put(record, view, std::move(done), lock);
  return true;
}

template <class Record>
void CallLogWriter::State::put(Record& record, RecordView view, Done done,
                               std::unique_lock<std::mutex>& lock) {
  counters.ring_bytes += ring_bytes_of(view);
  ++counters.ring_records;
  ++accepted;
  if constexpr (std::is_same_v<Record, Call>) ++counters.appended;
  auto owned = take_large(record, view);
  RecordChunk& chunk = chunk_for(RecordChunk::bytes_of(view, owned != nullptr));
  chunk.add(view, std::move(owned), std::move(done));
  const bool wake = writer_sleeps || is_urgent();
  writer_sleeps = false;
  lock.unlock();
  if (wake) filled.notify_one();
}

RecordChunk& CallLogWriter::State::chunk_for(std::size_t bytes) {
  if (!ring.empty() && ring.back()->has_room(bytes)) return *ring.back();
  if (bytes <= limits::log_chunk_bytes && !spare.empty()) {
    ring.push_back(std::move(spare.back()));
    spare.pop_back();
  } else {
    ring.push_back(std::make_unique<RecordChunk>(std::max(bytes, limits::log_chunk_bytes)));
  }
  return *ring.back();
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
    if (calls.is_open() || feedback.is_open()) {
      filled.wait_for(lock, milliseconds(limits::log_check_interval_ms), has_work);
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
  std::vector<std::unique_ptr<RecordChunk>> batch;
  std::unique_lock lock(mutex);
  while (true) {
    wait_for_work(lock);
    batch.swap(ring);
    const std::uint64_t batch_bytes = counters.ring_bytes;
    const bool must_commit = stopping || flushing > 0 || options.mode == CaptureMode::durable;
    const bool last = stopping;
    lock.unlock();
    const std::int64_t budget_us = compression_budget_us(batch_bytes);
    calls.begin_group(budget_us);
    feedback.begin_group(feedback_budget_us);
    check();
    store(batch);
    compression_budget.spend(budget_us - calls.budget_us());
    batch.clear();
    if (commit_at && (must_commit || Clock::now() >= *commit_at)) commit();
    free_room(0, 0);
    lock.lock();
    if (last && ring.empty()) break;
  }
  lock.unlock();
  // Everything is committed; a segment whose end mark is missing is as good as one that has it.
  for (SegmentLane* lane : {&calls, &feedback}) static_cast<void>(lane->end());
}

// Time for compression, for a batch of so many bytes.
std::int64_t CallLogWriter::State::compression_budget_us(std::uint64_t bytes) {
  if (options.compression == Compression::always) return std::numeric_limits<std::int64_t>::max();
  const auto time = Clock::now();
  const auto elapsed =
      std::chrono::duration_cast<std::chrono::microseconds>(time - std::exchange(budget_at, time));
  return compression_budget.for_group(elapsed.count(), bytes);
}

void CallLogWriter::State::store(std::vector<std::unique_ptr<RecordChunk>>& batch) {
  for (std::unique_ptr<RecordChunk>& chunk : batch) {
    std::size_t bytes = 0;
    for (RecordChunk::Entry& entry : chunk->entries()) {
      bytes += ring_bytes_of(entry.record);
      store_one(entry);
      entry.owned.reset();
    }
    const std::size_t records = chunk->entries().size();
    chunk->clear();  // wiped here, before its room is given away
    free_room(records, bytes, std::move(chunk));
  }
}

void CallLogWriter::State::store_one(RecordChunk::Entry& entry) {
  if (broken && Clock::now() < retry_at) return lose(entry.done, *broken);
  const RecordView& record = entry.record;
  SegmentLane& lane = record.kind == segment_format::RecordKind::call ? calls : feedback;
  if (const Status ready = lane.prepare(); !ready) {
    give_up(lane, ready.error());
    return lose(entry.done, ready.error());
  }
  if (const Status appended = lane.append(record); !appended) {  // this one only
    if (record.content_bytes() <= limits::record_bytes_max) set_state(appended.error());
    return lose(entry.done, appended.error());
  }
  if (record.kind == segment_format::RecordKind::call) content_bytes += record.content_bytes();
  lane.add_waiting(std::move(entry.done));
  if (!commit_at) commit_at = Clock::now() + milliseconds(limits::log_commit_interval_ms);
  if (const Status written = lane.write_if_large(); !written) give_up(lane, written.error());
}

void CallLogWriter::State::commit() {
  commit_at.reset();
  const Stopwatch watch;
  bool whole = true;
  for (SegmentLane* lane : {&calls, &feedback}) {
    if (const Status status = lane->commit(); !status) {
      give_up(*lane, status.error());
      whole = false;
    }
  }
  const std::int64_t took_us = watch.elapsed_us();
  {
    const std::scoped_lock lock(mutex);
    ++counters.commits;
    counters.commit_us_sum += took_us;
    counters.commit_us_max = std::max(counters.commit_us_max, took_us);
    counters.content_bytes += std::exchange(content_bytes, 0);
    if (whole && !(broken && Clock::now() < retry_at)) {
      counters.state = LogState::ok;
      broken.reset();
    }
  }
  settle(calls);
  settle(feedback);
}

void CallLogWriter::State::check() {
  const auto time = Clock::now();
  if (time < check_at) return;
  check_at = time + milliseconds(limits::log_check_interval_ms);
  for (SegmentLane* lane : {&calls, &feedback}) {
    if (const Status status = lane->check(); !status) give_up(*lane, status.error());
    settle(*lane);
  }
}

void CallLogWriter::State::lose(Done& done, const Error& error) {
  if (done) done(fail(error));
  const std::scoped_lock lock(mutex);
  ++counters.lost;
  ++settled;
  if (!unreported) unreported = error;
  eased.notify_all();
}

void CallLogWriter::State::set_state(const Error& error) {
  const std::scoped_lock lock(mutex);
  counters.state = error.code == ErrorCode::exhausted ? LogState::full_disk : LogState::failing;
}

// The disk took no more of this lane: what is behind its last whole record there is lost.
void CallLogWriter::State::give_up(SegmentLane& lane, const Error& error) {
  lane.give_up(error);
  set_state(error);
  {
    const std::scoped_lock lock(mutex);
    broken = error;
    if (!unreported) unreported = error;
    retry_at = Clock::now() + milliseconds(limits::log_retry_interval_ms);
  }
  settle(lane);
}

// Passes on what became of the lane's records.
void CallLogWriter::State::settle(SegmentLane& lane) {
  const SegmentLane::Settled news = lane.take_settled();
  const std::scoped_lock lock(mutex);
  if (&lane == &calls) counters.committed += news.committed;
  counters.lost += news.lost;
  counters.log_bytes += news.bytes;
  counters.segments += news.segments;
  settled += news.committed + news.lost;
  eased.notify_all();
}

void CallLogWriter::State::free_room(std::size_t records, std::size_t bytes,
                                     std::unique_ptr<RecordChunk> emptied) {
  std::vector<std::function<void()>> callbacks;
  {
    const std::scoped_lock lock(mutex);
    counters.ring_records -= records;
    counters.ring_bytes -= bytes;
    // Only on progress: a callback whose call is still too large would ask again at once.
    if (bytes > 0 || counters.ring_bytes == 0) callbacks.swap(room_callbacks);
    if (bytes > 0) eased.notify_all();
    if (emptied && emptied->is_usual() && spare.size() < limits::log_spare_chunks_max)
      spare.push_back(std::move(emptied));
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

bool CallLogWriter::try_append(Call& call, Done done) { return state_->put(call, std::move(done)); }

bool CallLogWriter::try_append(Feedback& feedback, Done done) {
  return state_->put(feedback, std::move(done));
}

void CallLogWriter::when_room(std::function<void()> callback) {
  {
    const std::scoped_lock lock(state_->mutex);
    state_->room_callbacks.push_back(std::move(callback));
  }
  state_->filled.notify_one();
}

Status CallLogWriter::append(Call call) {
  std::string metadata;
  const RecordView view = view_of(call, metadata);
  const std::size_t bytes = ring_bytes_of(view);
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  state.eased.wait(lock, [&] { return state.has_room(bytes); });
  if (state.broken && Clock::now() < state.retry_at) {
    ++state.counters.appended;
    ++state.counters.lost;
    return fail(*state.broken);
  }
  state.put(call, view, {}, lock);
  return {};
}

Status CallLogWriter::flush() {
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  const std::uint64_t target = state.accepted;
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
