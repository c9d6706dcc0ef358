#include "adapters/wire/response_facts.hpp"

#include <array>
#include <utility>

#include "adapters/wire/json_cursor.hpp"
#include "adapters/wire/json_parts.hpp"
#include "adapters/wire/usage.hpp"

namespace understudy::wire {

namespace {

class FactsReader {
 public:
  FactsReader(Api api, JsonCursor cursor) : api_(api), cursor_(cursor) {}

  ResponseFacts read(std::string_view body) {
    cursor_.each_member([this](std::string_view key) { take_member(key); });
    facts_.is_json = cursor_.at_end();
    if (api_ == Api::responses) facts_.finish_reason = finish_reason();
    if (!has_error_) return std::move(facts_);
    if (const auto error = read_error(body)) {
      facts_.error = error->label();
      facts_.error_kind = error->kind;
    }
    return std::move(facts_);
  }

 private:
  void take_member(std::string_view key) {
    if (key == "id") {
      take_text(facts_.id);
    } else if (key == "model") {
      take_text(facts_.served_model);
    } else if (key == "usage") {
      if (const auto counts = read_usage(cursor_)) facts_.usage = counts->total();
    } else if (key == "error") {
      has_error_ |= !cursor_.null();
    } else if (key == "object" || key == "type") {
      has_error_ |= cursor_.string() == "error";
    } else {
      take_end(key);
    }
  }

  void take_text(std::string& into) {
    if (const auto text = cursor_.string()) set_text(into, *text);
  }

  // Why the answer ended.
  void take_end(std::string_view key) {
    if (key == "choices") {
      bool is_first = true;
      cursor_.each_element([&] {
        if (!std::exchange(is_first, false)) return;
        cursor_.each_member([this](std::string_view name) {
          if (name == "finish_reason") take_text(facts_.finish_reason);
          if (name == "message") facts_.mark.take_message(cursor_);
        });
      });
    } else if (key == "content") {  // messages API
      facts_.mark.take_content(cursor_);
    } else if (key == "stop_reason") {
      if (const auto reason = cursor_.string())
        facts_.finish_reason = std::string(finish_reason_of(unescape(*reason)));
    } else if (key == "status") {
      take_text(status_);
    } else if (key == "incomplete_details") {
      cursor_.each_member([this](std::string_view name) {
        if (name == "reason") take_text(incomplete_reason_);
      });
    } else if (key == "output") {
      cursor_.each_element([this] {
        JsonCursor again = cursor_;
        facts_.mark.take_item(again);
        cursor_.each_member([this](std::string_view name) {
          if (name != "type") return;
          const auto type = cursor_.string();
          has_calls_ |= type == "function_call" || type == "custom_tool_call";
        });
      });
    }
  }

  [[nodiscard]] std::string finish_reason() const {
    if (status_ == "incomplete")
      return incomplete_reason_ == "max_output_tokens" ? "length" : incomplete_reason_;
    if (status_ != "completed") return {};
    return has_calls_ ? "tool_calls" : "stop";
  }

  Api api_;
  JsonCursor cursor_;
  ResponseFacts facts_;
  bool has_error_ = false;
  bool has_calls_ = false;
  std::string status_;
  std::string incomplete_reason_;
};

constexpr std::array stop_reasons = {
    std::pair<std::string_view, std::string_view>{"end_turn", "stop"},
    std::pair<std::string_view, std::string_view>{"stop_sequence", "stop"},
    // A server tool's turn goes on with the next request: nothing was cut, nothing is called.
    std::pair<std::string_view, std::string_view>{"pause_turn", "stop"},
    std::pair<std::string_view, std::string_view>{"max_tokens", "length"},
    std::pair<std::string_view, std::string_view>{"model_context_window_exceeded", "length"},
    std::pair<std::string_view, std::string_view>{"tool_use", "tool_calls"},
    std::pair<std::string_view, std::string_view>{"refusal", "content_filter"},
};

}  // namespace

ResponseFacts read_response(Api api, std::string_view body) {
  const JsonText text(body);
  return FactsReader(api, text.cursor()).read(body);
}

std::string_view finish_reason_of(std::string_view stop_reason) {
  for (const auto& [anthropic, openai] : stop_reasons) {
    if (anthropic == stop_reason) return openai;
  }
  return stop_reason;
}

}  // namespace understudy::wire
