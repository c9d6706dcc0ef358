// The two shapes of data that the clustering adapters hand to each other: sparse rows (hashed
// features) and a dense row-major matrix (their coordinates). Plain values, no library behind them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace understudy::cluster {

struct Entry {
  std::uint32_t column = 0;
  float value = 0;
};
using SparseRow = std::vector<Entry>;

struct DenseRows {
  std::size_t columns = 0;
  std::vector<float> values;  // rows() x columns

  [[nodiscard]] std::size_t rows() const { return columns == 0 ? 0 : values.size() / columns; }
  [[nodiscard]] std::span<const float> row(std::size_t index) const {
    return {values.data() + index * columns, columns};
  }
};

}  // namespace understudy::cluster
