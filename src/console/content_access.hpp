// Leaves a trace of somebody who reads content: one line in the audit trail before the reading
// begins, and one with the number of calls when it has ended. Without the first there is no
// content.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "adapters/crypto/keys.hpp"
#include "adapters/store/home.hpp"
#include "base/result.hpp"

namespace understudy::console {

class ContentAccess {
 public:
  // `what` is the verb, `detail` its filters; never content.
  static Result<ContentAccess> begin(const store::Home& home, crypto::Role role, std::string what,
                                     std::string detail = {});
  Status end(std::optional<std::uint64_t> calls = {}) const;

 private:
  ContentAccess(const store::Home& home, crypto::Role role, std::string what, std::string detail)
      : home_(home), role_(role), what_(std::move(what)), detail_(std::move(detail)) {}

  store::Home home_;
  crypto::Role role_;
  std::string what_;
  std::string detail_;
};

// One line for what was done to keys.
Status trace_key_change(const store::Home& home, std::string role, std::string act,
                        std::string what, std::string detail = {});

}  // namespace understudy::console
