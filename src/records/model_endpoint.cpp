#include "records/model_endpoint.hpp"

#include <algorithm>
#include <cstddef>

#include "base/http_url.hpp"

namespace understudy {

namespace {

constexpr std::size_t text_bytes_max = 2048;

bool is_plain(std::string_view text) {
  return !text.empty() && text.size() <= text_bytes_max &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c != '\x7f'; });
}

}  // namespace

std::string_view to_string(ConstraintForm form) {
  switch (form) {
    case ConstraintForm::response_format: return "response_format";
    case ConstraintForm::structured_outputs: return "structured_outputs";
    case ConstraintForm::none: return "none";
  }
  return "none";
}

Result<ConstraintForm> parse_constraint_form(std::string_view text) {
  for (const auto form : {ConstraintForm::response_format, ConstraintForm::structured_outputs,
                          ConstraintForm::none}) {
    if (text == to_string(form)) return form;
  }
  return fail(ErrorCode::invalid_input, "no such form of a constraint: " + std::string(text),
              "there are response_format, structured_outputs and none");
}

Status check(const ModelEndpoint& endpoint) {
  if (is_http_url(endpoint.url) && is_plain(endpoint.url) && is_plain(endpoint.model)) return {};
  return fail(ErrorCode::invalid_input,
              "a model's endpoint needs an http or https URL and the name of the model there",
              "for example --endpoint http://127.0.0.1:8000/v1 --endpoint-model my-adapter");
}

json::value to_json(const ModelEndpoint& endpoint) {
  return json::object{
      {"url", endpoint.url}, {"model", endpoint.model}, {"form", to_string(endpoint.form)}};
}

Result<std::optional<ModelEndpoint>> endpoint_of(const json::value& record) {
  const json::value* stored = json::find(record, "endpoint");
  if (stored == nullptr) return std::nullopt;
  ModelEndpoint endpoint{.url = json::string_or(*stored, "url"),
                         .model = json::string_or(*stored, "model"),
                         .form = TRY(parse_constraint_form(json::string_or(*stored, "form")))};
  if (!check(endpoint)) return fail(ErrorCode::corrupt, "an endpoint without a URL or a model");
  return endpoint;
}

}  // namespace understudy
