#include "steps/s2_curate/detect/text_scanner.hpp"

#include <algorithm>
#include <utility>

#include "adapters/text/hashing.hpp"
#include "steps/s2_curate/detect/characters.hpp"
#include "steps/s2_curate/detect/json_token.hpp"
#include "steps/s2_curate/detect/json_walker.hpp"

namespace understudy::s2 {

namespace {

constexpr std::size_t remembered_bytes_min = 32;  // shorter strings are searched as fast
constexpr std::size_t plain_bytes_max = 20;
constexpr std::size_t plain_key_bytes_max = 48;

// An image or a sound as a data URL: its letters mean nothing, but look like keys.
bool is_binary(std::string_view text) {
  return text.starts_with("data:") && text.substr(0, 128).contains(";base64,");
}

// "assistant", "tool_calls", "application/json", and keys that are identifiers: one word, with
// neither digits nor capitals; most strings of a log are such.
bool is_plain(const JsonLeaf& leaf) {
  const bool is_key = leaf.kind == JsonLeaf::Kind::key;
  if (leaf.text.size() >= (is_key ? plain_key_bytes_max : plain_bytes_max)) return false;
  return std::ranges::all_of(leaf.text, [&](char c) {
    return is_lower(c) || c == '_' || c == '-' || c == '/' || (is_key && is_upper(c));
  });
}

}  // namespace

// Collects the entities of a JSON text's leaves, moved to where their tokens stand. Of a nested
// text the places are worked out level by level, from the inside.
class LeafCollector : public JsonVisitor {
 public:
  LeafCollector(TextScanner& scanner, std::string_view text, std::size_t nesting)
      : scanner_(scanner), text_(text), nesting_(nesting) {}

  void leaf(const JsonLeaf& leaf) override {
    if (is_binary(leaf.text)) return;
    if (is_plain(leaf)) return;
    const std::string_view key = leaf.kind == JsonLeaf::Kind::key ? std::string_view() : leaf.key;
    const std::vector<Entity>& inside = scanner_.look_at({.text = leaf.text, .key = key});
    if (inside.empty()) return;
    if (leaf.kind != JsonLeaf::Kind::number) return add_from_token(inside, leaf.begin, leaf.end);
    for (const Entity& entity : inside)
      found.push_back(moved(entity, leaf.begin + entity.begin, leaf.begin + entity.end));
  }

  bool nested(const JsonNested& nested) override {
    if (nesting_ >= nested_texts_max) return false;
    if (nested.encoded != nullptr) {
      // What is inside has no places outside: it stands for the whole string.
      std::vector<Entity> inside;
      if (looks_like_json(nested.text)) {
        LeafCollector collector(scanner_, nested.text, nesting_ + 1);
        if (!walk_json(nested.text, collector, nested.key, nested.depth)) return false;
        inside = std::move(collector.found);
      } else {
        inside = scanner_.look_at({.text = nested.text, .key = nested.key});
      }
      if (inside.empty()) return false;
      for (const Entity& entity : inside)
        found.push_back(moved(entity, nested.begin + 1, nested.end - 1));
      return true;
    }
    LeafCollector collector(scanner_, nested.text, nesting_ + 1);
    if (!walk_json(nested.text, collector, nested.key, nested.depth)) return false;
    std::ranges::stable_sort(collector.found, {}, &Entity::begin);
    if (!collector.found.empty()) add_from_token(collector.found, nested.begin, nested.end);
    return true;
  }

  bool entered(const JsonObject& object) override {
    if (scanner_.remembered_max_ == 0) return false;
    const auto* known = scanner_.recall(hash_of(object), object.text.size());
    if (known == nullptr) {
      starts_.push_back(found.size());
      return false;
    }
    ++scanner_.counts_.repeated_objects;
    for (const Entity& entity : *known)
      found.push_back(moved(entity, object.begin + entity.begin, object.begin + entity.end));
    return true;
  }

  void left(const JsonObject& object) override {
    if (scanner_.remembered_max_ == 0) return;
    std::vector<Entity> inside;
    for (std::size_t i = starts_.back(); i < found.size(); ++i)
      inside.push_back(moved(found[i], found[i].begin - object.begin, found[i].end - object.begin));
    starts_.pop_back();
    scanner_.remember(hash_of(object), object.text.size(), std::move(inside));
  }

  std::vector<Entity> found;

 private:
  static std::uint64_t hash_of(const JsonObject& object) {
    return text::hash64(object.text, text::hash64(object.key) + 1);
  }

  static Entity moved(const Entity& entity, std::size_t begin, std::size_t end) {
    Entity copy = entity;
    copy.begin = begin;
    copy.end = end;
    return copy;
  }

  // Of entities in order.
  void add_from_token(const std::vector<Entity>& inside, std::size_t begin, std::size_t end) {
    TokenPlaces places(text_.substr(begin, end - begin));
    for (const Entity& entity : inside) {
      const std::size_t from = begin + places.of(entity.begin);
      found.push_back(moved(entity, from, begin + places.of(entity.end)));
    }
  }

  TextScanner& scanner_;
  std::string_view text_;
  std::size_t nesting_;
  std::vector<std::size_t> starts_;  // of the objects that are being walked, in `found`
};

const std::vector<Entity>& TextScanner::look_at(const Leaf& leaf) {
  ++counts_.leaves;
  if (leaf.text.size() < remembered_bytes_min || remembered_max_ == 0) {
    last_ = detector_.detect(leaf);
    return last_;
  }
  const std::uint64_t hash = text::hash64(leaf.text, text::hash64(leaf.key));
  if (const auto* known = recall(hash, leaf.text.size())) {
    ++counts_.repeated_leaves;
    return *known;
  }
  last_ = detector_.detect(leaf);
  remember(hash, leaf.text.size(), last_);
  return last_;
}

const std::vector<Entity>* TextScanner::recall(std::uint64_t hash, std::size_t bytes) const {
  const auto place = remembered_.find(hash);
  return place != remembered_.end() && place->second.bytes == bytes ? &place->second.entities
                                                                    : nullptr;
}

void TextScanner::remember(std::uint64_t hash, std::size_t bytes, std::vector<Entity> entities) {
  if (remembered_.size() >= remembered_max_) remembered_.clear();
  remembered_[hash] = {.bytes = bytes, .entities = std::move(entities)};
}

std::vector<Entity> TextScanner::scan(std::string_view text) {
  ++counts_.texts;
  if (looks_like_json(text)) {
    LeafCollector collector(*this, text, 0);
    if (walk_json(text, collector)) {
      ++counts_.json_texts;
      std::ranges::stable_sort(collector.found, {}, &Entity::begin);
      return std::move(collector.found);
    }
  }
  return look_at({.text = text, .key = {}});
}

}  // namespace understudy::s2
