#include "adapters/wire/chat_stream.hpp"

#include <algorithm>

#include "adapters/wire/usage.hpp"
#include "base/limits.hpp"

namespace understudy::wire {

namespace {

std::int64_t index_of(JsonCursor choice) {
  std::int64_t index = 0;
  choice.each_member([&](std::string_view key) {
    if (key == "index") index = choice.integer().value_or(0);
  });
  return index;
}

}  // namespace

void ChatStream::take_event(const SseEvent& event, JsonCursor& cursor) {
  if (done()) return;  // clients have stopped reading
  bool has_choices = false;
  bool is_error = false;
  std::size_t choices = 0;
  bool has_usage = false;
  cursor.each_member([&](std::string_view key) {
    if (key == "choices") {
      has_choices = cursor.each_element([&] {
        ++choices;
        take_choice(cursor);
      });
    } else if (key == "usage") {
      JsonCursor raw = cursor;
      if (const auto counts = read_usage(cursor)) {
        usage_text_ = raw.skip();
        usage_ = counts->total();
        has_usage = true;
      }
    } else if (key == "id") {
      if (const auto id = cursor.string()) set_text(id_, *id);
    } else if (key == "model") {
      if (const auto model = cursor.string()) set_text(model_, *model);
    } else if (key == "created") {
      set_raw(created_, cursor.skip());
    } else if (key == "object") {
      is_error |= cursor.string() == "error";
    } else if (key == "error") {
      is_error |= !cursor.null();
    } else if (key != "obfuscation" && cursor.peek() != 'n') {
      set_member(members_, key, cursor.skip());
    }
  });
  if (is_error) set_error(event);
  is_usage_event_ = has_usage && has_choices && choices == 0;
}

ChatStream::Choice* ChatStream::choice_at(std::int64_t index) {
  const auto found = std::ranges::find(choices_, index, &Choice::index);
  if (found != choices_.end()) return &*found;
  if (choices_.size() == limits::stream_parts_max) return nullptr;
  Choice& choice = choices_.emplace_back();
  choice.index = index;
  return &choice;
}

void ChatStream::take_choice(JsonCursor& cursor) {
  Choice* choice = nullptr;
  JsonCursor ahead = cursor;
  cursor.each_member([&](std::string_view key) {
    if (key == "index") {
      choice = choice_at(cursor.integer().value_or(0));
      return;
    }
    if (choice == nullptr) choice = choice_at(index_of(ahead));  // it stands behind, or nowhere
    if (choice != nullptr) take_choice_member(*choice, key, cursor);
  });
}

void ChatStream::take_choice_member(Choice& choice, std::string_view key, JsonCursor& cursor) {
  if (key == "delta") {
    take_delta(choice, cursor);
  } else if (key == "text") {
    if (const auto text = cursor.string()) {
      take_text(choice.content, *text);
      choice.has_content = true;
    }
  } else if (key == "finish_reason") {
    if (const auto reason = cursor.string()) choice.finish_reason = *reason;
  } else if (key == "logprobs") {
    take_logprobs(choice, cursor);
  }
}

void ChatStream::take_text(std::string& into, std::string_view piece) {
  if (piece.empty()) return;
  has_content_ = true;
  keep(into, piece);
}

void ChatStream::take_delta(Choice& choice, JsonCursor& cursor) {
  cursor.each_member([&](std::string_view key) {
    if (key == "content") {
      if (const auto text = cursor.string()) {
        take_text(choice.content, *text);
        choice.has_content = true;
      }
    } else if (key == "tool_calls") {
      cursor.each_element([&] { take_tool(choice, cursor); });
    } else if (key == "function_call" && cursor.peek() == '{') {
      if (choice.function_call.empty()) choice.function_call.emplace_back();
      take_function(choice.function_call.front(), cursor);
    } else if (key != "role") {
      take_other(choice, key, cursor);
    }
  });
}

// Strings and lists of a delta come in pieces; of other values the last one counts.
void ChatStream::take_other(Choice& choice, std::string_view key, JsonCursor& cursor) {
  if (const auto piece = cursor.string()) {
    if (std::string* text = member(choice.texts, key)) take_text(*text, *piece);
  } else if (cursor.peek() == '[') {
    take_list(choice.lists, key, cursor);
  } else if (cursor.peek() != 'n') {
    set_member(choice.values, key, cursor.skip());
  }
}

void ChatStream::take_list(RawMembers& lists, std::string_view key, JsonCursor& cursor) {
  std::string* list = member(lists, key);
  if (list == nullptr) return;
  cursor.each_element([&] {
    if (!list->empty()) *list += ',';
    keep(*list, cursor.skip());
  });
}

// {"content": [...], "refusal": [...]}: each event has the next elements of the lists.
void ChatStream::take_logprobs(Choice& choice, JsonCursor& cursor) {
  cursor.each_member([&](std::string_view key) {
    if (cursor.peek() == '[') take_list(choice.logprobs, key, cursor);
  });
}

void ChatStream::take_tool(Choice& choice, JsonCursor& cursor) {
  std::optional<std::int64_t> index;
  std::string_view id;
  JsonCursor ahead = cursor;
  ahead.each_member([&](std::string_view key) {
    if (key == "index") index = ahead.integer();
    if (key == "id") id = ahead.string().value_or("");
  });
  std::vector<Tool>& tools = choice.tools;
  // Some servers leave the index out: then an id that is new begins a call.
  auto found = tools.end();
  if (index) {
    found = std::ranges::find(tools, *index, &Tool::index);
  } else if (!id.empty()) {
    found = std::ranges::find(tools, id, &Tool::id);
  } else if (!tools.empty()) {
    found = std::prev(tools.end());
  }
  if (found == tools.end()) {
    if (tools.size() == limits::stream_parts_max) return;
    found = tools.emplace(tools.end());
    found->index = index.value_or(static_cast<std::int64_t>(tools.size()) - 1);
  }
  Tool& tool = *found;
  has_content_ = true;
  cursor.each_member([&](std::string_view key) {
    if (key == "id") {
      if (const auto text = cursor.string(); text && tool.id.empty()) tool.id = *text;
    } else if (key == "type") {
      if (const auto text = cursor.string(); text && tool.type.empty()) tool.type = *text;
    } else if (key == "function" || key == "custom") {
      take_function(tool, cursor);
    }
  });
}

void ChatStream::take_function(Tool& tool, JsonCursor& cursor) {
  cursor.each_member([&](std::string_view key) {
    if (key == "name") {
      if (const auto text = cursor.string(); text && tool.name.empty()) tool.name = *text;
    } else if (key == "arguments" || key == "input") {
      if (const auto text = cursor.string()) take_text(tool.arguments, *text);
    }
  });
}

bool ChatStream::finished() const {
  return !choices_.empty() && std::ranges::all_of(choices_, [](const Choice& choice) {
    return !choice.finish_reason.empty();
  });
}

std::string ChatStream::finish_reason() const {
  return choices_.empty() ? std::string{} : unescape(choices_.front().finish_reason);
}

void ChatStream::write_message(const Choice& choice, JsonWriter& writer) const {
  writer.quoted("role", "assistant");
  if (!choice.content.empty() ||
      (choice.has_content && choice.tools.empty() && choice.function_call.empty())) {
    writer.quoted("content", choice.content);
  } else {
    writer.raw("content", "null");
  }
  for (const auto& [key, text] : choice.texts) {
    if (!text.empty()) writer.quoted(key, text);
  }
  for (const auto& [key, list] : choice.lists) writer.raw(key, "[" + list + "]");
  for (const auto& [key, value] : choice.values) writer.raw(key, value);
  const auto write_function = [&writer](const Tool& tool, std::string_view arguments_key) {
    writer.open('{');
    writer.quoted("name", tool.name);
    writer.quoted(arguments_key, tool.arguments);
    writer.close('}');
  };
  if (!choice.tools.empty()) {
    writer.key("tool_calls");
    writer.open('[');
    for (const Tool& tool : choice.tools) {
      const bool is_custom = tool.type == "custom";
      writer.open('{');
      writer.quoted("id", tool.id);
      writer.quoted("type", tool.type.empty() ? "function" : tool.type);
      writer.key(is_custom ? "custom" : "function");
      write_function(tool, is_custom ? "input" : "arguments");
      writer.close('}');
    }
    writer.close(']');
  }
  if (!choice.function_call.empty()) {
    writer.key("function_call");
    write_function(choice.function_call.front(), "arguments");
  }
}

void ChatStream::write_choice(const Choice& choice, JsonWriter& writer) const {
  writer.open('{');
  writer.raw("index", std::to_string(choice.index));
  if (api_ == Api::completions) {
    writer.quoted("text", choice.content);
  } else {
    writer.key("message");
    writer.open('{');
    write_message(choice, writer);
    writer.close('}');
  }
  if (!choice.logprobs.empty()) {
    writer.key("logprobs");
    writer.open('{');
    for (const auto& [key, list] : choice.logprobs) writer.raw(key, "[" + list + "]");
    writer.close('}');
  }
  if (choice.finish_reason.empty()) {
    writer.raw("finish_reason", "null");
  } else {
    writer.quoted("finish_reason", choice.finish_reason);
  }
  writer.close('}');
}

std::string ChatStream::response_text() const {
  if (id_.empty() && choices_.empty() && usage_text_.empty()) return {};
  JsonWriter writer;
  writer.open('{');
  writer.text("id", id_);
  writer.quoted("object", api_ == Api::completions ? "text_completion" : "chat.completion");
  writer.raw("created", created_.empty() ? "0" : created_);
  writer.text("model", model_);
  for (const auto& [key, value] : members_) writer.raw(key, value);
  writer.key("choices");
  writer.open('[');
  std::vector<const Choice*> in_order;
  for (const Choice& choice : choices_) in_order.push_back(&choice);
  std::ranges::sort(in_order, {}, &Choice::index);
  for (const Choice* choice : in_order) write_choice(*choice, writer);
  writer.close(']');
  if (!usage_text_.empty()) writer.raw("usage", usage_text_);
  writer.close('}');
  return writer.take();
}

json::value ChatStream::completion() const {
  if (auto tree = json::parse(response_text())) return std::move(*tree);
  return json::object{{"choices", json::array{}}};
}

}  // namespace understudy::wire
