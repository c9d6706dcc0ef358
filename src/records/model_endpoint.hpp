// A server of somebody else's that answers for a task's adapter: vLLM, SGLang, Dynamo, llama-server
// or another with OpenAI's chat completions. Named when the model is measured, and in force as long
// as that proof is. Plain data.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/result.hpp"

namespace understudy {

// How the server is told what an answer must be like.
enum class ConstraintForm {
  // OpenAI's: "response_format": {"type": "json_schema", ...}. Holds JSON answers; tool calls are
  // checked behind it. llama-server, SGLang, Dynamo, vLLM.
  response_format,
  // vLLM's: "structured_outputs": {"json": schema} or {"grammar": ...}, which holds tool calls,
  // too.
  structured_outputs,
  none,
};
std::string_view to_string(ConstraintForm form);
Result<ConstraintForm> parse_constraint_form(std::string_view text);

struct ModelEndpoint {
  std::string url;    // "http://10.0.0.7:8000/v1": what /chat/completions is put behind
  std::string model;  // as the server names the adapter
  ConstraintForm form = ConstraintForm::response_format;

  bool operator==(const ModelEndpoint&) const = default;
};

// invalid_input: no http or https URL, or no name.
Status check(const ModelEndpoint& endpoint);
json::value to_json(const ModelEndpoint& endpoint);
// Of a record's member "endpoint"; nothing where there is none: we serve the model ourselves.
Result<std::optional<ModelEndpoint>> endpoint_of(const json::value& record);

}  // namespace understudy
