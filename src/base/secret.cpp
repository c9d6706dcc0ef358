#include "base/secret.hpp"

#include <cstring>

namespace understudy {

void wipe(std::string& text) noexcept {
  text.resize(
      text.capacity());  // short strings live inside the object; long ones keep their buffer
  explicit_bzero(text.data(), text.size());
  text.clear();
}

}  // namespace understudy
