// Work on a stream of items by the threads of a pool, with the results taken in the order of the
// items on the caller's thread, and few items in flight: memory does not grow with the stream.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <semaphore>
#include <utility>

#include "base/pool.hpp"
#include "base/result.hpp"

namespace understudy::s2 {

template <class Item>
class OrderedWork {
 public:
  // `work` runs on the pool, `take` where add() and finish() are called. Both outlive it.
  OrderedWork(Pool& pool, std::size_t in_flight_max, std::function<void(Item&)> work,
              std::function<Status(Item&)> take)
      : pool_(pool),
        in_flight_max_(in_flight_max),
        work_(std::move(work)),
        take_(std::move(take)) {}
  ~OrderedWork() {
    for (const auto& slot : slots_) slot->done.acquire();
  }
  OrderedWork(const OrderedWork&) = delete;
  OrderedWork& operator=(const OrderedWork&) = delete;

  // An error of `take` is returned by the next add() or by finish().
  Status add(Item item) {
    while (slots_.size() >= in_flight_max_) TRY(take_first());
    slots_.push_back(std::make_unique<Slot>(std::move(item)));
    pool_.submit([this, slot = slots_.back().get()] {
      work_(slot->item);
      slot->done.release();
    });
    return {};
  }
  Status finish() {
    while (!slots_.empty()) TRY(take_first());
    return {};
  }

 private:
  struct Slot {
    explicit Slot(Item of) : item(std::move(of)) {}
    Item item;
    std::binary_semaphore done{0};
  };

  Status take_first() {
    const std::unique_ptr<Slot> slot = std::move(slots_.front());
    slots_.pop_front();
    slot->done.acquire();
    return take_(slot->item);
  }

  Pool& pool_;
  std::size_t in_flight_max_;
  std::function<void(Item&)> work_;
  std::function<Status(Item&)> take_;
  std::deque<std::unique_ptr<Slot>> slots_;
};

}  // namespace understudy::s2
