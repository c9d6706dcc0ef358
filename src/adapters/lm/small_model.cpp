#include "adapters/lm/small_model.hpp"

#include "adapters/lm/symbols.hpp"

namespace understudy::lm {

std::string slots_text(const std::vector<std::string>& slots) {
  std::string text;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (i > 0) text += symbols::slot;
    text += slots[i];
  }
  return text;
}

}  // namespace understudy::lm
