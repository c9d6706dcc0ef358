#include "adapters/wire/request_scan.hpp"

#include <algorithm>

#include "adapters/wire/json_cursor.hpp"
#include "base/json.hpp"
#include "base/limits.hpp"

namespace understudy::wire {

namespace {

// Where the conversation of an API stands, and which other keys matter.
std::string_view items_key(Api api) {
  switch (api) {
    case Api::chat_completions:
    case Api::messages: return "messages";
    case Api::completions: return "prompt";
    case Api::responses:
    case Api::embeddings: return "input";
  }
  return {};
}

bool equal_without_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return (x | 0x20) == (y | 0x20); });
}

ItemKind kind_of_role(std::string_view role) {
  if (role == "user") return ItemKind::user;
  if (role == "assistant") return ItemKind::assistant;
  if (role == "tool" || role == "function") return ItemKind::tool_result;
  if (role == "system" || role == "developer") return ItemKind::system;
  return ItemKind::other;
}

ItemKind kind_of_type(std::string_view type) {
  if (type.ends_with("_call_output") || type == "mcp_approval_response")
    return ItemKind::tool_result;
  if (type.ends_with("_call") || type == "mcp_approval_request") return ItemKind::tool_call;
  return ItemKind::other;
}

class Scanner {
 public:
  Scanner(Api api, JsonCursor cursor) : api_(api), cursor_(cursor) {}

  Result<RequestScan> scan() {
    if (cursor_.peek() != '{') return refuse("the body is no JSON object");
    after_brace_ = cursor_.offset() + 1;
    cursor_.each_member([this](std::string_view key) {
      if (key.find('\\') == std::string_view::npos) {
        take_member(key);
      } else {
        take_member(unescape(key));
      }
    });
    if (!problem_.empty()) return refuse(problem_);
    if (cursor_.failed() || !cursor_.at_end()) return refuse("the body is not valid JSON");
    return finish();
  }

 private:
  static std::unexpected<Error> refuse(std::string message) {
    return fail(ErrorCode::invalid_input, std::move(message));
  }

  void reject(std::string message) {
    if (problem_.empty()) problem_ = std::move(message);
    cursor_.fail();
  }

  // A key of which two would let a peer see another request than we do.
  bool first(std::uint32_t& seen, std::string_view key) {
    if (seen++ == 0) return true;
    reject("the key \"" + std::string(key) + "\" appears twice, at byte " +
           std::to_string(cursor_.offset()));
    return false;
  }

  TextRange skip_range() {
    const std::size_t begin = cursor_.offset();
    return {.begin = begin, .bytes = cursor_.skip().size()};
  }

  void take_member(std::string_view key) {
    if (equal_without_case(key, "model")) {
      if (!first(models_, key)) return;
      take_model(key);
    } else if (key == items_key(api_)) {
      if (first(item_lists_, key)) take_items(key);
    } else if (key == "stream") {
      if (first(streams_, key)) found_.stream = cursor_.boolean().value_or(false);
    } else if (key == "stream_options") {
      if (first(options_, key)) take_stream_options();
    } else if (key == "tools" || key == "functions") {
      const TextRange range = skip_range();
      if (range.bytes > found_.tools.bytes) found_.tools = range;
    } else if (key == "user" || key == "safety_identifier") {
      if (const auto user = cursor_.string(); user && found_.user.empty())
        found_.user = unescape(*user);
    } else {
      take_member_of_api(key);
    }
  }

  void take_member_of_api(std::string_view key) {
    if (api_ == Api::messages) {
      if (key == "system") found_.system = skip_range();
      if (key == "metadata") {
        cursor_.each_member([this](std::string_view name) {
          if (name != "user_id") return;
          if (const auto user = cursor_.string()) found_.user = unescape(*user);
        });
      }
    } else if (api_ == Api::responses) {
      if (key == "instructions") found_.system = skip_range();
      if (key == "prompt") has_stored_prompt_ = cursor_.peek() == '{';
      if (key == "previous_response_id") {
        if (const auto id = cursor_.string()) found_.previous_response = unescape(*id);
      }
      if (key == "conversation") take_conversation();
    }
  }

  void take_conversation() {
    if (const auto id = cursor_.string()) {
      found_.conversation = unescape(*id);
      return;
    }
    cursor_.each_member([this](std::string_view key) {
      if (key != "id") return;
      if (const auto id = cursor_.string()) found_.conversation = unescape(*id);
    });
  }

  void take_model(std::string_view key) {
    if (key != "model") {
      reject("the key \"" + std::string(key) + "\" must be written \"model\"");
      return;
    }
    const std::size_t begin = cursor_.offset();
    const auto model = cursor_.string();
    if (!model) {
      reject("\"model\" is no string, at byte " + std::to_string(begin));
      return;
    }
    found_.model_value = {.begin = begin, .bytes = model->size() + 2};
    found_.model = unescape(*model);
  }

  void take_stream_options() {
    if (cursor_.peek() == 'n') {
      const TextRange range = skip_range();
      options_splice_ = {range.begin, range.bytes, R"({"include_usage":true})"};
      return;
    }
    if (cursor_.peek() != '{') return;
    Splice change{cursor_.offset() + 1, 0, R"("include_usage":true)"};
    bool is_empty = true;
    cursor_.each_member([&](std::string_view key) {
      is_empty = false;
      if (key != "include_usage") return;
      const std::size_t begin = cursor_.offset();
      if (const auto value = cursor_.boolean()) {
        found_.include_usage = *value;
        change = {begin, *value ? 4U : 5U, "true"};
      } else {
        change = {begin, cursor_.skip().size(), "true"};
      }
    });
    if (change.bytes == 0 && !is_empty) change.text = R"("include_usage":true,)";
    options_splice_ = change;
  }

  void take_items(std::string_view key) {
    has_items_ = true;
    const bool is_list = api_ != Api::completions && api_ != Api::embeddings;
    if (is_list && cursor_.peek() == '[') {
      cursor_.each_element([this, key] { take_item(key); });
      return;
    }
    if (cursor_.null()) {
      has_items_ = false;
      return;
    }
    if (api_ == Api::chat_completions || api_ == Api::messages ||
        (is_list && cursor_.peek() != '"')) {
      reject("\"" + std::string(key) + "\" is no list, at byte " +
             std::to_string(cursor_.offset()));
      return;
    }
    found_.items.push_back({.range = skip_range(), .kind = ItemKind::user});
  }

  void take_item(std::string_view key) {
    RequestItem item{.range = {.begin = cursor_.offset()}};
    if (cursor_.peek() != '{') {
      reject("\"" + std::string(key) + "\"[" + std::to_string(found_.items.size()) +
             "] is no JSON object, at byte " + std::to_string(item.range.begin));
      return;
    }
    if (found_.items.size() == limits::request_items_max) {
      reject("\"" + std::string(key) + "\" has more than " +
             std::to_string(limits::request_items_max) + " elements");
      return;
    }
    bool has_role = false;
    bool begins_with_result = false;
    cursor_.each_member([&](std::string_view name) {
      if (name == "role") {
        if (const auto role = cursor_.string()) {
          item.kind = kind_of_role(*role);
          has_role = true;
        }
      } else if (name == "type" && !has_role) {
        if (const auto type = cursor_.string()) item.kind = kind_of_type(*type);
      } else if (name == "content" && api_ == Api::messages) {
        begins_with_result = take_blocks();
      }
    });
    if (begins_with_result && item.kind == ItemKind::user) item.kind = ItemKind::tool_result;
    item.range.bytes = cursor_.failed() ? 0 : cursor_.consumed() - item.range.begin;
    found_.items.push_back(item);
  }

  // Anthropic: does the content begin with a tool's result?
  bool take_blocks() {
    bool found = false;
    bool is_first = true;
    cursor_.each_element([&] {
      if (!is_first) return;
      is_first = false;
      cursor_.each_member([&](std::string_view name) {
        if (name != "type") return;
        if (const auto type = cursor_.string()) found = *type == "tool_result";
      });
    });
    return found;
  }

  Result<RequestScan> finish() {
    const bool goes_on = !found_.previous_response.empty() || !found_.conversation.empty();
    if (!has_items_ && !(api_ == Api::responses && (has_stored_prompt_ || goes_on))) {
      return fail(ErrorCode::invalid_input,
                  "the request has no \"" + std::string(items_key(api_)) + "\"",
                  "send {\"model\": ..., \"" + std::string(items_key(api_)) + "\": ...}");
    }
    const bool needs_message = api_ == Api::chat_completions || api_ == Api::messages;
    if (needs_message && found_.items.empty()) return refuse("\"messages\" is empty");
    if (found_.stream && !found_.include_usage &&
        (api_ == Api::chat_completions || api_ == Api::completions)) {
      found_.ask_for_usage =
          options_ > 0 ? options_splice_
                       : Splice{after_brace_, 0, R"("stream_options":{"include_usage":true},)"};
    }
    collect_repeated();
    return std::move(found_);
  }

  void collect_repeated() {
    std::vector<TextRange>& repeated = found_.repeated;
    repeated.reserve(found_.items.size() + 2);
    const auto take = [&repeated](TextRange range) {
      if (range.bytes >= limits::repeated_part_bytes_min) repeated.push_back(range);
    };
    for (const RequestItem& item : found_.items) take(item.range);
    take(found_.system);
    take(found_.tools);
    // The items are in order already: at most two ranges move.
    const auto by_place = [](TextRange a, TextRange b) { return a.begin < b.begin; };
    if (!std::ranges::is_sorted(repeated, by_place)) std::ranges::sort(repeated, by_place);
  }

  Api api_;
  JsonCursor cursor_;
  RequestScan found_;
  std::string problem_;
  std::size_t after_brace_ = 0;
  std::optional<Splice> options_splice_;
  std::uint32_t models_ = 0;
  std::uint32_t item_lists_ = 0;
  std::uint32_t streams_ = 0;
  std::uint32_t options_ = 0;
  bool has_items_ = false;
  bool has_stored_prompt_ = false;
};

// simdjson's first stage does not say where it stopped; the tree parser does.
Error with_place(Error error, std::string_view body) {
  if (error.message != "the body is not valid JSON" &&
      error.message != "the body is no JSON object")
    return error;
  if (body.size() > limits::inline_parse_bytes_max) return error;
  if (const auto tree = json::parse(body); !tree) error.message += ": " + tree.error().message;
  return error;
}

Result<RequestScan> scan(Api api, const JsonText& text, std::string_view body) {
  Result<RequestScan> found = Scanner(api, text.cursor()).scan();
  if (!found) return fail(with_place(std::move(found).error(), body));
  return found;
}

}  // namespace

Result<RequestScan> scan_request(Api api, std::string_view body) {
  return scan(api, JsonText(body), body);
}

Result<RequestScan> scan_request(Api api, std::string& body) {
  return scan(api, JsonText(body), body);
}

std::vector<std::string_view> spliced(std::string_view body, std::span<const Splice> changes) {
  std::vector<std::string_view> parts;
  parts.reserve(2 * changes.size() + 1);
  std::size_t at = 0;
  for (const Splice& change : changes) {
    if (change.begin > at) parts.push_back(body.substr(at, change.begin - at));
    if (!change.text.empty()) parts.push_back(change.text);
    at = change.begin + change.bytes;
  }
  if (at < body.size()) parts.push_back(body.substr(at));
  return parts;
}

}  // namespace understudy::wire
