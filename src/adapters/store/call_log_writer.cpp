#include "adapters/store/call_log_writer.hpp"

#include <algorithm>
#include <atomic>
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
#include "adapters/store/record_ring.hpp"
#include "adapters/store/segment_lane.hpp"
#include "base/check.hpp"
#include "base/clock.hpp"

namespace understudy::store {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::int64_t feedback_budget_us = 1'000'000;  // for compression: comments are few

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
  State(const Home& where, const CallLogOptions& given)
      : home(where), options(given), ring(given.ring_bytes) {}

  const Home home;
  const CallLogOptions options;

  RecordRing ring;
  std::atomic<bool> writer_sleeps = false;  // until something is due: for new work it is woken
  std::atomic<bool> wants_pass = false;     // there is something to write, or deferred
  // When what is encoded is due; 0: all of it is there.
  std::atomic<Clock::rep> write_at = 0;   // at the system: it survives this process
  std::atomic<Clock::rep> commit_at = 0;  // on the disk: it survives the machine
  bool found_work = false;                // the last pass did; the writer's thread alone asks
  std::atomic<std::thread::id> writer;

  // Locks are taken in this order, and an inlet's last.
  std::mutex encoding;  // of what follows: the writer's passes, and who encodes its calls itself
  SegmentLane calls{home, options, segment_format::SegmentKind::calls};
  SegmentLane feedback{home, options, segment_format::SegmentKind::feedback};
  std::vector<RecordRing::Load> deferred;  // what only a pass can encode
  std::uint64_t content_bytes = 0;
  std::uint64_t encoded_bytes = 0;  // since the last pass, of the ring's
  Clock::time_point check_at;
  Clock::time_point budget_at;
  CompressionBudget compression_budget;

  std::mutex mutex;                // of what follows
  std::condition_variable filled;  // the writer's thread waits for work
  std::condition_variable eased;   // append() waits for room, flush() for the disk
  std::vector<std::function<void()>> room_callbacks;
  bool stopping = false;
  int flushing = 0;
  CaptureCounters counters;         // but for the ring's
  std::uint64_t settled = 0;        // records, committed or lost; counters count calls
  std::optional<Error> unreported;  // the first loss that nobody was told of
  // The disk takes nothing at the moment. Written under both locks.
  std::optional<Error> broken;
  Clock::time_point retry_at;

  std::jthread thread;

  [[nodiscard]] bool is_urgent() const {
    return stopping || flushing > 0 || options.mode == CaptureMode::durable || ring.is_pressed() ||
           wants_pass || !room_callbacks.empty();
  }

  template <class Record>
  bool put(Record& record, Done done);
  template <class Record>
  void put(RecordRing::Place place, Record& record, RecordView view, Done done);
  void encode_own();
  [[nodiscard]] bool is_prepared_for(RecordRing::Load& load) const;
  void wake_for_work();
  void run();
  void wait_for_work(std::unique_lock<std::mutex>& lock);
  void pass(bool must_commit);
  void store(RecordRing::Load load, bool may_write);
  void write_if_large();
  void write();
  [[nodiscard]] Clock::time_point due() const;
  void store_one(RecordChunk::Entry& entry);
  void commit();
  void check();
  std::int64_t compression_budget_us(std::uint64_t bytes);
  void lose(Done& done, const Error& error);
  void give_up(SegmentLane& lane, const Error& error);
  void set_state(const Error& error);
  void settle(SegmentLane& lane);
  void tell_room(bool is_more);
};

template <class Record>
bool CallLogWriter::State::put(Record& record, Done done) {
  thread_local std::string metadata;
  const RecordView view = view_of(record, metadata);
  auto place = ring.place_for(view);
  if (!place) return false;
  put(std::move(*place), record, view, std::move(done));
  return true;
}

template <class Record>
void CallLogWriter::State::put(RecordRing::Place place, Record& record, RecordView view,
                               Done done) {
  auto owned = take_large(record, view);
  const std::size_t waiting = std::move(place).add(view, std::move(owned), std::move(done));
  if (waiting >= limits::log_encode_bytes) encode_own();
  wake_for_work();
}

// In a flood of calls, threads encode their own: what a thread has just written is in its
// processor's cache, and the writer's thread is woken seldom. Never waits and never touches the
// disk: what it cannot do is the writer's, and all that follows until the writer has done it.
void CallLogWriter::State::encode_own() {
  if (options.mode == CaptureMode::durable || options.compression == Compression::always) return;
  if (writer.load() == std::this_thread::get_id()) return;  // a callback, in the middle of a pass
  // It is the writer's turn: it would wait for the lock below, and what is encoded grow.
  if (wants_pass) return;
  const std::unique_lock lock(encoding, std::try_to_lock);
  if (!lock || !deferred.empty() || broken) return;
  thread_local std::vector<RecordRing::Load> batch;
  ring.take_own(batch);
  calls.begin_group(0);
  for (RecordRing::Load& load : batch) {
    if (deferred.empty() && is_prepared_for(load)) {
      encoded_bytes += load.bytes;
      store(std::move(load), false);
    } else {
      deferred.push_back(std::move(load));
    }
  }
  batch.clear();
  if (calls.is_large() || !deferred.empty()) wants_pass = true;
}

bool CallLogWriter::State::is_prepared_for(RecordRing::Load& load) const {
  return std::ranges::all_of(load.chunk->entries(), [this](const RecordChunk::Entry& entry) {
    return entry.record.kind == segment_format::RecordKind::call && entry.owned == nullptr &&
           calls.is_prepared_for(entry.record);
  });
}

// Behind a put record. The writer looks again by itself, soon, unless it sleeps.
void CallLogWriter::State::wake_for_work() {
  if (!(writer_sleeps && writer_sleeps.exchange(false)) && !wants_pass && !ring.is_pressed())
    return;
  {
    // It looked at all this under the lock, and waits: or it has found what there is.
    const std::scoped_lock lock(mutex);
  }
  filled.notify_one();
}

// Of what is encoded; far away where nothing is.
Clock::time_point CallLogWriter::State::due() const {
  auto time = Clock::time_point::max();
  for (const Clock::rep at : {write_at.load(), commit_at.load()}) {
    if (at != 0) time = std::min(time, Clock::time_point(Clock::duration(at)));
  }
  return time;
}

void CallLogWriter::State::wait_for_work(std::unique_lock<std::mutex>& lock) {
  const auto next_due = due();
  const auto has_work = [&] {
    return stopping || flushing > 0 || wants_pass || !ring.is_empty() || due() < next_due ||
           (!room_callbacks.empty() && ring.counts().bytes == 0);
  };
  // Behind a pass that found some, more is on its way: nobody has to wake this thread.
  if (!found_work || is_urgent()) {
    writer_sleeps = true;
    if (next_due != Clock::time_point::max()) {
      filled.wait_until(lock, next_due, has_work);
    } else if (calls.is_open() || feedback.is_open()) {
      filled.wait_for(lock, milliseconds(limits::log_check_interval_ms), has_work);
    } else {
      filled.wait(lock, has_work);
    }
    writer_sleeps = false;
  }
  // Let some gather: a burst is cheaper than a switch of threads for each call.
  const auto until = Clock::now() + milliseconds(limits::log_encode_interval_ms);
  filled.wait_until(lock, std::min(until, due()), [this] { return is_urgent(); });
}

void CallLogWriter::State::run() {
  writer = std::this_thread::get_id();
  std::unique_lock lock(mutex);
  while (true) {
    wait_for_work(lock);
    const bool must_commit = stopping || flushing > 0 || options.mode == CaptureMode::durable;
    const bool last = stopping;
    lock.unlock();
    pass(must_commit);
    lock.lock();
    if (last && ring.is_empty()) break;
  }
  lock.unlock();
  // Everything is committed; a segment whose end mark is missing is as good as one that has it.
  for (SegmentLane* lane : {&calls, &feedback}) static_cast<void>(lane->end());
}

// All that was put before is encoded; and on the disk, where it must be or it is time.
void CallLogWriter::State::pass(bool must_commit) {
  const std::scoped_lock lock(encoding);
  wants_pass = false;
  std::vector<RecordRing::Load> batch = std::exchange(deferred, {});
  ring.take(batch);
  std::uint64_t bytes = std::exchange(encoded_bytes, 0);
  const bool were_encoded = bytes > 0;
  for (const RecordRing::Load& load : batch) bytes += load.bytes;
  found_work = bytes > 0;
  const std::int64_t budget_us = compression_budget_us(bytes);
  calls.begin_group(budget_us);
  feedback.begin_group(feedback_budget_us);
  check();
  write_if_large();
  for (RecordRing::Load& load : batch) {
    store(std::move(load), true);
    tell_room(true);
  }
  compression_budget.spend(budget_us - calls.budget_us());
  const Clock::rep time = Clock::now().time_since_epoch().count();
  if (commit_at != 0 && (must_commit || time >= commit_at)) {
    commit();
  } else if (write_at != 0 && time >= write_at) {
    write();
  }
  tell_room(were_encoded);
}

// Time for compression, for a batch of so many bytes.
std::int64_t CallLogWriter::State::compression_budget_us(std::uint64_t bytes) {
  if (options.compression == Compression::always) return std::numeric_limits<std::int64_t>::max();
  const auto time = Clock::now();
  const auto elapsed =
      std::chrono::duration_cast<std::chrono::microseconds>(time - std::exchange(budget_at, time));
  return compression_budget.for_group(elapsed.count(), bytes);
}

void CallLogWriter::State::store(RecordRing::Load load, bool may_write) {
  for (RecordChunk::Entry& entry : load.chunk->entries()) {
    store_one(entry);
    entry.owned.reset();
    if (may_write) write_if_large();
  }
  ring.give_back(std::move(load));
}

void CallLogWriter::State::write_if_large() {
  if (calls.is_large() || feedback.is_large()) write();
}

void CallLogWriter::State::write() {
  write_at = 0;
  for (SegmentLane* lane : {&calls, &feedback}) {
    if (const Status written = lane->write(); !written) give_up(*lane, written.error());
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
  if (write_at != 0) return;
  const auto time = Clock::now();
  const auto in = [time](int ms) { return (time + milliseconds(ms)).time_since_epoch().count(); };
  write_at = in(limits::log_write_interval_ms);
  if (commit_at == 0) commit_at = in(limits::log_commit_interval_ms);
}

void CallLogWriter::State::commit() {
  write_at = commit_at = 0;
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

void CallLogWriter::State::tell_room(bool is_more) {
  std::vector<std::function<void()>> callbacks;
  {
    const std::scoped_lock lock(mutex);
    // Only on progress: a callback whose call is still too large would ask again at once.
    if (!room_callbacks.empty() && (is_more || ring.counts().bytes == 0))
      callbacks.swap(room_callbacks);
    if (is_more) eased.notify_all();
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
  State& state = *state_;
  std::optional<RecordRing::Place> place;
  std::unique_lock lock(state.mutex);
  state.eased.wait(lock, [&] {
    if (auto found = state.ring.place_for(view)) place.emplace(std::move(*found));
    return place.has_value();
  });
  if (state.broken && Clock::now() < state.retry_at) {
    ++state.counters.appended;
    ++state.counters.lost;
    return fail(*state.broken);
  }
  lock.unlock();
  state.put(std::move(*place), call, view, {});
  return {};
}

Status CallLogWriter::flush() {
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  const std::uint64_t target = state.ring.counts().put;
  ++state.flushing;
  state.filled.notify_all();
  state.eased.wait(lock, [&] { return state.settled >= target; });
  --state.flushing;
  if (auto lost = std::exchange(state.unreported, std::nullopt)) return fail(std::move(*lost));
  return {};
}

CaptureCounters CallLogWriter::counters() const {
  const std::scoped_lock lock(state_->mutex);
  CaptureCounters counters = state_->counters;
  const RecordRing::Counts ring = state_->ring.counts();
  counters.appended += ring.put_calls;
  counters.ring_records = ring.records;
  counters.ring_bytes = ring.bytes;
  return counters;
}

void CallLogWriter::count_dropped() {
  const std::scoped_lock lock(state_->mutex);
  ++state_->counters.dropped;
}

}  // namespace understudy::store
