// Numbers that look random and depend on a key and a label only (BLAKE2b, keyed): what surrogates
// and splits are drawn from. Without the key nobody can tell which label they came from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/secret.hpp"

namespace understudy::s2 {

class KeyedStream {
 public:
  // Keeps a reference to the key.
  KeyedStream(const SecretText& key, std::string label);

  std::uint32_t below(std::uint32_t bound);  // 0 .. bound - 1, even; 1 <= bound <= 65536
  char one_of(std::string_view characters);

 private:
  std::uint32_t next16();

  const SecretText& key_;
  std::string label_;
  std::string hex_;
  std::size_t at_ = 0;
  int block_ = 0;
};

}  // namespace understudy::s2
