#include "steps/s2_curate/json_rewriter.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/json.hpp"

namespace understudy::s2 {

namespace {

struct Splice {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string token;
};

class Rewriter : public JsonVisitor {
 public:
  Rewriter(const LeafRewrite& rewrite, std::size_t nesting)
      : rewrite_(rewrite), nesting_(nesting) {}

  void leaf(const JsonLeaf& leaf) override {
    const auto changed = rewrite_(leaf);
    if (!changed) return;
    // What is no number any more becomes a string.
    const bool number = leaf.kind == JsonLeaf::Kind::number && !changed->starts_with('0') &&
                        changed->find_first_not_of("0123456789") == std::string::npos;
    splice(leaf.begin, leaf.end, number ? *changed : json::to_text(json::value(*changed)));
  }

  bool nested(const JsonNested& nested) override {
    if (nesting_ >= nested_texts_max) return false;
    std::optional<std::string> changed;
    if (nested.encoded == nullptr || looks_like_json(nested.text)) {
      Rewriter inside(rewrite_, nesting_ + 1);
      if (!walk_json(nested.text, inside, nested.key, nested.depth)) return false;
      changed = inside.apply_to(nested.text);
    } else {
      changed = rewrite_({.kind = JsonLeaf::Kind::text,
                          .text = nested.text,
                          .key = nested.key,
                          .depth = nested.depth,
                          .begin = nested.begin,
                          .end = nested.end});
    }
    if (!changed) return nested.encoded == nullptr;  // encoded: perhaps a key, as it stands
    if (nested.encoded != nullptr) changed = encode_again(*nested.encoded, *changed);
    splice(nested.begin, nested.end, json::to_text(json::value(*changed)));
    return true;
  }

  std::optional<std::string> apply_to(std::string_view text) {
    if (splices_.empty()) return std::nullopt;
    std::ranges::sort(splices_, {}, &Splice::begin);
    std::string out;
    std::size_t copied_to = 0;
    for (const Splice& splice : splices_) {
      out += text.substr(copied_to, splice.begin - copied_to);
      out += splice.token;
      copied_to = splice.end;
    }
    return out += text.substr(copied_to);
  }

 private:
  void splice(std::size_t begin, std::size_t end, std::string token) {
    splices_.push_back({.begin = begin, .end = end, .token = std::move(token)});
  }

  const LeafRewrite& rewrite_;
  std::size_t nesting_;
  std::vector<Splice> splices_;
};

}  // namespace

Result<std::optional<std::string>> rewrite_json(std::string_view json_text,
                                                const LeafRewrite& rewrite) {
  Rewriter rewriter(rewrite, 0);
  TRY(walk_json(json_text, rewriter));
  return rewriter.apply_to(json_text);
}

}  // namespace understudy::s2
