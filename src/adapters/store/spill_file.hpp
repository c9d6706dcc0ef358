// Records that do not fit into memory, for the time of one run: a temporary file without a name,
// encrypted under a key that only this object has. When it is gone, or the process is killed, so is
// what it held.
// One thread appends; read() may be called by many once nothing is appended any more.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>

#include "base/result.hpp"
#include "base/secret.hpp"

namespace understudy::store {

class SpillFile {
 public:
  // In a directory that exists.
  static Result<SpillFile> create(const std::filesystem::path& directory);
  ~SpillFile();
  SpillFile(SpillFile&&) noexcept;
  SpillFile& operator=(SpillFile&&) noexcept;

  // The record's place. exhausted when the disk is full.
  Result<std::uint64_t> append(std::string_view plain);
  Status flush();  // before read()
  [[nodiscard]] Result<SecretText> read(std::uint64_t place) const;
  [[nodiscard]] std::uint64_t bytes() const;

 private:
  struct State;
  explicit SpillFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace understudy::store
