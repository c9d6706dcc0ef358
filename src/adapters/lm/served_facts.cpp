#include "adapters/lm/served_facts.hpp"

#include <xxhash.h>

#include <cstdio>
#include <format>
#include <memory>
#include <vector>

#include "base/files.hpp"
#include "base/json.hpp"

namespace understudy::lm {

namespace {

constexpr std::size_t bytes_at_once = std::size_t{1} << 20;
constexpr std::int64_t context_max = 1 << 20;

bool is_plain_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && !name.contains('/') &&
         !name.contains('\0');
}

Result<std::size_t> count_of(const json::value& tree, const char* key) {
  const auto value = json::find_integer(tree, key);
  if (!value || *value < 1 || *value > context_max) {
    return fail(ErrorCode::corrupt, std::string("no sound \"") + key + "\"");
  }
  return static_cast<std::size_t>(*value);
}

}  // namespace

std::string to_text(const ServedFacts& facts) {
  return json::to_text(json::object{{"model", facts.model.string()},
                                    {"mark", facts.mark},
                                    {"adapter", facts.adapter},
                                    {"prompt", to_string(facts.form)},
                                    {"context", facts.context},
                                    {"answer_tokens_max", facts.answer_tokens_max}}) +
         "\n";
}

Result<ServedFacts> parse_served_facts(std::string_view text) {
  const json::value tree = TRY(json::parse(text));
  ServedFacts facts{.model = json::string_or(tree, "model"),
                    .mark = json::string_or(tree, "mark"),
                    .adapter = json::string_or(tree, "adapter")};
  if (!facts.model.is_absolute() && !is_plain_name(facts.model.string())) {
    return fail(ErrorCode::corrupt, "\"model\" is neither an absolute path nor a file's name");
  }
  if (facts.model.is_absolute() && facts.mark.empty()) {
    return fail(ErrorCode::corrupt, "a model that lies elsewhere, without its \"mark\"");
  }
  if (!facts.adapter.empty() && !is_plain_name(facts.adapter)) {
    return fail(ErrorCode::corrupt, "\"adapter\" is no file's name");
  }
  facts.form = TRY(parse_prompt_form(json::string_or(tree, "prompt")));
  facts.context = TRY(count_of(tree, "context"));
  facts.answer_tokens_max = TRY(count_of(tree, "answer_tokens_max"));
  return facts;
}

Status write_served_facts(const std::filesystem::path& artifact_dir, const ServedFacts& facts) {
  return write_file_atomically(artifact_dir / served_facts_name, to_text(facts));
}

Result<ServedFacts> read_served_facts(const std::filesystem::path& artifact_dir) {
  const std::filesystem::path path = artifact_dir / served_facts_name;
  auto facts = parse_served_facts(TRY(read_file(path)));
  if (!facts) return fail(facts.error().within(path.string()));
  if (!facts->model.is_absolute()) {
    facts->model = artifact_dir / facts->model;
    return facts;
  }
  const auto mark = mark_of_file(facts->model);
  const std::string hint =
      "Put the base back in its place, or train again: `understudy tune TASK --base FILE`.";
  if (!mark) {
    return fail(mark.error().code,
                "the base of this adapter cannot be read: " + mark.error().message, hint);
  }
  if (*mark != facts->mark) {
    return fail(ErrorCode::conflict,
                facts->model.string() + " is another file than the one that the adapter is for",
                hint);
  }
  return facts;
}

Result<std::string> mark_of_file(const std::filesystem::path& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"),
                                                             &std::fclose);
  if (!file) return fail(ErrorCode::not_found, "there is no model at " + path.string());
  const std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> state(XXH3_createState(),
                                                                              &XXH3_freeState);
  if (!state || XXH3_128bits_reset(state.get()) != XXH_OK) {
    return fail(ErrorCode::exhausted, "no memory to hash " + path.string());
  }
  std::vector<char> bytes(bytes_at_once);
  while (const std::size_t count = std::fread(bytes.data(), 1, bytes.size(), file.get())) {
    XXH3_128bits_update(state.get(), bytes.data(), count);
  }
  if (std::ferror(file.get()) != 0) {
    return fail(ErrorCode::unavailable, "cannot read " + path.string());
  }
  const XXH128_hash_t hash = XXH3_128bits_digest(state.get());
  return std::format("{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace understudy::lm
