#include "adapters/wire/chat_to_messages.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "adapters/wire/parts.hpp"

namespace understudy::wire {

namespace {

// Fields without an equal that do not change what is answered, only how it is stored, billed,
// cached or how fast it comes; and reasoning_effort, which Anthropic's own chat endpoint ignores
// too. `thinking` and `top_k` are Anthropic's and pass.
constexpr std::array<std::string_view, 15> ignored_fields = {"stream_options",
                                                             "store",
                                                             "metadata",
                                                             "service_tier",
                                                             "seed",
                                                             "prediction",
                                                             "prompt_cache_key",
                                                             "prompt_cache_retention",
                                                             "reasoning_effort",
                                                             "safety_identifier",
                                                             "user",
                                                             "top_logprobs",
                                                             "verbosity",
                                                             "stop",
                                                             "max_tokens"};
constexpr std::array<std::string_view, 5> passed_fields = {"model", "stream", "top_p", "top_k",
                                                           "thinking"};
// Read by a function of their own.
constexpr std::array<std::string_view, 7> read_fields = {
    "messages",    "max_completion_tokens", "temperature",    "tools",
    "tool_choice", "parallel_tool_calls",   "response_format"};

bool holds(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

// A value of a field that means what leaving the field out means.
bool is_default(std::string_view field, const json::value& value) {
  if (value.is_null()) return true;
  if (field == "n") return value == 1;
  if (field == "logprobs") return value == false;
  if (field == "presence_penalty" || field == "frequency_penalty")
    return value.is_number() && value.to_number<double>() == 0;
  if (field == "logit_bias") return value.is_object() && value.get_object().empty();
  if (field == "functions") return value.is_array() && value.get_array().empty();
  if (field == "modalities")
    return value.is_array() && value.get_array().size() == 1 && value.get_array()[0] == "text";
  return false;
}

void keep_cache_control(const json::value& from, json::object& block) {
  if (const json::value* control = json::find(from, "cache_control"))
    block["cache_control"] = *control;
}

class Translator {
 public:
  Translator(const json::value& request, const TranslateOptions& options)
      : request_(request), options_(options) {}

  Result<TranslatedTree> translate() {
    if (!request_.is_object())
      return fail(ErrorCode::invalid_input, "the request body is no JSON object");
    TRY(check_fields());
    TRY(set_limits());
    TRY(add_messages());
    TRY(set_tools());
    TRY(set_response_format());
    if (const auto user = json::find_string(request_, "user"); user && !user->empty()) {
      body_["metadata"] = json::object{{"user_id", *user}};
    } else if (const auto id = json::find_string(request_, "safety_identifier")) {
      body_["metadata"] = json::object{{"user_id", *id}};
    }
    if (const json::value* stream = json::find(request_, "stream_options"))
      answer_.include_usage = json::find_bool(*stream, "include_usage").value_or(false);
    return TranslatedTree{std::move(body_), answer_};
  }

 private:
  Status check_fields() {
    for (const auto& [key, value] : request_.get_object()) {
      if (key == "model" && !value.is_string()) return untranslatable(key, "it is no string");
      if (holds(passed_fields, key)) {
        if (!value.is_null()) body_[key] = value;
        continue;
      }
      if (holds(ignored_fields, key) || holds(read_fields, key) || is_default(key, value)) continue;
      return untranslatable(key, "the messages API has no such field");
    }
    return {};
  }

  Status set_limits() {
    auto tokens = json::find_integer(request_, "max_completion_tokens");
    if (!tokens) tokens = json::find_integer(request_, "max_tokens");
    body_["max_tokens"] = tokens.value_or(options_.max_tokens);
    if (const json::value* value = json::find(request_, "temperature")) {
      const auto temperature = json::find_number(request_, "temperature");
      if (!temperature) return untranslatable("temperature", "it is no number");
      // OpenAI's scale ends at 2, Anthropic's at 1.
      body_["temperature"] = *temperature > 1 ? json::value(1) : *value;
    }
    const json::value* stop = json::find(request_, "stop");
    if (stop == nullptr) return {};
    json::array sequences;
    if (stop->is_string()) {
      sequences.push_back(*stop);
    } else if (stop->is_array()) {
      sequences = stop->get_array();
    }
    for (const json::value& sequence : sequences) {
      if (!sequence.is_string() ||
          std::string_view(sequence.get_string()).find_first_not_of(" \t\r\n") ==
              std::string_view::npos) {
        return untranslatable("stop", "the messages API takes no white space as a stop sequence");
      }
    }
    if (!sequences.empty()) body_["stop_sequences"] = std::move(sequences);
    return {};
  }

  // ---- messages

  Status add_messages() {
    const json::array* messages = json::find_array(request_, "messages");
    if (messages == nullptr || messages->empty())
      return fail(ErrorCode::invalid_input, "the request has no messages");
    for (std::size_t i = 0; i < messages->size(); ++i)
      TRY(add_message((*messages)[i], at_index("messages", i)));
    if (turns_.empty())
      return untranslatable("messages",
                            "the messages API needs a message that is no system prompt");
    if (system_.size() == 1 && system_[0].get_object().size() == 2) {
      body_["system"] = system_[0].at("text");
    } else if (!system_.empty()) {
      body_["system"] = std::move(system_);
    }
    body_["messages"] = std::move(turns_);
    return {};
  }

  Status add_message(const json::value& message, const std::string& place) {
    const std::string role = json::string_or(message, "role");
    json::array blocks;
    if (role == "system" || role == "developer") {
      // Anthropic has one system prompt, in front of everything.
      TRY(add_content(message, place, system_));
      return {};
    }
    if (role == "user") {
      TRY(add_content(message, place, blocks));
      add_turn("user", std::move(blocks));
      return {};
    }
    if (role == "assistant") {
      TRY(add_assistant(message, place, blocks));
      add_turn("assistant", std::move(blocks));
      return {};
    }
    if (role == "tool") return add_tool_result(message, place);
    return untranslatable(place + ".role", "the messages API has no role \"" + role + "\"");
  }

  // Roles alternate: neighbours of one role become one message.
  void add_turn(std::string_view role, json::array blocks) {
    if (blocks.empty()) return;  // an empty text is refused there
    if (!turns_.empty() && json::string_or(turns_.back(), "role") == role) {
      json::array& last = turns_.back().at("content").as_array();
      for (json::value& block : blocks) last.push_back(std::move(block));
      return;
    }
    turns_.push_back(json::object{{"role", role}, {"content", std::move(blocks)}});
  }

  Status add_content(const json::value& message, const std::string& place, json::array& blocks) {
    const json::value* content = json::find(message, "content");
    if (content == nullptr) return {};
    if (content->is_string()) {
      if (content->get_string().empty()) return {};
      json::object block{{"type", "text"}, {"text", *content}};
      keep_cache_control(message, block);
      blocks.push_back(std::move(block));
      return {};
    }
    if (!content->is_array())
      return untranslatable(place + ".content", "it is neither text nor a list");
    for (std::size_t i = 0; i < content->get_array().size(); ++i) {
      const json::value& part = content->get_array()[i];
      json::object block = TRY(block_of(part, at_index(place + ".content", i)));
      if (block.empty()) continue;
      keep_cache_control(part, block);
      blocks.push_back(std::move(block));
    }
    return {};
  }

  // One content part; empty for an empty text.
  static Result<json::object> block_of(const json::value& part, const std::string& place) {
    const std::string type = json::string_or(part, "type", "text");
    if (type == "text" || type == "refusal") {
      const std::string text = json::string_or(part, type);
      return text.empty() ? json::object{} : json::object{{"type", "text"}, {"text", text}};
    }
    if (type == "image_url") {
      const json::value* image = json::find(part, "image_url");
      const std::string url = image == nullptr     ? std::string{}
                              : image->is_string() ? std::string(image->get_string())
                                                   : json::string_or(*image, "url");
      auto source = source_of_url(url);
      if (!source)
        return untranslatable(place + ".image_url", "neither a web address nor base64 data");
      return json::object{{"type", "image"}, {"source", std::move(*source)}};
    }
    if (type == "file") return document_of(part, place);
    return untranslatable(place, "the messages API has no part of type \"" + type + "\"");
  }

  static Result<json::object> document_of(const json::value& part, const std::string& place) {
    const json::value* file = json::find(part, "file");
    const auto data = file != nullptr ? json::find_string(*file, "file_data") : std::nullopt;
    if (!data) return untranslatable(place + ".file", "only a file with file_data can be sent on");
    auto source = source_of_url(*data);
    if (!source) return untranslatable(place + ".file.file_data", "it is no base64 data");
    json::object document{{"type", "document"}, {"source", std::move(*source)}};
    if (const auto name = json::find_string(*file, "filename")) document["title"] = *name;
    return document;
  }

  Status add_assistant(const json::value& message, const std::string& place, json::array& blocks) {
    for (const char* field : {"function_call", "audio"}) {
      if (json::find(message, field) != nullptr)
        return untranslatable(place + "." + field, "the messages API has no such field");
    }
    // Signed thinking, as our own answers carry it, goes back verbatim and first.
    if (const json::array* thinking = json::find_array(message, "thinking_blocks"))
      blocks = thinking_of(*thinking);
    TRY(add_content(message, place, blocks));
    if (const auto refusal = json::find_string(message, "refusal"); refusal && !refusal->empty())
      blocks.push_back(json::object{{"type", "text"}, {"text", *refusal}});
    const json::array* calls = json::find_array(message, "tool_calls");
    if (calls == nullptr) return {};
    for (std::size_t i = 0; i < calls->size(); ++i)
      blocks.push_back(TRY(tool_use_of((*calls)[i], at_index(place + ".tool_calls", i))));
    return {};
  }

  static Result<json::object> tool_use_of(const json::value& call, const std::string& place) {
    const json::value* function = json::find(call, "function");
    if (function == nullptr) return untranslatable(place, "only function calls have an equal");
    const std::string arguments = json::string_or(*function, "arguments");
    auto input = json::parse(arguments.empty() ? "{}" : arguments);
    if (!input || !input->is_object())
      return untranslatable(place + ".function.arguments", "they are no JSON object");
    return json::object{{"type", "tool_use"},
                        {"id", json::string_or(call, "id")},
                        {"name", json::string_or(*function, "name")},
                        {"input", std::move(*input)}};
  }

  // All results of one answer's calls go into the next user message, in front of what else it says.
  Status add_tool_result(const json::value& message, const std::string& place) {
    json::object result{{"type", "tool_result"},
                        {"tool_use_id", json::string_or(message, "tool_call_id")}};
    const json::value* content = json::find(message, "content");
    if (content != nullptr && content->is_string()) {
      result["content"] = *content;
    } else {
      json::array blocks;
      TRY(add_content(message, place, blocks));
      if (!blocks.empty()) result["content"] = std::move(blocks);
    }
    keep_cache_control(message, result);
    if (turns_.empty() || json::string_or(turns_.back(), "role") != "user") {
      add_turn("user", {std::move(result)});
      return {};
    }
    json::array& blocks = turns_.back().at("content").as_array();
    const auto first_other = std::ranges::find_if(blocks, [](const json::value& block) {
      return json::string_or(block, "type") != "tool_result";
    });
    blocks.insert(first_other, std::move(result));
    return {};
  }

  // ---- tools

  Status set_tools() {
    const json::array* tools = json::find_array(request_, "tools");
    if (tools == nullptr || tools->empty()) return {};
    json::array translated;
    for (std::size_t i = 0; i < tools->size(); ++i) {
      const json::value& tool = (*tools)[i];
      const json::value* function = json::find(tool, "function");
      if (function == nullptr || json::string_or(tool, "type", "function") != "function")
        return untranslatable(at_index("tools", i),
                              "only tools of type \"function\" have an equal");
      // `strict` is left out: the answer has the same shape, its schema is not enforced.
      json::object entry{{"name", json::string_or(*function, "name")}};
      if (const auto description = json::find_string(*function, "description"))
        entry["description"] = *description;
      const json::value* parameters = json::find(*function, "parameters");
      entry["input_schema"] =
          parameters != nullptr ? *parameters
                                : json::object{{"type", "object"}, {"properties", json::object{}}};
      keep_cache_control(tool, entry);
      translated.push_back(std::move(entry));
    }
    body_["tools"] = std::move(translated);
    return set_tool_choice();
  }

  Status set_tool_choice() {
    json::object choice;
    if (const json::value* wanted = json::find(request_, "tool_choice")) {
      if (*wanted == "auto" || *wanted == "none") {
        choice["type"] = *wanted;
      } else if (*wanted == "required") {
        choice["type"] = "any";
      } else if (const json::value* function = json::find(*wanted, "function")) {
        choice = {{"type", "tool"}, {"name", json::string_or(*function, "name")}};
      } else {
        return untranslatable("tool_choice",
                              "only auto, none, required and a named function have "
                              "an equal");
      }
    }
    if (json::find_bool(request_, "parallel_tool_calls") == false && choice["type"] != "none") {
      if (choice["type"].is_null()) choice["type"] = "auto";
      choice["disable_parallel_tool_use"] = true;
    }
    if (!choice["type"].is_null()) body_["tool_choice"] = std::move(choice);
    return {};
  }

  // A JSON answer is forced as the input of a tool, which the answer's translation turns back into
  // text. Beside tools of the client that would take its choice away.
  Status set_response_format() {
    const json::value* format = json::find(request_, "response_format");
    const std::string type = format != nullptr ? json::string_or(*format, "type", "text") : "text";
    if (type == "text") return {};
    if (body_.contains("tools"))
      return untranslatable("response_format", "it cannot be kept together with tools");
    if (body_.contains("thinking"))
      return untranslatable("response_format", "it cannot be kept together with thinking");
    json::value schema{{"type", "object"}, {"additionalProperties", true}};
    if (type == "json_schema") {
      const json::value* named = json::find(*format, "json_schema");
      const json::value* given = named != nullptr ? json::find(*named, "schema") : nullptr;
      if (given == nullptr || json::string_or(*given, "type") != "object")
        return untranslatable("response_format.json_schema.schema", "its type must be \"object\"");
      schema = *given;
    } else if (type != "json_object") {
      return untranslatable("response_format.type", "the messages API knows no \"" + type + "\"");
    }
    body_["tools"] =
        json::array{json::object{{"name", json_tool_name},
                                 {"description", "Gives the answer, as JSON of this schema."},
                                 {"input_schema", std::move(schema)}}};
    body_["tool_choice"] = json::object{
        {"type", "tool"}, {"name", json_tool_name}, {"disable_parallel_tool_use", true}};
    answer_.json_tool = true;
    return {};
  }

  const json::value& request_;
  const TranslateOptions& options_;
  json::object body_;
  json::array system_;
  json::array turns_;
  AnswerContext answer_;
};

}  // namespace

Result<TranslatedTree> chat_to_messages(const json::value& request,
                                        const TranslateOptions& options) {
  return Translator(request, options).translate();
}

}  // namespace understudy::wire
