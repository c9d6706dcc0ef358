#include "steps/s2_curate/pseudonymiser.hpp"

#include <optional>
#include <utility>

#include "steps/s2_curate/json_rewriter.hpp"

namespace understudy::s2 {

namespace {

// An image or a sound as a data URL: its letters mean nothing, but look like keys.
bool is_binary(std::string_view text) {
  return text.starts_with("data:") && text.substr(0, 128).contains(";base64,");
}

// Who asked, as the caller's own name or number: request fields that no answer depends on.
bool names_the_caller(const JsonLeaf& leaf) {
  return leaf.depth == 1 && leaf.kind != JsonLeaf::Kind::key &&
         (leaf.key == "user" || leaf.key == "safety_identifier");
}

// A key of an object is no value of a key.
Leaf as_leaf(const JsonLeaf& leaf) {
  return {.text = leaf.text, .key = leaf.kind == JsonLeaf::Kind::key ? "" : leaf.key};
}

}  // namespace

Status collect_entities(const Detector& detector, std::string_view body, EntityTable& table) {
  TRY(rewrite_json(body, [&](const JsonLeaf& leaf) -> std::optional<std::string> {
    if (is_binary(leaf.text)) return std::nullopt;
    for (const Entity& entity : detector.detect(as_leaf(leaf))) {
      if (has_surrogate(entity.type)) add_to(table, entity);
    }
    return std::nullopt;
  }));
  return {};
}

Result<Pseudonymiser> Pseudonymiser::create(const Detector& detector, const EntityTable& originals,
                                            const SecretText& key) {
  auto known = TRY(KnownValues::create(originals));
  auto surrogates = TRY(Surrogates::assign(key, originals));
  return Pseudonymiser(detector, originals, std::move(known), std::move(surrogates));
}

std::vector<Entity> Pseudonymiser::entities_of(const Leaf& leaf) const {
  std::vector<Entity> entities = detector_.detect(leaf);
  std::erase_if(entities, [](const Entity& entity) { return !has_surrogate(entity.type); });
  for (Entity& entity : known_.find(leaf.text)) entities.push_back(std::move(entity));
  return without_overlaps(std::move(entities));
}

Result<Pseudonymiser::Rewritten> Pseudonymiser::rewrite(std::string_view body) const {
  Rewritten result;
  auto changed = TRY(rewrite_json(body, [&](const JsonLeaf& leaf) -> std::optional<std::string> {
    if (is_binary(leaf.text)) return std::nullopt;
    if (names_the_caller(leaf)) return "[REDACTED:" + std::string(leaf.key) + "]";
    const std::vector<Entity> entities = entities_of(as_leaf(leaf));
    if (entities.empty()) return std::nullopt;
    std::string out;
    std::size_t copied_to = 0;
    for (const Entity& entity : entities) {
      out += leaf.text.substr(copied_to, entity.begin - copied_to);
      out += surrogates_.write(entity, leaf.text.substr(entity.begin, entity.end - entity.begin));
      copied_to = entity.end;
      ++result.replaced[static_cast<std::size_t>(entity.type)];
    }
    return out + std::string(leaf.text.substr(copied_to));
  }));
  result.body = changed ? std::move(*changed) : std::string(body);
  result.clean = is_clean(result.body);
  return result;
}

// Once over the bytes as they are, whatever they are part of, and once over the walked leaves.
bool Pseudonymiser::is_clean(std::string_view body) const {
  if (!known_.find(body).empty()) return false;
  bool clean = true;
  const auto walked = rewrite_json(body, [&](const JsonLeaf& leaf) -> std::optional<std::string> {
    if (!clean || is_binary(leaf.text)) return std::nullopt;
    clean = known_.find(leaf.text).empty();
    for (const Entity& entity : detector_.detect(as_leaf(leaf)))
      clean = clean && !originals_.contains({.type = entity.type, .value = entity.value});
    return std::nullopt;
  });
  return clean && walked.has_value();
}

}  // namespace understudy::s2
