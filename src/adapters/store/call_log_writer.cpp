#include "adapters/store/call_log_writer.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "adapters/crypto/keys.hpp"
#include "adapters/store/record_chunk.hpp"
#include "adapters/store/segment_lane.hpp"
#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/short_lock.hpp"

namespace understudy::store {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::int64_t feedback_budget_us = 1'000'000;  // comments are few
constexpr double compression_share = 0.02;              // of one core, beside I/O threads
constexpr std::uint64_t helped_records_min = 8;         // 25 us of an I/O thread
constexpr std::size_t spare_chunks_max = 8;             // more were a backlog: its memory goes back

// Whether the one who stores records may wait for the disk.
enum class Disk { allowed, untouched };

// What a record holds of the ring's memory.
std::size_t ring_bytes_of(const RecordView& record) {
  return sizeof(RecordChunk::Entry) + RecordChunk::bytes_of(record, false);
}

// Content that is too large to be copied under the lock changes hands.
std::unique_ptr<RecordChunk::OwnedContent> take_large(Call& call, RecordView& record) {
  if (record.content_bytes() <= RecordChunk::copied_bytes_max) return nullptr;
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

  // Held around what goes into segments; before `mutex` where both are needed.
  std::mutex segment_mutex;
  mutable std::mutex mutex;
  std::condition_variable filled;  // the writer's thread waits for work
  std::condition_variable eased;   // append() waits for room, flush() for the disk
  std::vector<std::unique_ptr<RecordChunk>> ring;
  std::vector<std::unique_ptr<RecordChunk>> spare;  // empty ones, for the next records
  std::vector<std::function<void()>> room_callbacks;
  bool writer_sleeps = false;  // without a deadline: somebody has to wake it
  bool stopping = false;
  bool wants_write = false;  // enough is encoded for a write()
  int flushing = 0;
  std::optional<Clock::time_point> commit_at;  // something is not yet on the disk
  // What the open segment knows; others in the ring are the writer's, who may make their keys.
  std::set<std::string, std::less<>> known_tenants;
  bool ring_needs_writer = false;
  CaptureCounters counters;
  std::uint64_t accepted = 0;       // records; counters count calls
  std::uint64_t settled = 0;        // of these, committed or lost
  std::optional<Error> unreported;  // the first loss that nobody was told of
  std::optional<Error> broken;      // the disk takes nothing at the moment
  Clock::time_point retry_at;

  // Of whoever holds segment_mutex.
  std::vector<std::unique_ptr<RecordChunk>> batch;
  std::uint64_t known_generation = 0;  // of known_tenants
  SegmentLane calls{home, options, segment_format::SegmentKind::calls};
  SegmentLane feedback{home, options, segment_format::SegmentKind::feedback};
  std::uint64_t content_bytes = 0;
  Clock::time_point check_at;
  Clock::time_point budget_at;
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
  void help();
  void store(Disk disk);
  void store_one(RecordChunk::Entry& entry, Disk disk);
  void remember_tenant(std::string_view tenant);
  void forget_tenants();
  void commit();
  void check();
  std::int64_t compression_budget_us();
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
  if (options.mode == CaptureMode::async) help();
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
  ring_needs_writer |=
      owned || !std::is_same_v<Record, Call> || !known_tenants.contains(view.tenant);
  RecordChunk& chunk = chunk_for(RecordChunk::bytes_of(view, owned != nullptr));
  chunk.add(view, std::move(owned), std::move(done));
  const bool wake = writer_sleeps || is_urgent();
  writer_sleeps = false;
  lock.unlock();
  if (wake) filled.notify_one();
}

RecordChunk& CallLogWriter::State::chunk_for(std::size_t bytes) {
  if (!ring.empty() && ring.back()->has_room(bytes)) return *ring.back();
  if (bytes <= RecordChunk::bytes_usual && !spare.empty()) {
    ring.push_back(std::move(spare.back()));
    spare.pop_back();
  } else {
    ring.push_back(std::make_unique<RecordChunk>(std::max(bytes, RecordChunk::bytes_usual)));
  }
  return *ring.back();
}

void CallLogWriter::State::wait_for_work(std::unique_lock<std::mutex>& lock) {
  const auto has_work = [this] {
    return stopping || flushing > 0 || !ring.empty() || wants_write ||
           (!room_callbacks.empty() && counters.ring_bytes == 0);
  };
  if (commit_at) {
    const auto soon = Clock::now() + milliseconds(limits::log_encode_interval_ms);
    filled.wait_until(lock, std::min(*commit_at, soon), has_work);
  } else {
    const auto has_any = [&] { return has_work() || commit_at; };
    writer_sleeps = true;
    if (calls.is_open() || feedback.is_open()) {
      filled.wait_for(lock, milliseconds(limits::log_check_interval_ms), has_any);
    } else {
      filled.wait(lock, has_any);
    }
  }
  writer_sleeps = false;
  if (ring.empty() || wants_write || is_urgent()) return;
  // Let some gather: a burst is cheaper than a switch of threads for each call.
  filled.wait_for(lock, milliseconds(limits::log_encode_interval_ms),
                  [this] { return is_urgent() || wants_write; });
}

void CallLogWriter::State::run() {
  std::unique_lock lock(mutex);
  while (true) {
    wait_for_work(lock);
    lock.unlock();
    std::unique_lock segment(segment_mutex);
    lock.lock();
    batch.swap(ring);
    ring_needs_writer = wants_write = false;
    const bool must_commit = stopping || flushing > 0 || options.mode == CaptureMode::durable;
    const bool last = stopping;
    lock.unlock();
    check();
    store(Disk::allowed);
    lock.lock();
    const bool is_due = commit_at && (must_commit || Clock::now() >= *commit_at);
    lock.unlock();
    if (is_due) commit();
    free_room(0, 0);
    segment.unlock();
    lock.lock();
    if (last && ring.empty()) break;
  }
  lock.unlock();
  const std::scoped_lock segment(segment_mutex);
  // Everything is committed; a segment whose end mark is missing is as good as one that has it.
  for (SegmentLane* lane : {&calls, &feedback}) static_cast<void>(lane->end());
}

// Encodes what waits on the thread that recorded it, where its bytes are at hand. A third thread
// would take a core from two I/O threads for half a millisecond at a time: their connections wait
// that long, which cost twice the work itself (measured on 2 cores). Never touches the disk; goes
// away where that is needed, or where somebody else is at work.
void CallLogWriter::State::help() {
  const std::unique_lock segment(segment_mutex, std::try_to_lock);
  if (!segment) return;
  {
    const auto lock = short_lock(mutex);
    if (counters.ring_records < helped_records_min || ring_needs_writer || broken ||
        !calls.takes_without_disk(counters.ring_bytes))
      return;
    batch.swap(ring);
  }
  store(Disk::untouched);
  if (calls.buffered_bytes() < limits::log_write_bytes) return;
  {
    const auto lock = short_lock(mutex);
    wants_write = true;
  }
  filled.notify_one();
}

// What is left of the last group's, and the share of the time since; a quiet second saves some up.
std::int64_t CallLogWriter::State::compression_budget_us() {
  if (options.compression == Compression::always) return std::numeric_limits<std::int64_t>::max();
  const auto time = Clock::now();
  const auto elapsed_us =
      std::chrono::duration_cast<std::chrono::microseconds>(time - budget_at).count();
  budget_at = time;
  const auto earned_us = std::min(static_cast<double>(elapsed_us) * compression_share,
                                  static_cast<double>(limits::log_compression_saved_us_max));
  return std::min(calls.budget_us() + static_cast<std::int64_t>(earned_us),
                  limits::log_compression_saved_us_max);
}

void CallLogWriter::State::store(Disk disk) {
  if (batch.empty()) return;
  calls.begin_group(compression_budget_us());
  feedback.begin_group(feedback_budget_us);
  for (std::unique_ptr<RecordChunk>& chunk : batch) {
    std::size_t bytes = 0;
    for (RecordChunk::Entry& entry : chunk->entries()) {
      bytes += ring_bytes_of(entry.record);
      store_one(entry, disk);
      entry.owned.reset();
    }
    const std::size_t records = chunk->entries().size();
    chunk->clear();  // wiped here, before its room is given away
    free_room(records, bytes, std::move(chunk));
  }
  batch.clear();
  const auto lock = short_lock(mutex);
  if (!commit_at) commit_at = Clock::now() + milliseconds(limits::log_commit_interval_ms);
}

void CallLogWriter::State::store_one(RecordChunk::Entry& entry, Disk disk) {
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
  if (disk == Disk::untouched) return;
  if (&lane == &calls) remember_tenant(record.tenant);
  if (const Status written = lane.write_if_large(); !written) give_up(lane, written.error());
}

void CallLogWriter::State::remember_tenant(std::string_view tenant) {
  if (calls.generation() != known_generation) forget_tenants();
  if (known_tenants.contains(tenant)) return;  // only this thread changes it
  const std::scoped_lock lock(mutex);
  known_tenants.emplace(tenant);
}

void CallLogWriter::State::forget_tenants() {
  known_generation = calls.generation();
  const std::scoped_lock lock(mutex);
  known_tenants.clear();
  ring_needs_writer = !ring.empty();
}

void CallLogWriter::State::commit() {
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
    commit_at.reset();
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
  if (calls.generation() != known_generation) forget_tenants();
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
    const auto lock = short_lock(mutex);
    counters.ring_records -= records;
    counters.ring_bytes -= bytes;
    // Only on progress: a callback whose call is still too large would ask again at once.
    if (bytes > 0 || counters.ring_bytes == 0) callbacks.swap(room_callbacks);
    if (bytes > 0) eased.notify_all();
    if (emptied && emptied->is_usual() && spare.size() < spare_chunks_max)
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
