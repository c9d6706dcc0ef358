// An adapter that another server answers for, asked over OpenAI's chat completions: what it may
// answer is said in the server's own form, how sure it is it says by its logprobs. The server puts
// its chat template around the task's text; whether that is the one that the adapter was trained
// with shows in its proof. Thread-safe.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "adapters/lm/small_model.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "records/model_endpoint.hpp"

namespace understudy::lm {

// The body of the request: greedy unless the question says otherwise.
json::object endpoint_request(const ModelEndpoint& endpoint, const Question& question,
                              std::size_t answer_tokens_max);
// Of a chat completion with logprobs; corrupt when it is none, or has no logprobs. What is cut off,
// or no answer of ours, has confidence 0.
Result<Prediction> parse_endpoint_answer(std::string_view body);

struct EndpointModelOptions {
  std::filesystem::path artifact_dir;  // of an adapter: its served.json says how much it writes
  ModelEndpoint endpoint;
  std::string api_key = {};  // empty: none is sent
};
Result<std::unique_ptr<SmallModel>> open_endpoint(const EndpointModelOptions& options);

}  // namespace understudy::lm
