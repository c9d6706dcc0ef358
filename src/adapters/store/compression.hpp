// zstd for one record at a time. Private to adapters/store. One object per thread: it keeps zstd's
// work space, which costs more to set up than a small record to compress.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/secret.hpp"

namespace understudy::store {

class Compressor {
 public:
  Compressor();
  ~Compressor();
  Compressor(Compressor&&) noexcept;
  Compressor& operator=(Compressor&&) noexcept;

  // Empty where compression does not make the text shorter.
  SecretText compress(std::string_view plain);
  // Appends one frame to `out` and says true; false, and `out` as it was, where it would not be
  // shorter. Lower levels are faster; below zero they leave letters as they are.
  bool compress(std::string_view plain, int level, std::string& out);
  // corrupt for anything that is not one whole frame of at most limits::record_bytes_max.
  Result<SecretText> decompress(std::string_view frame);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace understudy::store
