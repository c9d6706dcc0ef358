#include "adapters/wire/messages_to_chat.hpp"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <span>
#include <utility>

#include "adapters/wire/parts.hpp"

namespace understudy::wire {

namespace {

// Fields without an equal that do not change what is answered, but for `thinking`: chat models
// decide about their reasoning by themselves, and agents that ask for it must work with them too.
constexpr std::array<std::string_view, 6> ignored_fields = {
    "thinking", "service_tier", "context_management", "betas", "anthropic_beta", "inference_geo"};
constexpr std::array<std::string_view, 4> passed_fields = {"model", "stream", "temperature",
                                                           "top_p"};
constexpr std::array<std::string_view, 9> read_fields = {
    "messages",    "system",   "max_tokens",    "stop_sequences", "tools",
    "tool_choice", "metadata", "output_config", "output_format"};

constexpr std::size_t user_bytes_max = 64;     // OpenAI refuses a longer user
constexpr std::size_t stop_sequences_max = 4;  // and more stop sequences

bool holds(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

std::string short_user(std::string_view user) {
  if (user.size() <= user_bytes_max) return std::string(user);
  const XXH128_hash_t hash = XXH3_128bits(user.data(), user.size());
  std::array<char, 33> digits{};
  std::snprintf(digits.data(), digits.size(), "%016llx%016llx",
                static_cast<unsigned long long>(hash.high64),
                static_cast<unsigned long long>(hash.low64));
  return digits.data();
}

class Translator {
 public:
  Translator(const json::value& request, const TranslateOptions& options, Untranslatable rule)
      : request_(request), options_(options), rule_(rule) {}

  Result<TranslatedTree> translate() {
    if (!request_.is_object())
      return fail(ErrorCode::invalid_input, "the request body is no JSON object");
    TRY(check_fields());
    TRY(add_system());
    const json::array* messages = json::find_array(request_, "messages");
    if (messages == nullptr || messages->empty())
      return fail(ErrorCode::invalid_input, "the request has no messages");
    for (std::size_t i = 0; i < messages->size(); ++i)
      TRY(add_message((*messages)[i], at_index("messages", i)));
    if (messages_.empty()) TRY(refuse("messages", "they hold nothing"));
    body_["messages"] = std::move(messages_);
    TRY(set_tools());
    TRY(set_format());
    return TranslatedTree{std::move(body_), {}};
  }

 private:
  // A defect of translation, or nothing where the request is only looked at.
  Status refuse(std::string_view field, std::string_view why) const {
    if (rule_ == Untranslatable::mark) return {};
    return untranslatable(field, why);
  }

  Status check_fields() {
    for (const auto& [key, value] : request_.get_object()) {
      if (key == "model" && !value.is_string()) TRY(refuse(key, "it is no string"));
      if (value.is_null() || holds(ignored_fields, key) || holds(read_fields, key)) continue;
      if (holds(passed_fields, key)) {
        body_[key] = value;
      } else if (!(value.is_array() && value.get_array().empty())) {  // mcp_servers: []
        TRY(refuse(key, "the chat API has no such field"));
      }
    }
    if (const json::value* tokens = json::find(request_, "max_tokens"))
      body_[options_.chat_max_tokens_field] = *tokens;
    if (json::find_bool(request_, "stream") == true)
      body_["stream_options"] = json::object{{"include_usage", true}};
    if (const json::array* stop = json::find_array(request_, "stop_sequences");
        stop != nullptr && !stop->empty()) {
      if (stop->size() > stop_sequences_max)
        TRY(refuse("stop_sequences", "the chat API takes four at most"));
      body_["stop"] = *stop;
    }
    if (const json::value* metadata = json::find(request_, "metadata")) {
      if (const auto user = json::find_string(*metadata, "user_id"))
        body_["user"] = short_user(*user);
    }
    return {};
  }

  // ---- messages

  Status add_system() {
    const json::value* system = json::find(request_, "system");
    if (system == nullptr) return {};
    // Chat servers differ in how they join the parts of a system prompt; one text is one for all.
    const auto text = plain_text(*system, "\n");
    if (!text) return refuse("system", "only text has an equal");
    if (!text->empty()) messages_.push_back(json::object{{"role", "system"}, {"content", *text}});
    return {};
  }

  Status add_message(const json::value& message, const std::string& place) {
    const std::string role = json::string_or(message, "role");
    const json::value* content = json::find(message, "content");
    if (role == "system") {  // some clients put it here
      const auto text = content != nullptr ? plain_text(*content, "\n") : std::nullopt;
      messages_.push_back(json::object{{"role", "system"}, {"content", text.value_or("")}});
      return {};
    }
    if (role != "user" && role != "assistant")
      return refuse(place + ".role", "the messages API knows user and assistant only");
    if (content == nullptr || content->is_string()) {
      messages_.push_back(json::object{
          {"role", role}, {"content", content != nullptr ? *content : json::value("")}});
      return {};
    }
    if (!content->is_array()) return refuse(place + ".content", "it is neither text nor a list");
    return role == "user" ? add_user(content->get_array(), place)
                          : add_assistant(content->get_array(), place);
  }

  // Results first, each a message of its own; what else the user says behind them.
  Status add_user(const json::array& blocks, const std::string& place) {
    json::array parts;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      const std::string here = at_index(place + ".content", i);
      if (json::string_or(blocks[i], "type") == "tool_result") {
        TRY(add_tool_result(blocks[i], here, parts));
      } else {
        TRY(add_part(blocks[i], here, parts));
      }
    }
    if (parts.empty()) return {};
    json::value content = std::move(parts);
    // One text alone is written as text: every server reads that.
    const json::array& all = content.get_array();
    if (all.size() == 1 && json::string_or(all[0], "type") == "text")
      content = json::value(all[0].at("text"));
    messages_.push_back(json::object{{"role", "user"}, {"content", std::move(content)}});
    return {};
  }

  // Chat tools answer in text; other parts of a result go to the front of the user's message.
  Status add_tool_result(const json::value& result, const std::string& place, json::array& parts) {
    std::string text;
    const json::value* content = json::find(result, "content");
    if (content != nullptr && content->is_string()) {
      text = content->get_string();
    } else if (content != nullptr && content->is_array()) {
      const json::array& blocks = content->get_array();
      for (std::size_t i = 0; i < blocks.size(); ++i) {
        if (const auto piece = json::find_string(blocks[i], "text")) {
          if (!text.empty()) text += '\n';
          text += *piece;
        } else {
          TRY(add_part(blocks[i], at_index(place + ".content", i), parts));
        }
      }
    }
    // A chat tool has no flag for it.
    if (json::find_bool(result, "is_error") == true) text = "Error: " + text;
    messages_.push_back(json::object{{"role", "tool"},
                                     {"tool_call_id", json::string_or(result, "tool_use_id")},
                                     {"content", text}});
    return {};
  }

  Status add_part(const json::value& block, const std::string& place, json::array& parts) {
    const std::string type = json::string_or(block, "type", "text");
    if (type == "text") {
      parts.push_back(json::object{{"type", "text"}, {"text", json::string_or(block, "text")}});
      return {};
    }
    const json::value* source = json::find(block, "source");
    if (type == "image" && source != nullptr) {
      if (const auto url = url_of_source(*source)) {
        parts.push_back(
            json::object{{"type", "image_url"}, {"image_url", json::object{{"url", *url}}}});
        return {};
      }
    }
    if (type == "document" && source != nullptr) return add_document(block, *source, place, parts);
    TRY(refuse(place, "the chat API has no part of type \"" + type + "\" from this source"));
    parts.push_back(json::object{{"type", type}});
    return {};
  }

  Status add_document(const json::value& block, const json::value& source, const std::string& place,
                      json::array& parts) {
    if (json::string_or(source, "type") == "text") {
      parts.push_back(json::object{{"type", "text"}, {"text", json::string_or(source, "data")}});
      return {};
    }
    const auto url = url_of_source(source);
    if (!url || !url->starts_with("data:")) {
      TRY(refuse(place + ".source", "only text and base64 data can be sent on"));
      parts.push_back(json::object{{"type", "document"}});
      return {};
    }
    parts.push_back(json::object{
        {"type", "file"},
        {"file", json::object{{"filename", json::string_or(block, "title", "document.pdf")},
                              {"file_data", *url}}}});
    return {};
  }

  // Thinking is left out: it is signed for Anthropic, and the chat API has no place for it.
  Status add_assistant(const json::array& blocks, const std::string& place) {
    std::string text;
    json::array calls;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      const json::value& block = blocks[i];
      const std::string type = json::string_or(block, "type", "text");
      if (type == "text") {
        text += json::string_or(block, "text");
      } else if (type == "tool_use") {
        const json::object* input = json::find_object(block, "input");
        if (input == nullptr)
          TRY(refuse(at_index(place + ".content", i) + ".input", "it is no JSON object"));
        calls.push_back(json::object{
            {"id", json::string_or(block, "id")},
            {"type", "function"},
            {"function",
             json::object{{"name", json::string_or(block, "name")},
                          {"arguments", input != nullptr ? wire_text(*input) : "{}"}}}});
      } else if (!is_thinking(block)) {
        TRY(refuse(at_index(place + ".content", i),
                   "the chat API has no part of type \"" + type + "\""));
      }
    }
    json::object message{{"role", "assistant"}, {"content", nullptr}};
    if (!text.empty() || calls.empty()) message["content"] = text;
    if (!calls.empty()) message["tool_calls"] = std::move(calls);
    messages_.push_back(std::move(message));
    return {};
  }

  // ---- tools

  Status set_tools() {
    const json::array* tools = json::find_array(request_, "tools");
    if (tools == nullptr || tools->empty()) return {};
    json::array translated;
    for (std::size_t i = 0; i < tools->size(); ++i) {
      const json::value& tool = (*tools)[i];
      if (const std::string type = json::string_or(tool, "type", "custom"); type != "custom") {
        TRY(refuse(at_index("tools", i), "the chat API has no tool of type \"" + type + "\""));
      }
      json::object function{{"name", json::string_or(tool, "name")}};
      if (const auto description = json::find_string(tool, "description"))
        function["description"] = *description;
      if (const json::value* schema = json::find(tool, "input_schema"))
        function["parameters"] = *schema;
      translated.push_back(json::object{{"type", "function"}, {"function", std::move(function)}});
    }
    body_["tools"] = std::move(translated);
    const json::value* choice = json::find(request_, "tool_choice");
    if (choice == nullptr) return {};
    const std::string type = json::string_or(*choice, "type");
    if (type == "auto" || type == "none") {
      body_["tool_choice"] = type;
    } else if (type == "any") {
      body_["tool_choice"] = "required";
    } else if (type == "tool") {
      body_["tool_choice"] =
          json::object{{"type", "function"},
                       {"function", json::object{{"name", json::string_or(*choice, "name")}}}};
    } else {
      TRY(refuse("tool_choice.type", "only auto, any, tool and none have an equal"));
    }
    if (json::find_bool(*choice, "disable_parallel_tool_use") == true)
      body_["parallel_tool_calls"] = false;
    return {};
  }

  // Structured output: output_config.format, or output_format as it was called first.
  Status set_format() {
    const json::value* format = json::find(request_, "output_format");
    if (const json::value* config = json::find(request_, "output_config"))
      format = json::find(*config, "format");
    if (format == nullptr) return {};
    const json::value* schema = json::find(*format, "schema");
    if (json::string_or(*format, "type") != "json_schema" || schema == nullptr)
      return refuse("output_config.format", "only a json_schema has an equal");
    body_["response_format"] =
        json::object{{"type", "json_schema"},
                     {"json_schema", json::object{{"name", json_tool_name}, {"schema", *schema}}}};
    return {};
  }

  const json::value& request_;
  const TranslateOptions& options_;
  Untranslatable rule_;
  json::object body_;
  json::array messages_;
};

}  // namespace

Result<TranslatedTree> messages_to_chat(const json::value& request, const TranslateOptions& options,
                                        Untranslatable rule) {
  return Translator(request, options, rule).translate();
}

}  // namespace understudy::wire
