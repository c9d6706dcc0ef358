#include "adapters/lm/hf/tokenizer_file.hpp"

#include <algorithm>
#include <array>
#include <format>
#include <utility>

#include "adapters/lm/hf/piece_scores.hpp"
#include "adapters/lm/hf/pre_tokenizer.hpp"
#include "adapters/lm/hf/tokenizer_refusal.hpp"
#include "base/json.hpp"

namespace understudy::lm {

namespace {

constexpr std::int64_t tokens_max = 4'000'000;
constexpr std::size_t piece_bytes_max = 10'000;

bool is_byte_piece(std::string_view piece) {
  return piece.size() == 6 && piece.starts_with("<0x") && piece.ends_with('>');
}

// Tokens that control the chat, though some files do not mark them as special.
bool looks_special(std::string_view text) {
  return (text.starts_with("<|") && text.ends_with("|>")) ||
         (text.starts_with("<unused") && text.ends_with('>')) || text == "<pad>" ||
         text == "<mask>" || text == "<2mass>" || text == "[@BOS@]";
}

Status set_piece(TokenizerFile& file, std::int64_t id, std::string_view text, TokenType type) {
  if (id < 0 || id >= tokens_max) {
    return fail(ErrorCode::corrupt, "the token " + std::string(text) + " has no sound id");
  }
  if (text.empty() || text.size() > piece_bytes_max || text.contains('\0')) {
    return fail(ErrorCode::corrupt, "the token " + std::to_string(id) + " has no sound text");
  }
  const auto at = static_cast<std::size_t>(id);
  if (at >= file.pieces.size()) {
    file.pieces.resize(at + 1);
    file.types.resize(at + 1, TokenType::unused);
  }
  if (!file.pieces[at].empty() && file.pieces[at] != text) {
    return fail(ErrorCode::corrupt, "two tokens have the id " + std::to_string(id));
  }
  file.pieces[at] = text;
  file.types[at] = type;
  const auto [other, fresh] = file.ids.emplace(std::string(text), static_cast<std::int32_t>(id));
  if (!fresh && other->second != id) {
    return fail(ErrorCode::corrupt, "the token " + std::string(text) + " has two ids");
  }
  return {};
}

Status read_vocabulary(const json::value& model, TokenizerFile& file) {
  const json::object* vocabulary = json::find_object(model, "vocab");
  if (vocabulary == nullptr || vocabulary->empty()) {
    return fail(ErrorCode::corrupt, "its model has no \"vocab\"");
  }
  const bool pieces = file.model == "llama";
  for (const auto& entry : *vocabulary) {
    if (!entry.value().is_int64()) return fail(ErrorCode::corrupt, "a token's id is no number");
    const bool byte = pieces && is_byte_piece(entry.key());
    TRY(set_piece(file, entry.value().as_int64(), entry.key(),
                  byte ? TokenType::byte : TokenType::normal));
  }
  const std::string unknown = json::string_or(model, "unk_token");
  if (const auto found = file.ids.find(unknown); found != file.ids.end()) {
    file.unknown = found->second;
    file.types[static_cast<std::size_t>(found->second)] = TokenType::unknown;
  }
  return {};
}

// Merges are ["left", "right"], in older files "left right".
Result<std::vector<Merge>> read_merges(const json::value& model) {
  const json::array* list = json::find_array(model, "merges");
  if (list == nullptr) return fail(ErrorCode::corrupt, "its model has no \"merges\"");
  std::vector<Merge> merges;
  merges.reserve(list->size());
  for (const json::value& one : *list) {
    if (const auto* text = one.if_string()) {
      const std::string_view both(*text);
      const std::size_t space = both.find(' ', 1);
      if (space != std::string_view::npos) {
        merges.push_back({std::string(both.substr(0, space)), std::string(both.substr(space + 1))});
        continue;
      }
    }
    const json::array* pair = one.if_array();
    if (pair == nullptr || pair->size() != 2 || !pair->at(0).is_string() ||
        !pair->at(1).is_string()) {
      return fail(ErrorCode::corrupt, "a merge is no pair: " + json::to_text(one));
    }
    merges.push_back({std::string(pair->at(0).as_string()), std::string(pair->at(1).as_string())});
  }
  return merges;
}

Status check_merges(const TokenizerFile& file, const std::vector<Merge>& merges) {
  for (const Merge& merge : merges) {
    if (!file.ids.contains(merge.left) || !file.ids.contains(merge.right) ||
        !file.ids.contains(merge.left + merge.right)) {
      return fail(ErrorCode::corrupt, "the merge of \"" + merge.left + "\" and \"" + merge.right +
                                          "\" is not of tokens");
    }
  }
  return {};
}

Status read_added_tokens(const json::value& tree, TokenizerFile& file) {
  const json::array* added = json::find_array(tree, "added_tokens");
  if (added == nullptr) return {};
  bool strips = false;
  for (const json::value& token : *added) {
    std::string text = json::string_or(token, "content");
    const auto id = json::find_integer(token, "id");
    if (!id) return fail(ErrorCode::corrupt, "an added token has no id");
    const bool special = json::find_bool(token, "special").value_or(false) || looks_special(text);
    TRY(set_piece(file, *id, text, special ? TokenType::control : TokenType::user_defined));
    if (file.unknown == *id) file.types[static_cast<std::size_t>(*id)] = TokenType::unknown;
    // libllama looks for what the user wrote, not for what it becomes.
    if (!special && file.model == "llama") {
      std::string& piece = file.pieces[static_cast<std::size_t>(*id)];
      for (std::size_t at = 0; (at = piece.find(word_mark, at)) != std::string::npos;) {
        piece.replace(at, word_mark.size(), " ");
      }
    }
    strips = strips || json::find_bool(token, "rstrip").value_or(false);
  }
  // Phi-3's way, which libllama knows by the model's name: all but these four. For others (Phi-4)
  // the spaces stay, as libllama has it when it serves them.
  const bool phi3 = file.ids.contains("<s>") && file.ids.contains("</s>") &&
                    file.ids.contains("<unk>") && file.ids.contains("<|endoftext|>");
  file.strips_behind = strips && phi3;
  return {};
}

// What stands on each side of the text in a template of tokens.
Status read_template(const json::value& step, TokenizerFile& file) {
  const json::array* single = json::find_array(step, "single");
  if (single == nullptr) return {};
  file.has_template = true;
  bool behind = false;
  for (const json::value& part : *single) {
    if (json::find(part, "Sequence") != nullptr) behind = true;
    const json::value* token = json::find(part, "SpecialToken");
    if (token == nullptr) continue;
    const auto found = file.ids.find(json::string_or(*token, "id"));
    if (found == file.ids.end()) {
      return fail(ErrorCode::corrupt, "its post-processor names a token that it does not have");
    }
    (behind ? file.end : file.begin) = found->second;
  }
  return {};
}

Status read_post_processor(const json::value& tree, TokenizerFile& file) {
  const json::value* step = json::find(tree, "post_processor");
  if (step == nullptr) return {};
  const std::string type = json::string_or(*step, "type");
  if (type == "TemplateProcessing") return read_template(*step, file);
  if (const json::array* steps = json::find_array(*step, "processors")) {
    for (const json::value& one : *steps) {
      if (json::string_or(one, "type") == "TemplateProcessing") TRY(read_template(one, file));
    }
  }
  return {};
}

Status check_model(const json::value& model) {
  const std::string type = json::string_or(model, "type", "BPE");
  if (type != "BPE") return refuse_tokenizer("its tokenizer is a \"" + type + "\" model");
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!json::string_or(model, key).empty()) {
      return refuse_tokenizer("its pieces carry a \"" + std::string(key) + "\"");
    }
  }
  return {};
}

// libllama takes the bytes of what is no piece, and fails where one is missing: as "<0x09>", or the
// character itself, as Gemma's tabulator.
bool holds_byte(const TokenizerFile& file, int byte) {
  constexpr int ascii_end = 0x80;
  return file.ids.contains(std::format("<0x{:02X}>", byte)) ||
         (byte < ascii_end && file.ids.contains(std::string(1, static_cast<char>(byte))));
}

Status check_pieces(const TokenizerFile& file, const PreTokenizer& pre) {
  if (!pre.steps.empty() || !pre.marks.replaced) {
    return refuse_steps(pre, pre.steps.empty() ? "spaces stay spaces" : "");
  }
  for (int byte = 0; byte < 256; ++byte) {
    if (!holds_byte(file, byte)) return refuse_tokenizer("its pieces do not hold all bytes");
  }
  if (pre.marks.split && std::ranges::any_of(file.pieces, [](const std::string& piece) {
        const std::size_t last = piece.rfind(word_mark);
        return last != std::string::npos && last > 0;
      })) {
    return refuse_tokenizer("its pre-tokenizer splits at spaces, and its pieces cross them");
  }
  return {};
}

Result<TokenizerFile> read_tree(const json::value& tree) {
  const json::value* model = json::find(tree, "model");
  if (model == nullptr) return fail(ErrorCode::corrupt, "it has no \"model\"");
  TRY(check_model(*model));
  const PreTokenizer pre = TRY(read_pre_tokenizer(tree));
  TokenizerFile file;
  const bool pieces = json::find_bool(*model, "byte_fallback").value_or(false);
  file.model = pieces ? "llama" : "gpt2";
  TRY(read_vocabulary(*model, file));
  TRY(read_added_tokens(tree, file));
  std::vector<Merge> merges = TRY(read_merges(*model));
  TRY(check_merges(file, merges));
  if (pieces) {
    TRY(check_pieces(file, pre));
    file.scores = TRY(piece_scores(file, merges));
    file.pre = "default";
    file.space_prefix = pre.marks.prefixed;
  } else {
    const bool taken = json::find_bool(*model, "ignore_merges").value_or(false);
    file.pre = TRY(libllama_name(pre, taken ? WholeWords::taken : WholeWords::merged));
    for (const Merge& merge : merges) file.merges.push_back(merge.left + " " + merge.right);
  }
  TRY(read_post_processor(tree, file));
  return file;
}

}  // namespace

Result<TokenizerFile> parse_tokenizer_file(std::string_view text, const std::string& name) {
  const auto tree = json::parse(text);
  if (!tree) return fail(tree.error().within(name));
  auto file = read_tree(*tree);
  if (!file) return fail(file.error().within(name));
  return file;
}

}  // namespace understudy::lm
