// Things that one thread uses at a time and that are costly to make: each user borrows one.
// Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace understudy::s2 {

template <class Thing>
class Lent {
 public:
  explicit Lent(std::function<Thing()> make) : make_(std::move(make)) {}

  template <class Use>
  auto with(Use&& use) {
    std::unique_ptr<Thing> thing = borrow();
    struct GiveBack {
      Lent& owner;
      std::unique_ptr<Thing>& thing;
      ~GiveBack() {
        const std::scoped_lock lock(owner.mutex_);
        owner.idle_.push_back(std::move(thing));
      }
    } const give_back{*this, thing};
    return use(*thing);
  }

 private:
  std::unique_ptr<Thing> borrow() {
    {
      const std::scoped_lock lock(mutex_);
      if (!idle_.empty()) {
        std::unique_ptr<Thing> thing = std::move(idle_.back());
        idle_.pop_back();
        return thing;
      }
    }
    return std::make_unique<Thing>(make_());
  }

  std::function<Thing()> make_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Thing>> idle_;
};

}  // namespace understudy::s2
