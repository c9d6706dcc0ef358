// Keyed pseudonyms: the same input under the same project key always gives the same name, and
// without the key nobody can go back or try candidates. Used for origins (tenant, user, key,
// address) and for sessions that no header names. Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/secret.hpp"

namespace understudy::s1 {

class Pseudonyms {
 public:
  explicit Pseudonyms(SecretText key) : key_(std::move(key)) {}  // 16 to 64 random bytes

  // 16 hex digits, other ones for each kind ("tenant", "user"); an empty value stays empty.
  [[nodiscard]] std::string of(std::string_view kind, std::string_view value) const;
  // Agents send the whole conversation with each call: calls with the same system prompt and the
  // same first message after it are taken for one session.
  [[nodiscard]] SessionId session_of(const json::value& request) const;

 private:
  SecretText key_;
};

}  // namespace understudy::s1
