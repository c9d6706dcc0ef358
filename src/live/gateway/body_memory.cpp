#include "live/gateway/body_memory.hpp"

#include <utility>

namespace understudy::live {

BodyMemory::Share::~Share() {
  const std::scoped_lock lock(memory_.mutex_);
  memory_.used_ -= bytes_;
  if (ticket_ != 0) memory_.line_.erase(ticket_);
}

bool BodyMemory::Share::take_in_turn(std::uint64_t bytes) {
  const std::scoped_lock lock(memory_.mutex_);
  const bool is_first = memory_.line_.empty() || *memory_.line_.begin() == ticket_;
  if (!is_first || !memory_.has_room(bytes)) {
    if (ticket_ != 0) return false;
    ticket_ = ++memory_.last_ticket_;
    memory_.line_.insert(ticket_);
    ++memory_.counters_.waited;
    return false;
  }
  memory_.line_.erase(std::exchange(ticket_, 0));
  memory_.used_ += bytes;
  bytes_ += bytes;
  return true;
}

bool BodyMemory::Share::take_now(std::uint64_t bytes) {
  const std::scoped_lock lock(memory_.mutex_);
  if (!memory_.has_room(bytes)) {
    ++memory_.counters_.unrecorded;
    return false;
  }
  memory_.used_ += bytes;
  bytes_ += bytes;
  return true;
}

void BodyMemory::Share::shrink_to(std::uint64_t bytes) {
  const std::scoped_lock lock(memory_.mutex_);
  if (bytes >= bytes_) return;
  memory_.used_ -= bytes_ - bytes;
  bytes_ = bytes;
}

void BodyMemory::Share::give_up() {
  const std::scoped_lock lock(memory_.mutex_);
  memory_.line_.erase(std::exchange(ticket_, 0));
  ++memory_.counters_.refused;
}

BodyMemory::Counters BodyMemory::counters() const {
  const std::scoped_lock lock(mutex_);
  Counters counters = counters_;
  counters.used_bytes = used_;
  counters.waiting = line_.size();
  return counters;
}

}  // namespace understudy::live
