#include "live/gateway/small_model_answer.hpp"

#include "adapters/wire/chat_view.hpp"
#include "adapters/wire/translate.hpp"
#include "base/clock.hpp"
#include "base/limits.hpp"

namespace understudy::live {

Result<wire::ChatRequest> SmallModelAnswer::read() const {
  const json::value request = TRY(json::parse(body_));
  if (api_ == wire::Api::chat_completions) return wire::parse_chat_request(request);
  return wire::parse_chat_request(TRY(wire::to_chat_request(api_, request)));
}

quality::AnswerShape SmallModelAnswer::shape() const {
  if (!match_->shaped) return {};
  const auto request = json::parse(body_);
  return request ? quality::answer_shape(*request) : quality::AnswerShape{};
}

net::Async<bool> SmallModelAnswer::ask(Call& call) {
  if (api_ != wire::Api::chat_completions && api_ != wire::Api::messages) co_return false;
  const auto request =
      body_.size() <= limits::inline_parse_bytes_max
          ? read()
          : co_await net::on_pool<Result<wire::ChatRequest>>(pool_, [this] { return read(); });
  if (!request) co_return false;  // the upstream may know better what it means
  const Stopwatch watch;
  match_ =
      router_.match(*request, {.call = call.id, .session = call.session, .parent = call.parent});
  decision_ns_ = watch.elapsed_ns();
  if (!match_) co_return false;
  const TaskPolicy& task = match_->task->policy;
  if (!request->beyond_slm.empty()) {
    match_->course = Course::llm;
    match_->reason = "slm_unsupported";
  }
  if (match_->course != Course::ask) {
    call.route = {.task = task.task.value,
                  .artifact = task.artifact.value,
                  .reason = std::string(match_->reason)};
    co_return false;
  }
  const SlmAnswer answer =
      co_await net::on_pool<SlmAnswer>(pool_, [this] { return router_.answer(*match_, shape()); });
  call.route = answer.decision;
  if (answer.decision.server != Server::slm || !render(answer, *request, call)) co_return false;
  answer_ = answer.prediction.answer;
  if (!answer_.tool_calls.empty()) router_.opened_tool_loop(call.id);
  co_return true;
}

bool SmallModelAnswer::render(const SlmAnswer& answer, const wire::ChatRequest& request,
                              Call& call) {
  const TaskPolicy& task = match_->task->policy;
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
