// Any bytes as a request: the scan refuses them or finds ranges that lie in the body, both its
// forms agree, and its splices leave JSON that the tree parser takes.
#include <array>
#include <cstdint>
#include <string>

#include "adapters/wire/fuzz_json.hpp"
#include "adapters/wire/request_scan.hpp"

namespace {

using namespace understudy;
using namespace understudy::wire;

constexpr std::array apis = {Api::chat_completions, Api::completions, Api::responses,
                             Api::embeddings, Api::messages};

void check_ranges(const RequestScan& scan, std::string_view body) {
  std::size_t end = 0;
  for (const RequestItem& item : scan.items) {
    require(item.range.begin >= end && item.range.bytes > 0);
    end = item.range.begin + item.range.bytes;
    require(end <= body.size());
  }
  end = 0;
  for (const TextRange& range : scan.repeated) {
    require(range.begin >= end);
    end = range.begin + range.bytes;
    require(end <= body.size());
  }
}

void check(Api api, std::string body) {
  const bool is_json = json::parse(body).has_value();
  const auto scan = scan_request(api, std::string_view(body));
  const auto in_place = scan_request(api, body);
  require(scan.has_value() == in_place.has_value());
  if (!scan) {
    require(scan.error().message == in_place.error().message);
    require(!is_json || !scan.error().message.contains("not valid JSON"));
    return;
  }
  check_ranges(*scan, body);
  if (!is_json || !scan->ask_for_usage) return;
  std::string changed;
  for (const std::string_view part : spliced(body, std::array{*scan->ask_for_usage}))
    changed += part;
  require(json::parse(changed).has_value());
  const auto again = scan_request(api, changed);
  require(again && again->include_usage && !again->ask_for_usage);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Api api = apis[data[0] % apis.size()];
  check(api, std::string(reinterpret_cast<const char*>(data) + 1, size - 1));
  FuzzJson bytes(data, size);
  json::object body = bytes.object();
  body["stream"] = true;
  if (api != Api::completions) body["messages"] = bytes.value();
  check(api, json::to_text(body));
  return 0;
}
