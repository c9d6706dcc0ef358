#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/json.hpp"
#include "steps/s5_tune/token_guesses.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto tree = understudy::json::parse(text)) {
    if (const auto guesses = understudy::s5::parse_guesses(*tree)) {
      // What is written is read as the same again.
      const auto again = understudy::s5::parse_guesses(understudy::s5::to_json(*guesses));
      if (!again || again->size() != guesses->size()) __builtin_trap();
    }
  }
  return 0;
}
