// Any bytes as a stream of any API: however they are cut, the reader comes to the same end, and
// what it puts together is JSON.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "adapters/wire/errors.hpp"
#include "adapters/wire/fuzz_json.hpp"
#include "adapters/wire/response_facts.hpp"
#include "adapters/wire/stream_reader.hpp"

namespace {

using namespace understudy;
using namespace understudy::wire;

constexpr std::array apis = {Api::chat_completions, Api::completions, Api::responses,
                             Api::messages};

void check(Api api, std::string_view text) {
  const auto whole = StreamReader::make(api);
  const auto bytewise = StreamReader::make(api);
  require(whole->feed(text).has_value());
  for (const char& byte : text) require(bytewise->feed({&byte, 1}).has_value());
  const std::string response = whole->response_text();
  require(response == bytewise->response_text());
  require(whole->done() == bytewise->done() && whole->complete() == bytewise->complete());
  require(whole->error() == bytewise->error() && whole->malformed() == bytewise->malformed());
  // Behind an error nothing is forwarded: the \n of its \r\n may count or not.
  const std::uint64_t most = std::max(whole->clean_bytes(), bytewise->clean_bytes());
  require(most - std::min(whole->clean_bytes(), bytewise->clean_bytes()) <= 1);
  require(whole->clean_bytes() <= text.size() && whole->pending_bytes() <= text.size());
  if (const auto span = whole->usage_event()) require(span->begin + span->bytes <= text.size());
  static_cast<void>(whole->finish_reason());
  if (!response.empty()) {
    const JsonText json(response);
    JsonCursor cursor = json.cursor(Check::all);
    cursor.skip();
    require(cursor.at_end());
    require(read_response(api, response).is_json);
  }
  // What we end a broken stream with is read as an error, and never as a clean end.
  const std::string ending =
      stream_error(api, {.status = 502, .message = "gone", .type = {}, .code = "cut"}, whole.get());
  const auto after = StreamReader::make(api);
  require(after->feed(ending).has_value() && !after->malformed() && !after->error().empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Api api = apis[data[0] % apis.size()];
  check(api, {reinterpret_cast<const char*>(data) + 1, size - 1});
  FuzzJson bytes(data + 1, size - 1);
  check(api, fuzz_stream(bytes));
  return 0;
}
