#include "steps/s1_capture/pseudonyms.hpp"

#include "adapters/crypto/keys.hpp"

namespace understudy::s1 {

namespace {

constexpr std::size_t pseudonym_bytes = 8;  // 64 bits: a collision needs billions of origins

}  // namespace

std::string Pseudonyms::of(std::string_view kind, std::string_view value) const {
  if (value.empty()) return {};
  std::string message(kind);
  message += '\0';  // "user" + "x" is not "use" + "rx"
  message += value;
  return crypto::hmac_hex(key_, message).substr(0, 2 * pseudonym_bytes);
}

SessionId Pseudonyms::session_of(const json::value& request) const {
  std::string opening;
  if (const json::array* messages = json::find_array(request, "messages")) {
    for (const json::value& message : *messages) {
      const std::string role = json::string_or(message, "role");
      const json::value* content = json::find(message, "content");
      opening += role + '\0' + (content != nullptr ? json::to_text(*content) : "") + '\0';
      if (role != "system" && role != "developer") break;
    }
  }
  if (opening.empty()) opening = json::to_text(request);
  return {"s-" + of("session", opening)};
}

}  // namespace understudy::s1
