// A sealed file: records that only the holders of a reader's secret key can read, in append order,
// each bound to its file, index and format version, and hash-chained. The call log's segments and
// the curated data sets are such files. docs/formats/call_log.md gives the bytes and the threat
// model.
//
// SealedWriter: one owner, one thread. A record counts as stored after commit() returned.
// SealedReader: stops cleanly at a truncated tail (reported in tail()), and with `corrupt`, naming
// file and index, at a record that fails its check.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/crypto/keys.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

namespace understudy::store {

class SealedWriter {
 public:
  // Creates PATH (conflict if it exists) with a fresh random data key sealed to every reader.
  static Result<SealedWriter> create(const std::filesystem::path& path,
                                     std::span<const crypto::PublicKey> readers);
  ~SealedWriter();
  SealedWriter(SealedWriter&&) noexcept;
  SealedWriter& operator=(SealedWriter&&) noexcept;

  Status append(std::string_view plain);  // buffers; exhausted when the disk is full
  Status commit();                        // writes what is buffered, one fdatasync
  // Marks the end and commits: a file that is cut later is then told from one whose writer died.
  // The last call; without it the file is still whole up to its last commit.
  Status close();
  [[nodiscard]] std::uint64_t bytes() const;
  [[nodiscard]] std::uint64_t records() const;

 private:
  struct State;
  explicit SealedWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

struct Tail {
  std::uint64_t lost_bytes = 0;  // bytes behind the last whole record
  bool closed = false;           // the writer ended the file in order: nothing is cut off
};

class SealedReader {
 public:
  // denied when the key opens none of the file's sealed data keys (wrong key).
  static Result<SealedReader> open(const std::filesystem::path& path,
                                   const crypto::SecretKey& reader);
  ~SealedReader();
  SealedReader(SealedReader&&) noexcept;
  SealedReader& operator=(SealedReader&&) noexcept;

  // The next record, or an empty optional at the end.
  Result<std::optional<SecretText>> next();
  [[nodiscard]] Tail tail() const;  // valid at the end

 private:
  struct State;
  explicit SealedReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The fingerprints of the public keys that it is sealed to, without any key.
Result<std::vector<std::string>> read_sealed_fingerprints(const std::filesystem::path& path);

}  // namespace understudy::store
