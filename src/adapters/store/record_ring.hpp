// The bounded way of records from the threads that make them to the log's writer. Each thread puts
// them into an inlet of its own, with a lock and chunks of its own: a line of the cache that two
// processors write in turn takes up to a quarter of a microsecond each time, and one ring for all
// had ten such lines a call. Room is counted in bytes over all inlets, of which an inlet takes some
// in advance. Private to adapters/store. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "adapters/store/record_chunk.hpp"
#include "base/limits.hpp"

namespace understudy::store {

class RecordRing {
  struct Inlet;

 public:
  struct Load {
    std::unique_ptr<RecordChunk> chunk;
    Inlet* inlet = nullptr;
    std::size_t bytes = 0;  // of the ring's room
  };

 private:
  // On lines of its own: processors fetch them in pairs.
  struct alignas(128) Inlet {
    std::mutex mutex;
    std::vector<Load> loads;
    std::vector<std::unique_ptr<RecordChunk>> spare;  // empty ones, for the next records
    std::size_t room = 0;                             // bytes that it may take without asking
    std::size_t bytes = 0;                            // of its loads
    std::uint64_t records = 0;                        // put since the ring was made
    std::uint64_t calls = 0;                          // of these; the others are feedback
  };

 public:
  explicit RecordRing(std::size_t bytes_max);

  // What a record holds of the ring's memory.
  static std::size_t bytes_of(const RecordView& record);

  // Room for one record, and the inlet's lock until it is there or the place goes: a microsecond.
  class Place {
   public:
    Place(Place&& other) noexcept;
    Place& operator=(Place&&) = delete;
    ~Place();
    // The record that there was room for. `owned` (or null) is where its content is. Returns the
    // bytes that are in the inlet now.
    std::size_t add(const RecordView& record, std::unique_ptr<RecordChunk::OwnedContent> owned,
                    RecordChunk::Done done) &&;

   private:
    friend class RecordRing;
    Place(Inlet& inlet, std::unique_lock<std::mutex> lock, std::size_t bytes)
        : inlet_(&inlet), lock_(std::move(lock)), bytes_(bytes) {}
    Inlet* inlet_;
    std::unique_lock<std::mutex> lock_;
    std::size_t bytes_;  // 0 once they are the record's
  };
  // Nothing when the ring is full; but a record that is larger than the ring is taken alone.
  std::optional<Place> place_for(const RecordView& record);

  // All that was put before, and nothing that was put behind it: a thread's records in its order.
  void take(std::vector<Load>& batch);
  // What the calling thread put, and those that share its inlet.
  void take_own(std::vector<Load>& batch);
  // The room of a chunk's records, and its memory for the next ones: wiped here, before.
  void give_back(Load load);

  [[nodiscard]] bool is_empty();  // but for what was taken and not yet given back
  // A quarter of the room is taken, give or take what the inlets hold in advance.
  [[nodiscard]] bool is_pressed() const { return taken_bytes_ >= bytes_max_ / 4; }

  struct Counts {
    std::uint64_t put = 0;        // records since the ring was made
    std::uint64_t put_calls = 0;  // of these
    std::uint64_t records = 0;    // under way: not yet given back
    std::uint64_t bytes = 0;
  };
  [[nodiscard]] Counts counts();

 private:
  using Locks = std::array<std::unique_lock<std::mutex>, limits::log_inlets>;

  Inlet& own_inlet();
  static void take_from(Inlet& inlet, std::vector<Load>& batch);
  bool make_room(Inlet& inlet, std::size_t bytes);
  std::optional<Place> place_by_all(Inlet& inlet, std::size_t bytes);
  Locks lock_all();

  const std::size_t bytes_max_;
  const std::size_t step_bytes_;  // that an inlet takes in advance
  std::array<Inlet, limits::log_inlets> inlets_;
  std::atomic<std::size_t> taken_bytes_ = 0;   // by records under way, and in advance
  std::atomic<std::uint64_t> given_back_ = 0;  // records
};

}  // namespace understudy::store
