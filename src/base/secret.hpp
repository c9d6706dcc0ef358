// Secret<T>: plaintext that must not leak by accident. It has no formatter and no stream operator,
// so that logging it does not compile; its bytes are overwritten when it dies. Copying is explicit
// in `reveal()`.
#pragma once

#include <string>
#include <utility>

namespace understudy {

// Overwrites the bytes in a way that the optimiser must keep.
void wipe(std::string& text) noexcept;

template <class T>
class Secret {
 public:
  Secret() = default;
  explicit Secret(T value) : value_(std::move(value)) {}
  Secret(const Secret&) = default;
  Secret& operator=(const Secret& other) {
    if (this != &other) {
      wipe(value_);
      value_ = other.value_;
    }
    return *this;
  }
  Secret(Secret&& other) noexcept : value_(std::move(other.value_)) { wipe(other.value_); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      wipe(value_);
      value_ = std::move(other.value_);
      wipe(other.value_);
    }
    return *this;
  }
  ~Secret() { wipe(value_); }

  [[nodiscard]] const T& reveal() const { return value_; }
  [[nodiscard]] bool empty() const { return value_.empty(); }

 private:
  T value_{};
};

using SecretText = Secret<std::string>;

}  // namespace understudy
