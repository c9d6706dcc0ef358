#include "steps/s3_cluster/call_view.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <unordered_set>

#include "adapters/text/hashing.hpp"
#include "adapters/wire/chat.hpp"
#include "base/json.hpp"
#include "steps/s3_cluster/line_mask.hpp"

namespace understudy::s3 {

namespace {

struct Message {
  std::string_view role;
  std::string_view text;
};

std::string_view role_of(std::string_view line) {
  if (!line.starts_with("<|") || !line.ends_with("|>") || line.size() < 5) return {};
  const std::string_view role = line.substr(2, line.size() - 4);
  static constexpr std::string_view roles[] = {"system",    "developer", "user",
                                               "assistant", "tool",      "function"};
  return std::ranges::contains(roles, role) ? role : std::string_view{};
}

std::vector<Message> messages_of(std::string_view prompt) {
  std::vector<Message> messages;
  for (std::size_t at = 0; at < prompt.size();) {
    const std::size_t newline = std::min(prompt.find('\n', at), prompt.size());
    const std::string_view role = role_of(prompt.substr(at, newline - at));
    const std::size_t next = std::min(newline + 1, prompt.size());
    if (!role.empty()) {
      messages.push_back({.role = role, .text = prompt.substr(next, 0)});
    } else if (!messages.empty()) {
      Message& message = messages.back();
      message.text = {message.text.data(),
                      static_cast<std::size_t>(prompt.data() + next - message.text.data())};
    }
    at = next;
  }
  return messages;
}

// The lines of one side of a prompt, each once.
struct Lines {
  std::vector<LineMark>& marks;
  std::unordered_set<std::uint64_t> seen = {};
};

void add_lines(std::string_view text, Lines& side) {
  auto& [lines, seen] = side;
  const std::size_t first = lines.size();
  std::uint64_t message = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t newline = std::min(text.find('\n', at), text.size());
    const std::string masked = mask_line(text.substr(at, newline - at));
    at = newline + 1;
    if (masked.empty()) continue;
    const std::uint64_t mask = text::hash64(masked);
    message = message * 31 + mask;
    if (!seen.insert(mask).second) continue;
    lines.push_back(
        {.mask = mask, .bytes = static_cast<std::uint32_t>(masked.size()), .message = 0});
  }
  for (std::size_t i = first; i < lines.size(); ++i) lines[i].message = message;
}

bool has_images(const json::value& request) {
  const json::array* messages = json::find_array(request, "messages");
  if (messages == nullptr) return false;
  return std::ranges::any_of(*messages, [](const json::value& message) {
    const json::array* parts = json::find_array(message, "content");
    return parts != nullptr && std::ranges::any_of(*parts, [](const json::value& part) {
             return json::string_or(part, "type").contains("image");
           });
  });
}

std::string json_shape(const json::value& tree) {
  const json::value* shown = &tree;
  std::string prefix;
  if (tree.is_array()) {
    prefix = "[]";
    if (!tree.get_array().empty()) shown = &tree.get_array().front();
  }
  std::set<std::string_view> keys;
  if (shown->is_object()) {
    for (const auto& member : shown->get_object()) keys.insert(member.key());
  }
  for (const std::string_view key : keys) prefix += std::string(key) + ",";
  return prefix;
}

}  // namespace

std::string action_of(const Answer& answer) {
  if (!answer.tool_calls.empty()) {
    std::set<std::string> names;
    for (const ToolCall& call : answer.tool_calls) names.insert(call.name);
    std::string action = "call:";
    for (const std::string& name : names) action += (action.back() == ':' ? "" : "+") + name;
    return action;
  }
  const std::string_view text = answer.text;
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return "none";
  if (text[first] == '{' || text[first] == '[') {
    if (const auto tree = json::parse(text)) return "json:" + json_shape(*tree);
  }
  constexpr std::size_t label_bytes_max = 48;
  if (text.size() <= label_bytes_max && !text.contains('\n')) return "label";
  const std::string_view line = text.substr(first, text.find('\n', first) - first);
  if (line.starts_with("```")) return "text:" + std::string(line.substr(0, 16));
  if (line.starts_with("#") || line.starts_with("[")) {
    return "text:" + mask_line(line).substr(0, 40);
  }
  return text.contains('\n') ? "text:long" : "text:line";
}

Result<CallView> view_of(const Example& example) {
  const auto context = [&](Error error) {
    return std::unexpected(error.within("call " + example.call.value));
  };
  const auto request = json::parse(example.request.reveal());
  if (!request) return context(request.error());
  const auto response = json::parse(example.response.reveal());
  if (!response) return context(response.error());
  auto parsed = wire::parse_chat_request(*request);
  if (!parsed) return context(parsed.error());
  auto answer = wire::parse_answer(*response);
  if (!answer) return context(answer.error());

  CallView view;
  view.prompt = std::move(parsed->prompt);
  view.tools = wire::tools_hash(parsed->tool_names);
  view.response_form = std::move(parsed->response_form);
  view.has_images = has_images(*request);
  view.answer = std::move(*answer);
  view.action = action_of(view.answer);
  const std::vector<Message> messages = messages_of(view.prompt);
  view.multi_turn = std::ranges::any_of(messages, [](const Message& message) {
    return message.role == "assistant" || message.role == "tool" || message.role == "function";
  });
  Lines system{.marks = view.system_lines};
  Lines user{.marks = view.user_lines};
  bool user_spoke = false;
  for (const Message& message : messages) {
    if (message.role == "system" || message.role == "developer") {
      add_lines(message.text, system);
    } else if (message.role == "user") {
      view.user_text += message.text;
      const bool last = &message == &messages.back();
      if (!user_spoke || last || !view.multi_turn) add_lines(message.text, user);
      user_spoke = true;
    }
  }
  return view;
}

}  // namespace understudy::s3
