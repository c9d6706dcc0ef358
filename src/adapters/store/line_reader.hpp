// The lines of a plain or gzip file (told apart by its first bytes), numbered from 1. One thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"

namespace understudy::store {

class LineReader {
 public:
  static Result<LineReader> open(const std::filesystem::path& path);
  ~LineReader();
  LineReader(LineReader&&) noexcept;
  LineReader& operator=(LineReader&&) noexcept;

  // The next line without its end, or nothing at the end of the file. corrupt names file and line
  // where a gzip stream is damaged or cut; exhausted where a line is longer than
  // limits::jsonl_line_bytes_max.
  Result<std::optional<std::string>> next();
  [[nodiscard]] std::uint64_t line() const;  // number of the line that next() gave

 private:
  struct State;
  explicit LineReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace understudy::store
