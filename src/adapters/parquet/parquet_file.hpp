// Writes a table into a Parquet file, row by row. Arrow and Parquet lie in understudy-parquet.so,
// which is opened when the first file is made: few runs need 60 MiB of them. One owner, one thread;
// rows are held until a row group is full.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.hpp"

namespace understudy::parquet_file {

struct Column {
  enum class Kind { text, integer };
  std::string name;
  Kind kind = Kind::text;
};

using Cell = std::variant<std::string_view, std::int64_t>;  // of its column's kind

class Writer {
 public:
  virtual ~Writer() = default;
  virtual Status add_row(std::span<const Cell> cells) = 0;  // one per column
  virtual Status close() = 0;  // the last call; without it the file cannot be read
};

// Creates or empties the file, readable by its owner only. unsupported where
// understudy-parquet.so is not beside the program.
Result<std::unique_ptr<Writer>> create(const std::filesystem::path& path,
                                       std::span<const Column> columns);

}  // namespace understudy::parquet_file
