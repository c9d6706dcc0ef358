#include "steps/s2_curate/chat_call.hpp"

#include <string>
#include <utility>

#include "adapters/wire/chat_view.hpp"

namespace understudy::s2 {

bool has_chat_form(std::string_view api) {
  const auto known = wire::parse_api(api);
  return known && wire::has_chat_view(*known);
}

Status to_chat_form(Call& call) {
  const auto api = wire::parse_api(call.api);
  if (api == wire::Api::chat_completions) return {};
  if (!api) return fail(ErrorCode::invalid_input, "no API is called " + call.api);
  const json::value request = TRY(json::parse(call.request.reveal()));
  const json::value response = TRY(json::parse(call.response.reveal()));
  std::string chat_request = json::to_text(TRY(wire::to_chat_request(*api, request)));
  call.response = SecretText(json::to_text(TRY(wire::to_chat_response(*api, response))));
  call.request = SecretText(std::move(chat_request));
  call.api = wire::to_string(wire::Api::chat_completions);
  // They point into the text that is gone.
  call.repeated.clear();
  call.tool_results.clear();
  return {};
}

}  // namespace understudy::s2
