#include "adapters/wire/translate.hpp"

#include <utility>

#include "adapters/wire/chat_to_messages.hpp"
#include "adapters/wire/errors.hpp"
#include "adapters/wire/messages_to_chat.hpp"
#include "adapters/wire/parts.hpp"
#include "adapters/wire/translate_answer.hpp"
#include "adapters/wire/translate_stream.hpp"
#include "base/check.hpp"

namespace understudy::wire {

namespace {

std::unexpected<Error> no_translation(Api from, Api to) {
  return fail(ErrorCode::invalid_input, "a request of " + std::string(to_string(from)) +
                                            " cannot be answered through " +
                                            std::string(to_string(to)));
}

}  // namespace

bool can_translate(Api from, Api to) {
  return (from == Api::chat_completions && to == Api::messages) ||
         (from == Api::messages && to == Api::chat_completions);
}

Result<TranslatedRequest> translate_request(Api from, Api to, std::string_view body,
                                            const TranslateOptions& options) {
  if (!can_translate(from, to)) return no_translation(from, to);
  const json::value request = TRY(json::parse(body));
  TranslatedTree translated = TRY(from == Api::messages ? messages_to_chat(request, options)
                                                        : chat_to_messages(request, options));
  return TranslatedRequest{wire_text(translated.body), translated.answer};
}

Result<std::string> translate_response(Api from, Api to, std::string_view body,
                                       const AnswerContext& context) {
  if (!can_translate(from, to)) return no_translation(from, to);
  const json::value answer = TRY(json::parse(body));
  return wire_text(TRY(from == Api::messages ? messages_answer_to_chat(answer, context)
                                             : chat_answer_to_messages(answer)));
}

std::string translate_error(Api from, Api to, unsigned status, std::string_view body) {
  const auto error = read_error(body);
  const std::string message =
      error ? error->message
            : "the upstream (" + std::string(to_string(from)) + ") answered with an error";
  return error_body(to, {.status = status,
                         .message = message,
                         .type = error ? std::string_view(error->type) : std::string_view{},
                         .code = error ? std::string_view(error->code) : std::string_view{}});
}

std::unique_ptr<StreamTranslator> StreamTranslator::make(Api from, Api to, AnswerContext context) {
  CHECK(can_translate(from, to), "the caller has asked can_translate()");
  if (from == Api::messages) return std::make_unique<MessagesToChatStream>(context);
  return std::make_unique<ChatToMessagesStream>(context);
}

Result<std::string> EventTranslator::feed(std::string_view bytes) {
  bool is_broken = false;
  Status translated;
  TRY(parser_.feed(bytes, [&](const SseEvent& event) {
    if (ended_ || is_broken || !translated) return;
    if (event.data == "[DONE]") {
      take_done();
      return;
    }
    const auto tree = json::parse(event.data);
    if (!tree || !tree->is_object()) {
      is_broken = true;
      return;
    }
    translated = take_event(event.type, *tree);
  }));
  if (is_broken)
    return fail(ErrorCode::invalid_input, "the upstream sent an event that is no JSON object");
  if (!translated) return fail(std::move(translated).error());
  return std::exchange(out_, {});
}

}  // namespace understudy::wire
