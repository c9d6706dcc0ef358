// The memory that large bodies may take, all calls together. A request is held whole until its call
// is recorded (another upstream may have to be tried), and so is what the log keeps of a large
// answer: without a bound a hundred clients with 64 MiB each would take 6 GiB. Requests wait in
// line for their share, unread, so that their clients wait too; an answer that finds no room is
// passed on and recorded without its content. Small bodies are not counted. Thread-safe; a Share
// belongs to one call.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <set>

#include "base/limits.hpp"

namespace understudy::live {

class BodyMemory {
 public:
  // What every call has without asking; limits::connections_max of them are 256 MiB at the worst.
  static constexpr std::size_t small_body_bytes = 64 * limits::kibi;

  struct Options {
    std::uint64_t bytes = 256 * limits::mebi;
    std::chrono::milliseconds wait_max{30'000};  // in line; then the client is told to come back
  };

  // What happened, since the start and now.
  struct Counters {
    std::uint64_t used_bytes = 0;
    std::uint64_t waiting = 0;
    std::uint64_t waited = 0;      // requests that had to
    std::uint64_t refused = 0;     // of these, in vain
    std::uint64_t unrecorded = 0;  // answers that found no room
  };

  class Share {
   public:
    explicit Share(BodyMemory& memory) : memory_(memory) {}
    ~Share();
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    // First come, first served: false puts it in line, to ask again.
    bool take_in_turn(std::uint64_t bytes);
    // More of it, at once or not at all.
    bool take_now(std::uint64_t bytes);
    void shrink_to(std::uint64_t bytes);
    void give_up();  // leaves the line, in vain

   private:
    BodyMemory& memory_;
    std::uint64_t bytes_ = 0;
    std::uint64_t ticket_ = 0;  // in the line; 0: not there
  };

  explicit BodyMemory(const Options& options) : options_(options) {}

  [[nodiscard]] std::chrono::milliseconds wait_max() const { return options_.wait_max; }
  [[nodiscard]] Counters counters() const;

 private:
  // One that is larger than all of it may have it alone.
  [[nodiscard]] bool has_room(std::uint64_t bytes) const {
    return used_ == 0 || (used_ <= options_.bytes && bytes <= options_.bytes - used_);
  }

  const Options options_;
  mutable std::mutex mutex_;
  std::uint64_t used_ = 0;
  std::uint64_t last_ticket_ = 0;
  std::set<std::uint64_t> line_;
  Counters counters_;
};

}  // namespace understudy::live
