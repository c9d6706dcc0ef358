#include "base/secret.hpp"

#include <cstring>

namespace understudy {

void wipe(std::string& text) noexcept {
  // The whole of it: short strings live inside the object, long ones keep their buffer.
  text.resize_and_overwrite(text.capacity(), [](char* bytes, std::size_t size) {
    explicit_bzero(bytes, size);
    return std::size_t{0};
  });
}

}  // namespace understudy
