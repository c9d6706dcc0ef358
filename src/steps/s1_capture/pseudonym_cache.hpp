// Pseudonyms of few origins that call often: a keyed BLAKE2b hash costs as much as reading a small
// request. Holds no origin, only a 128-bit fingerprint of it with a seed of its own. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "steps/s1_capture/pseudonyms.hpp"

namespace understudy::s1 {

class PseudonymCache {
 public:
  PseudonymCache();

  // As names.of(kind, value). A cache serves one `names` at a time; another one empties it.
  const std::string& of(const Pseudonyms& names, std::string_view kind, std::string_view value);

 private:
  struct Slot {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    std::string name;
  };
  static constexpr std::size_t slots = 256;  // a new origin takes the place of another one

  std::uint64_t seed_;
  const Pseudonyms* names_ = nullptr;
  std::array<Slot, slots> slots_;
  std::string nobody_;
};

}  // namespace understudy::s1
