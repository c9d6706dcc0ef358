#include "adapters/lm/hf/special_tokens.hpp"

#include <array>
#include <utility>

#include "adapters/lm/hf/model_config.hpp"
#include "base/json.hpp"

namespace understudy::lm {

namespace {

struct NamedText {
  const char* name;
  const std::string& text;
};

Result<json::value> object_of(const NamedText& file) {
  if (file.text.empty()) return json::value(json::object{});
  auto tree = parse_python_json(file.text);
  if (!tree) return fail(tree.error().within(file.name));
  if (!tree->is_object()) {
    return fail(ErrorCode::corrupt, std::string(file.name) + " is no JSON object");
  }
  return tree;
}

// "bos_token": "<s>", or {"content": "<s>", ...}.
std::optional<std::int32_t> token_named(const json::value& config, const char* key,
                                        const TokenizerFile& tokenizer) {
  const json::value* token = json::find(config, key);
  if (token == nullptr) return std::nullopt;
  const std::string text =
      token->is_string() ? std::string(token->as_string()) : json::string_or(*token, "content");
  const auto found = tokenizer.ids.find(text);
  return found == tokenizer.ids.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::int32_t> as_token(const json::value& id, const TokenizerFile& tokenizer) {
  if (!id.is_int64() || id.as_int64() < 0 ||
      std::cmp_greater_equal(id.as_int64(), tokenizer.pieces.size())) {
    return std::nullopt;
  }
  return static_cast<std::int32_t>(id.as_int64());
}

// "eos_token_id": 2, or [2, 7]: all of them.
std::vector<std::int32_t> token_ids(const json::value& config, const char* key,
                                    const TokenizerFile& tokenizer) {
  std::vector<std::int32_t> ids;
  const json::value* value = json::find(config, key);
  if (value == nullptr) return ids;
  const auto add = [&](const json::value& one) {
    if (const auto id = as_token(one, tokenizer)) ids.push_back(*id);
  };
  if (const json::array* list = value->if_array()) {
    for (const json::value& one : *list) add(one);
  } else {
    add(*value);
  }
  return ids;
}

// A text, or a list of named ones, of which "default" is for chats.
std::string chat_template_of(const json::value& config) {
  const json::value* value = json::find(config, "chat_template");
  if (value == nullptr) return {};
  if (const auto* text = value->if_string()) return std::string(*text);
  if (const json::array* list = value->if_array()) {
    for (const json::value& one : *list) {
      if (json::string_or(one, "name") == "default") return json::string_or(one, "template");
    }
  }
  return {};
}

}  // namespace

Result<SpecialTokens> read_special_tokens(const SpecialTokenTexts& texts,
                                          const TokenizerFile& tokenizer) {
  const json::value named = TRY(object_of({"tokenizer_config.json", texts.tokenizer_config}));
  const json::value written = TRY(object_of({"generation_config.json", texts.generation_config}));
  const json::value model = TRY(object_of({"config.json", texts.model_config}));
  SpecialTokens tokens{.begin = token_named(named, "bos_token", tokenizer),
                       .end = token_named(named, "eos_token", tokenizer),
                       .padding = token_named(named, "pad_token", tokenizer)};
  std::vector<std::int32_t> ends = token_ids(written, "eos_token_id", tokenizer);
  for (const std::int32_t id : token_ids(model, "eos_token_id", tokenizer)) ends.push_back(id);
  if (!tokens.end && !ends.empty()) tokens.end = ends.front();
  for (const std::int32_t id : ends) {
    if (id != tokens.end && !tokens.end_of_turn) tokens.end_of_turn = id;
  }
  if (!tokens.begin) {
    const auto ids = token_ids(model, "bos_token_id", tokenizer);
    if (!ids.empty()) tokens.begin = ids.front();
  }
  if (tokenizer.begin) tokens.begin = tokenizer.begin;
  const auto adds = [&](const char* key, bool in_template) {
    return tokenizer.has_template ? in_template : json::find_bool(named, key).value_or(false);
  };
  tokens.add_begin = adds("add_bos_token", tokenizer.begin.has_value()) && tokens.begin;
  tokens.add_end = adds("add_eos_token", tokenizer.end.has_value()) && tokens.end;
  tokens.chat_template =
      texts.chat_template.empty() ? chat_template_of(named) : texts.chat_template;
  return tokens;
}

}  // namespace understudy::lm
