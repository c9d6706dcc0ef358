#include "adapters/lm/hf/convert.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <xxhash.h>

#include <cstring>
#include <format>
#include <set>
#include <utility>

#include "adapters/lm/gguf_builder.hpp"
#include "adapters/lm/hf/blueprint.hpp"
#include "adapters/lm/hf/special_tokens.hpp"
#include "adapters/lm/hf/tensor_bytes.hpp"
#include "adapters/lm/hf/tokenizer_file.hpp"
#include "adapters/lm/hf/weights_directory.hpp"
#include "adapters/lm/served_facts.hpp"
#include "adapters/lm/vocabulary.hpp"
#include "base/ascii.hpp"
#include "base/file_lock.hpp"
#include "base/files.hpp"
#include "base/progress.hpp"

namespace understudy::lm {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view conversion_version = "1";  // files of another one are made again

struct Directory {
  fs::path path;
  ModelConfig config;
  TokenizerFile tokenizer;
  SpecialTokens special;
  WeightsDirectory weights;
};

Result<std::string> text_or_empty(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) return std::string();
  return read_file(path);
}

Result<std::string> text_of(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) {
    return fail(ErrorCode::not_found, "there is no " + path.string(),
                "Give a directory with config.json, tokenizer.json and .safetensors files.");
  }
  return read_file(path);
}

Result<Directory> open_directory(const fs::path& path) {
  SpecialTokenTexts texts{.tokenizer_config = TRY(text_or_empty(path / "tokenizer_config.json")),
                          .generation_config = TRY(text_or_empty(path / "generation_config.json")),
                          .model_config = TRY(text_of(path / "config.json")),
                          .chat_template = TRY(text_or_empty(path / "chat_template.jinja"))};
  ModelConfig config = TRY(ModelConfig::parse(texts.model_config, (path / "config.json").string()));
  const fs::path tokenizer_path = path / "tokenizer.json";
  TokenizerFile tokenizer =
      TRY(parse_tokenizer_file(TRY(text_of(tokenizer_path)), tokenizer_path.string()));
  auto special = read_special_tokens(texts, tokenizer);
  if (!special) return fail(special.error().within(path.string()));
  return Directory{.path = path,
                   .config = std::move(config),
                   .tokenizer = std::move(tokenizer),
                   .special = std::move(*special),
                   .weights = TRY(WeightsDirectory::open(path))};
}

// libllama takes spaces behind Phi-3's tokens away when the model is named so, and looks for those
// tokens when it is.
std::string stored_name(const std::string& name, bool strips_behind) {
  const std::string lower = lower_ascii(name);
  const bool named_so = lower.contains("phi-3") || lower.contains("phi3");
  if (strips_behind == named_so) return name;
  return strips_behind ? "Phi-3 " + name : "model";
}

// The tokenizer has fewer tokens than the table has rows where the table was padded.
Status set_vocabulary(GgufBuilder& file, const Directory& from, std::int64_t rows) {
  const TokenizerFile& tokenizer = from.tokenizer;
  if (std::cmp_greater(tokenizer.pieces.size(), rows)) {
    return fail(ErrorCode::corrupt, (from.path / "tokenizer.json").string() + " has " +
                                        std::to_string(tokenizer.pieces.size()) +
                                        " tokens, the model " + std::to_string(rows));
  }
  std::vector<std::string> pieces = tokenizer.pieces;
  std::vector<std::int32_t> types;
  pieces.resize(static_cast<std::size_t>(rows));
  for (std::size_t id = 0; id < pieces.size(); ++id) {
    const bool used = id < tokenizer.pieces.size() && !pieces[id].empty();
    if (!used) pieces[id] = "[PAD" + std::to_string(id) + "]";
    types.push_back(static_cast<std::int32_t>(used ? tokenizer.types[id] : TokenType::unused));
  }
  file.set("tokenizer.ggml.model", tokenizer.model);
  file.set("tokenizer.ggml.pre", tokenizer.pre);
  file.set("tokenizer.ggml.tokens", pieces);
  file.set("tokenizer.ggml.token_type", types);
  if (tokenizer.model == "llama") {
    std::vector<float> scores = tokenizer.scores;
    scores.resize(pieces.size(), 0);
    file.set("tokenizer.ggml.scores", scores);
    file.set("tokenizer.ggml.add_space_prefix", tokenizer.space_prefix);
  } else {
    file.set("tokenizer.ggml.merges", tokenizer.merges);
  }
  const SpecialTokens& special = from.special;
  const auto set_id = [&](const char* key, std::optional<std::int32_t> id) {
    if (id) file.set(std::string("tokenizer.ggml.") + key, static_cast<std::uint32_t>(*id));
  };
  set_id("bos_token_id", special.begin);
  set_id("eos_token_id", special.end);
  set_id("eot_token_id", special.end_of_turn);
  set_id("padding_token_id", special.padding);
  set_id("unknown_token_id", tokenizer.unknown);
  file.set("tokenizer.ggml.add_bos_token", special.add_begin);
  file.set("tokenizer.ggml.add_eos_token", special.add_end);
  if (!special.chat_template.empty()) file.set("tokenizer.chat_template", special.chat_template);
  return {};
}

void add_zeros(GgufBuilder& file, const TensorRule& rule) {
  const auto count = static_cast<std::size_t>(rule.rows * rule.columns);
  file.add_later({.name = rule.gguf, .rows = rule.rows, .columns = rule.columns},
                 [count]() { return std::vector<std::byte>(count * sizeof(float)); });
}

// Adds the blueprint's tensors; says what is missing, misshapen or left over.
Status add_tensors(GgufBuilder& file, const Directory& from, const Blueprint& blueprint) {
  std::map<std::string, const SafetensorsEntry*> entries;
  for (const auto& [name, entry] : from.weights.entries()) {
    const std::string plain = plain_tensor_name(name);
    if (!plain.empty()) entries.emplace(plain, &entry);
  }
  std::set<std::string> known;
  for (const TensorRule& rule : blueprint.tensors) {
    known.insert(rule.hf);
    const auto found = entries.find(rule.hf);
    if (found == entries.end()) {
      if (rule.optional) continue;
      if (rule.zero_if_absent) {
        add_zeros(file, rule);
        continue;
      }
      return fail(ErrorCode::corrupt, from.path.string() + " lacks the tensor " + rule.hf);
    }
    if (rule.gguf.empty()) continue;
    auto tensor = converted(rule, *found->second);
    if (!tensor) return fail(tensor.error().within(from.path.string()));
    file.add_later(tensor->what, std::move(tensor->bytes));
  }
  for (const auto& [name, entry] : entries) {
    if (known.contains(name)) continue;
    return fail(ErrorCode::unsupported, from.path.string() + " holds a tensor that a " +
                                            from.config.model_type() +
                                            " model does not have: " + name);
  }
  for (const ComputedTensor& tensor : blueprint.computed) {
    file.add({.name = tensor.gguf, .columns = static_cast<std::int64_t>(tensor.values.size())},
             tensor.values);
  }
  return {};
}

// Of all that the conversion reads, and where it lies.
Result<std::string> mark_of(const fs::path& directory, const WeightsDirectory& weights) {
  std::error_code error;
  std::string all = std::string(conversion_version) + fs::absolute(directory).string();
  std::vector<fs::path> files = weights.files();
  for (const char* name : {"config.json", "generation_config.json", "tokenizer.json",
                           "tokenizer_config.json", "chat_template.jinja"}) {
    if (fs::exists(directory / name, error)) files.push_back(directory / name);
  }
  for (const fs::path& file : files) {
    all += "\n" + file.filename().string() + " " + TRY(mark_of_file(file));
  }
  const XXH128_hash_t hash = XXH3_128bits(all.data(), all.size());
  return std::format("{:016x}{:016x}", hash.high64, hash.low64);
}

std::uint64_t bytes_of(const WeightsDirectory& weights) {
  std::uint64_t bytes = 0;
  for (const auto& [name, entry] : weights.entries()) bytes += entry.bytes.size();
  return bytes;
}

Status convert(const Directory& from, const std::string& mark, const fs::path& gguf) {
  GgufBuilder file;
  const Blueprint blueprint = TRY(blueprint_of(from.config, file));
  file.set("general.name",
           stored_name(name_of_model_directory(from.path), from.tokenizer.strips_behind));
  file.set(source_directory_key, fs::absolute(from.path).lexically_normal().string());
  file.set(source_mark_key, mark);
  TRY(set_vocabulary(file, from, blueprint.vocabulary));
  TRY(add_tensors(file, from, blueprint));
  Progress progress("converting", bytes_of(from.weights), "bytes");
  file.on_written([&](std::size_t bytes) { progress.advance(bytes); });
  const int made = ::open(gguf.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  if (made >= 0) ::close(made);  // whoever opens it next keeps these rights
  return file.write(gguf);
}

enum class Present { absent, same, stale, other };

Present look_at(const fs::path& gguf, const std::string& mark) {
  std::error_code error;
  if (!fs::exists(gguf, error)) return Present::absent;
  const auto file = GgufFile::open(gguf);
  const auto kept = file ? file->find_string(source_mark_key) : std::nullopt;
  if (!kept) return Present::other;
  return *kept == mark ? Present::same : Present::stale;
}

}  // namespace

bool is_model_directory(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error) && fs::exists(path / "config.json", error);
}

// ".../models--OWNER--NAME/snapshots/HASH" is how the Hugging Face cache lays models out.
std::string name_of_model_directory(const fs::path& directory) {
  fs::path path = fs::absolute(directory).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  if (path.parent_path().filename() == "snapshots") {
    const std::string entry = path.parent_path().parent_path().filename().string();
    const std::size_t at = entry.rfind("--");
    if (entry.starts_with("models--") && at + 2 < entry.size()) return entry.substr(at + 2);
  }
  return path.filename().string();
}

Status provide_gguf(const fs::path& directory, const fs::path& gguf, Stale stale) {
  const Directory from = TRY(open_directory(directory));
  const std::string mark = TRY(mark_of(directory, from.weights));
  const fs::path lock_path = gguf.parent_path() / ("." + gguf.filename().string() + ".lock");
  std::error_code error;
  {
    const FileLock lock = TRY(FileLock::take(lock_path));
    switch (look_at(gguf, mark)) {
      case Present::same: return {};
      case Present::other:
        return fail(ErrorCode::conflict,
                    gguf.string() + " is there already and was not made of " + directory.string(),
                    "Move it away, or give another name.");
      case Present::stale:
        if (stale == Stale::replaced) break;
        return fail(ErrorCode::conflict,
                    directory.string() + " is not any more what " + gguf.string() + " was made of",
                    "Give another name, or remove the model: `understudy models remove`.");
      case Present::absent: break;
    }
    const fs::path partial = gguf.string() + "." + std::to_string(::getpid()) + ".partial";
    auto made = convert(from, mark, partial);
    if (made) {
      if (const auto read = Vocabulary::load(partial); !read) {
        made = fail(ErrorCode::unsupported,
                    "libllama cannot read what " + directory.string() + " was converted to");
      }
    }
    if (made) fs::rename(partial, gguf, error);
    if (!made || error) {
      std::error_code ignored;
      fs::remove(partial, ignored);
      if (!made) return made;
      return fail(ErrorCode::denied, "cannot name " + gguf.string() + ": " + error.message());
    }
  }
  fs::remove(lock_path, error);
  return {};
}

}  // namespace understudy::lm
