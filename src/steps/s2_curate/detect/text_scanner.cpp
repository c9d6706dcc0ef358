#include "steps/s2_curate/detect/text_scanner.hpp"

#include <algorithm>
#include <utility>

#include "adapters/text/hashing.hpp"
#include "steps/s2_curate/detect/json_walker.hpp"

namespace understudy::s2 {

namespace {

constexpr std::size_t remembered_bytes_min = 128;  // shorter strings are searched as fast
constexpr std::size_t key_bytes_min = 6;

// An image or a sound as a data URL: its letters mean nothing, but look like keys.
bool is_binary(std::string_view text) {
  return text.starts_with("data:") && text.substr(0, 128).contains(";base64,");
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
    if (leaf.kind == JsonLeaf::Kind::key && leaf.text.size() < key_bytes_min) return;
    const std::string_view key = leaf.kind == JsonLeaf::Kind::key ? std::string_view() : leaf.key;
    for (const Entity& entity : scanner_.look_at({.text = leaf.text, .key = key}))
      found.push_back(leaf.kind == JsonLeaf::Kind::number
                          ? moved(entity, leaf.begin + entity.begin, leaf.begin + entity.end)
                          : in_token(entity, leaf.begin, leaf.end));
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
    for (const Entity& entity : collector.found)
      found.push_back(in_token(entity, nested.begin, nested.end));
    return true;
  }

  std::vector<Entity> found;

 private:
  static Entity moved(const Entity& entity, std::size_t begin, std::size_t end) {
    Entity copy = entity;
    copy.begin = begin;
    copy.end = end;
    return copy;
  }

  [[nodiscard]] Entity in_token(const Entity& entity, std::size_t begin, std::size_t end) const {
    const std::string_view token = text_.substr(begin, end - begin);
    if (!token.contains('\\')) return moved(entity, begin + 1 + entity.begin, begin + 1 + entity.end);
    return moved(entity, begin + place_in_token(token, entity.begin),
                 begin + place_in_token(token, entity.end));
  }

  TextScanner& scanner_;
  std::string_view text_;
  std::size_t nesting_;
};

const std::vector<Entity>& TextScanner::look_at(const Leaf& leaf) {
  ++counts_.leaves;
  if (leaf.text.size() < remembered_bytes_min || remembered_max_ == 0) {
    last_ = detector_.detect(leaf);
    return last_;
  }
  const std::uint64_t hash = text::hash64(leaf.text, text::hash64(leaf.key));
  const auto place = remembered_.find(hash);
  if (place != remembered_.end() && place->second.bytes == leaf.text.size()) {
    ++counts_.repeated_leaves;
    return place->second.entities;
  }
  if (remembered_.size() >= remembered_max_) remembered_.clear();
  Remembered& remembered = remembered_[hash];
  remembered = {.bytes = leaf.text.size(), .entities = detector_.detect(leaf)};
  return remembered.entities;
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
