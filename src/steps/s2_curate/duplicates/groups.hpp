// Union-find with path halving over 0 .. count - 1. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

namespace understudy::s2 {

class Groups {
 public:
  explicit Groups(std::size_t count) : parent_(count) {
    std::iota(parent_.begin(), parent_.end(), 0U);
  }
  std::uint32_t root_of(std::uint32_t item) {
    while (parent_[item] != item) item = parent_[item] = parent_[parent_[item]];
    return item;
  }
  // The smaller root stays.
  void join(std::uint32_t a, std::uint32_t b) {
    a = root_of(a);
    b = root_of(b);
    parent_[a > b ? a : b] = a > b ? b : a;
  }

 private:
  std::vector<std::uint32_t> parent_;
};

}  // namespace understudy::s2
