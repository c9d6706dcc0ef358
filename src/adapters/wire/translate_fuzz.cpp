// Any request, answer or stream between the two APIs: refused or translated, never a crash. What
// was translated is read by our own reader of the other API, goes back without a crash, and a
// stream says it is complete exactly when the upstream's was.
#include <cstdint>
#include <string>

#include "adapters/wire/chat_view.hpp"
#include "adapters/wire/fuzz_json.hpp"
#include "adapters/wire/request_scan.hpp"
#include "adapters/wire/stream_reader.hpp"
#include "adapters/wire/translate.hpp"

namespace {

using namespace understudy;
using namespace understudy::wire;

void check_request(Api from, Api to, std::string_view body) {
  const auto there = translate_request(from, to, body);
  if (!there) return;
  require(scan_request(to, std::string_view(there->body)).has_value());
  static_cast<void>(translate_request(to, from, there->body));
}

void check_response(Api from, Api to, std::string_view body, const AnswerContext& context) {
  static_cast<void>(translate_error(from, to, 500, body));
  const auto there = translate_response(from, to, body, context);
  if (there) require(translate_response(to, from, *there, context).has_value());
}

void check_stream(Api from, Api to, std::string_view text, const AnswerContext& context) {
  const auto upstream = StreamReader::make(from);
  require(upstream->feed(text).has_value());
  const auto translator = StreamTranslator::make(from, to, context);
  const auto part = translator->feed(text);
  if (!part) return;
  const std::string out = *part + translator->finish();
  const auto client = StreamReader::make(to);
  require(client->feed(out).has_value());
  require(!client->malformed() && client->pending_bytes() == 0);
  require(client->clean_bytes() == out.size());
  if (upstream->error().empty() && !upstream->response_id().empty()) {
    if (upstream->done()) require(client->complete());
    if (from == Api::messages) require(client->complete() == upstream->complete());
  }
  const auto back = StreamTranslator::make(to, from, context);
  require(back->feed(out).has_value());
}

void check_views(const json::value& tree) {
  for (const Api api :
       {Api::chat_completions, Api::completions, Api::responses, Api::embeddings, Api::messages}) {
    static_cast<void>(to_chat_request(api, tree));
    static_cast<void>(to_chat_response(api, tree));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const Api from = data[0] % 2 == 0 ? Api::chat_completions : Api::messages;
  const Api to = data[0] % 2 == 0 ? Api::messages : Api::chat_completions;
  const AnswerContext context{.include_usage = data[0] % 4 < 2, .json_tool = data[0] % 8 < 4};
  FuzzJson bytes(data + 2, size - 2);
  if (data[1] % 2 == 0) {
    check_stream(from, to, fuzz_stream(bytes), context);
    return 0;
  }
  json::object tree = bytes.object();
  json::array messages;
  while (!bytes.empty() && messages.size() < 8) {
    json::object message = bytes.object();
    if (!message.contains("role")) message["role"] = bytes.byte() % 2 == 0 ? "user" : "assistant";
    messages.push_back(std::move(message));
  }
  tree["messages"] = std::move(messages);
  check_request(from, to, json::to_text(tree));
  check_response(from, to, json::to_text(tree), context);
  check_views(tree);
  return 0;
}
