// How often each of very many hashes was seen, about, in memory that does not grow (count-min with
// conservative update: never too low). One thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace understudy::s2 {

class FrequencySketch {
 public:
  FrequencySketch() : rows_{std::vector<std::uint16_t>(width), std::vector<std::uint16_t>(width)} {}

  void add(std::uint32_t hash) {
    std::uint16_t& first = rows_[0][slot(hash, 0)];
    std::uint16_t& second = rows_[1][slot(hash, 1)];
    const std::uint16_t now = std::min(first, second);
    if (now == UINT16_MAX) return;
    first = std::max(first, static_cast<std::uint16_t>(now + 1));
    second = std::max(second, static_cast<std::uint16_t>(now + 1));
  }
  [[nodiscard]] std::uint32_t count(std::uint32_t hash) const {
    return std::min(rows_[0][slot(hash, 0)], rows_[1][slot(hash, 1)]);
  }

 private:
  static constexpr std::size_t width = std::size_t{1} << 22U;  // 8 MiB a row
  static std::size_t slot(std::uint32_t hash, std::uint32_t row) {
    const std::uint64_t mixed =
        (hash + 1ULL) * (row == 0 ? 0x9e3779b97f4a7c15ULL : 0xc2b2ae3d27d4eb4fULL);
    return static_cast<std::size_t>(mixed >> 42U);
  }
  std::vector<std::uint16_t> rows_[2];
};

}  // namespace understudy::s2
