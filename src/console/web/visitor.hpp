// Who asks the console, and which roles they have. Roles limit what an answer may show: the auditor
// sees metadata and the audit trail, the curator metadata and content, the admin keys, tokens and
// policies. Plain values.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "records/access.hpp"

namespace understudy::console {

class RoleSet {
 public:
  constexpr RoleSet() = default;
  constexpr RoleSet(std::initializer_list<AccessRole> roles) {
    for (const AccessRole role : roles) bits_ = static_cast<std::uint8_t>(bits_ | bit(role));
  }
  [[nodiscard]] constexpr bool has(AccessRole role) const { return (bits_ & bit(role)) != 0; }
  [[nodiscard]] constexpr bool shares_one_with(RoleSet other) const {
    return (bits_ & other.bits_) != 0;
  }
  [[nodiscard]] std::vector<std::string_view> names() const {
    std::vector<std::string_view> out;
    for (const AccessRole role : {AccessRole::curator, AccessRole::auditor, AccessRole::admin})
      if (has(role)) out.push_back(to_string(role));
    return out;
  }

 private:
  static constexpr std::uint8_t bit(AccessRole role) {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(role));
  }
  std::uint8_t bits_ = 0;
};

inline constexpr RoleSet any_role = {AccessRole::curator, AccessRole::auditor, AccessRole::admin};

struct Visitor {
  std::string name;  // of the token
  RoleSet roles;
};

}  // namespace understudy::console
