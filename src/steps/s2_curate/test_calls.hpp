// Calls of one question and one answer, for the tests of whole curations.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/json.hpp"
#include "base/secret.hpp"
#include "records/call.hpp"

namespace understudy::s2 {

inline const SecretText key(std::string(32, 'k'));

inline std::string request_of(std::string_view user_text) {
  return json::to_text(json::object{
      {"model", "m"},
      {"messages", json::array{json::object{{"role", "user"}, {"content", user_text}}}}});
}

inline std::string response_of(std::string_view text) {
  return json::to_text(json::object{
      {"id", "chatcmpl-1"},
      {"choices",
       json::array{json::object{
           {"index", 0}, {"message", json::object{{"role", "assistant"}, {"content", text}}}}}}});
}

inline Call make_call(std::string id, std::string session, std::string_view question,
                      std::string_view answer) {
  Call call;
  call.id = {std::move(id)};
  call.session = {std::move(session)};
  call.request = SecretText(request_of(question));
  call.response = SecretText(response_of(answer));
  return call;
}

}  // namespace understudy::s2
