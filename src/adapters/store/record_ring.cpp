#include "adapters/store/record_ring.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/read_mostly.hpp"
#include "base/short_lock.hpp"

namespace understudy::store {

RecordRing::RecordRing(std::size_t bytes_max)
    : bytes_max_(bytes_max),
      step_bytes_(bytes_max / (8 * limits::log_inlets)) {}  // idle ones hold an eighth at most

std::size_t RecordRing::bytes_of(const RecordView& record) {
  return sizeof(RecordChunk::Entry) + RecordChunk::bytes_of(record, false);
}

RecordRing::Place::Place(Place&& other) noexcept
    : inlet_(other.inlet_), lock_(std::move(other.lock_)), bytes_(std::exchange(other.bytes_, 0)) {}

RecordRing::Place::~Place() {
  if (lock_.owns_lock()) inlet_->room += bytes_;
}

std::size_t RecordRing::Place::add(const RecordView& record,
                                   std::unique_ptr<RecordChunk::OwnedContent> owned,
                                   RecordChunk::Done done) && {
  std::vector<Load>& loads = inlet_->loads;
  auto& spare = inlet_->spare;
  const std::size_t bytes = RecordChunk::bytes_of(record, owned != nullptr);
  if (loads.empty() || !loads.back().chunk->has_room(bytes)) {
    loads.push_back({.chunk = nullptr, .inlet = inlet_});
    if (bytes <= limits::log_chunk_bytes && !spare.empty()) {
      loads.back().chunk = std::move(spare.back());
      spare.pop_back();
    } else {
      loads.back().chunk = std::make_unique<RecordChunk>(std::max(bytes, limits::log_chunk_bytes));
    }
  }
  loads.back().chunk->add(record, std::move(owned), std::move(done));
  loads.back().bytes += bytes_;
  const std::size_t waiting = inlet_->bytes += std::exchange(bytes_, 0);
  ++inlet_->records;
  if (record.kind == segment_format::RecordKind::call) ++inlet_->calls;
  lock_.unlock();
  return waiting;
}

RecordRing::Inlet& RecordRing::own_inlet() { return inlets_[thread_number() % inlets_.size()]; }

std::optional<RecordRing::Place> RecordRing::place_for(const RecordView& record) {
  const std::size_t bytes = bytes_of(record);
  Inlet& inlet = own_inlet();
  auto lock = short_lock(inlet.mutex);
  if (inlet.room < bytes && !make_room(inlet, bytes)) {
    lock.unlock();
    return place_by_all(inlet, bytes);
  }
  inlet.room -= bytes;
  return Place(inlet, std::move(lock), bytes);
}

// Takes what the inlet lacks, and some in advance where there is so much.
bool RecordRing::make_room(Inlet& inlet, std::size_t bytes) {
  const std::size_t lacking = bytes - inlet.room;
  for (const std::size_t wanted : {std::max(lacking, step_bytes_), lacking}) {
    std::size_t taken = taken_bytes_;
    while (wanted <= bytes_max_ && taken <= bytes_max_ - wanted) {
      if (!taken_bytes_.compare_exchange_weak(taken, taken + wanted)) continue;
      inlet.room += wanted;
      return true;
    }
  }
  return false;
}

RecordRing::Locks RecordRing::lock_all() {
  Locks locks;
  for (std::size_t i = 0; i < inlets_.size(); ++i) locks[i] = short_lock(inlets_[i].mutex);
  return locks;
}

// The ring is full but for what other inlets hold in advance: takes that back, and asks once more.
std::optional<RecordRing::Place> RecordRing::place_by_all(Inlet& inlet, std::size_t bytes) {
  Locks locks = lock_all();
  for (Inlet& other : inlets_) taken_bytes_ -= std::exchange(other.room, 0);
  if (taken_bytes_ == 0) {  // alone, whatever its size
    taken_bytes_ = inlet.room = bytes;
  } else if (!make_room(inlet, bytes)) {
    return std::nullopt;
  }
  inlet.room -= bytes;
  return Place(inlet, std::move(locks[static_cast<std::size_t>(&inlet - inlets_.data())]), bytes);
}

void RecordRing::take(std::vector<Load>& batch) {
  const Locks locks = lock_all();
  for (Inlet& inlet : inlets_) take_from(inlet, batch);
}

void RecordRing::take_own(std::vector<Load>& batch) {
  Inlet& inlet = own_inlet();
  const auto lock = short_lock(inlet.mutex);
  take_from(inlet, batch);
}

void RecordRing::take_from(Inlet& inlet, std::vector<Load>& batch) {
  std::ranges::move(inlet.loads, std::back_inserter(batch));
  inlet.loads.clear();
  inlet.bytes = 0;
}

void RecordRing::give_back(Load load) {
  const std::size_t records = load.chunk->entries().size();
  load.chunk->clear();
  given_back_ += records;
  taken_bytes_ -= load.bytes;
  auto& spare = load.inlet->spare;
  const auto lock = short_lock(load.inlet->mutex);
  if (load.chunk->is_usual() && spare.size() < limits::log_spare_chunks_max) {
    spare.push_back(std::move(load.chunk));
  }
}

bool RecordRing::is_empty() {
  return std::ranges::all_of(inlets_, [](Inlet& inlet) {
    const auto lock = short_lock(inlet.mutex);
    return inlet.loads.empty();
  });
}

RecordRing::Counts RecordRing::counts() {
  const Locks locks = lock_all();
  Counts counts{.bytes = taken_bytes_};
  for (const Inlet& inlet : inlets_) {
    counts.put += inlet.records;
    counts.put_calls += inlet.calls;
    counts.bytes -= inlet.room;
  }
  counts.records = counts.put - given_back_;
  return counts;
}

}  // namespace understudy::store
