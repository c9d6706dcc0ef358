#include "live/gateway/small_model_answer.hpp"

#include "adapters/wire/chat_view.hpp"
#include "adapters/wire/translate.hpp"
#include "base/limits.hpp"

namespace understudy::live {

Result<wire::ChatRequest> SmallModelAnswer::read() const {
  const json::value request = TRY(json::parse(body_));
  if (api_ == wire::Api::chat_completions) return wire::parse_chat_request(request);
  return wire::parse_chat_request(TRY(wire::to_chat_request(api_, request)));
}

net::Async<bool> SmallModelAnswer::ask(Call& call) {
  if (api_ != wire::Api::chat_completions && api_ != wire::Api::messages) co_return false;
  const auto request =
      body_.size() <= limits::inline_parse_bytes_max
          ? read()
          : co_await net::on_pool<Result<wire::ChatRequest>>(pool_, [this] { return read(); });
  if (!request) co_return false;  // the upstream may know better what it means
  const auto match = router_.match(*request);
  if (!match) co_return false;
  if (!request->beyond_slm.empty()) {
    call.route.task = match->task->task.value;
    call.route.reason = "slm_unsupported";
    co_return false;
  }
  const SlmAnswer answer = co_await net::on_pool<SlmAnswer>(
      pool_, [this, match, tools = request->tool_names] { return router_.answer(*match, tools); });
  call.route = answer.decision;
  if (answer.decision.server != Server::slm) co_return false;
  co_return render(answer, *match->task, *request, call);
}

bool SmallModelAnswer::render(const SlmAnswer& answer, const TaskPolicy& task,
                              const wire::ChatRequest& request, Call& call) {
  const lm::Prediction& prediction = answer.prediction;
  call.served_model = std::string(to_string(task.kind)) + "-" + task.artifact.value.substr(0, 8);
  call.usage = {.prompt_tokens = prediction.prompt_tokens,
                .completion_tokens = prediction.completion_tokens};
  const wire::CompletionMeta meta{.id = "chatcmpl-" + call.id.value,
                                  .model = call.served_model,
                                  .created_s = call.started_at.value / 1'000'000,
                                  .usage = call.usage,
                                  .include_usage = request.include_usage};
  std::string whole = json::to_text(wire::to_chat_completion(prediction.answer, meta));
  stream_ = request.stream;
  if (stream_) rendered_ = wire::to_chat_stream(prediction.answer, meta);
  if (api_ == wire::Api::messages) {
    auto translated = wire::translate_response(wire::Api::chat_completions, api_, whole, {});
    if (!translated) {
      call.route = {.task = task.task.value, .artifact = {}, .reason = "slm_unsupported"};
      return false;
    }
    whole = std::move(*translated);
    if (stream_) {
      const auto translator = wire::StreamTranslator::make(wire::Api::chat_completions, api_, {});
      auto events = translator->feed(rendered_);
      if (!events) {
        call.route = {.task = task.task.value, .artifact = {}, .reason = "slm_unsupported"};
        return false;
      }
      rendered_ = std::move(*events) + translator->finish();
    }
  }
  call.finish_reason = prediction.answer.tool_calls.empty() ? "stop" : "tool_calls";
  if (!stream_) rendered_ = whole;
  call.response = SecretText(std::move(whole));
  return true;
}

}  // namespace understudy::live
