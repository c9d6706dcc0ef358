#include "steps/s2_curate/surrogate/json_rewriter.hpp"

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
  Rewriter(const LeafRewrite& rewrite, RewriteMemo* memo, std::size_t nesting,
           std::size_t outermost = 0)
      : rewrite_(rewrite), memo_(memo), nesting_(nesting), outermost_(outermost) {}

  void leaf(const JsonLeaf& leaf) override {
    const auto changed = rewrite_(placed(leaf));
    if (!changed) return;
    // What is no number any more becomes a string.
    const bool number = leaf.kind == JsonLeaf::Kind::number && !changed->starts_with('0') &&
                        changed->find_first_not_of("0123456789") == std::string::npos;
    splice(leaf.begin, leaf.end, number ? *changed : json::to_text(json::value(*changed)));
  }

  void small_number(const JsonLeaf& leaf) override {
    if (auto changed = rewrite_(placed(leaf))) splice(leaf.begin, leaf.end, std::move(*changed));
  }

  bool nested(const JsonNested& nested) override {
    if (nesting_ >= nested_texts_max) return false;
    std::optional<std::string> changed;
    if (nested.encoded == nullptr || looks_like_json(nested.text)) {
      Rewriter inside(rewrite_, memo_, nesting_ + 1, outermost_of(nested.begin));
      if (!walk_json(nested.text, inside, nested.key, nested.depth)) return false;
      changed = inside.apply_to(nested.text);
    } else {
      changed = rewrite_({.kind = JsonLeaf::Kind::text,
                          .text = nested.text,
                          .key = nested.key,
                          .depth = nested.depth,
                          .begin = nested.begin,
                          .end = nested.end,
                          .outermost = outermost_of(nested.begin)});
    }
    if (!changed) return nested.encoded == nullptr;  // encoded: perhaps a key, as it stands
    if (nested.encoded != nullptr) changed = encode_again(*nested.encoded, *changed);
    splice(nested.begin, nested.end, json::to_text(json::value(*changed)));
    return true;
  }

  bool entered(const JsonObject& object) override {
    if (memo_ == nullptr) return false;
    const std::optional<std::string>* known = memo_->recall(object);
    if (known == nullptr) {
      starts_.push_back(splices_.size());
      return false;
    }
    if (*known) splice(object.begin, object.begin + object.text.size(), **known);
    return true;
  }

  void left(const JsonObject& object) override {
    if (memo_ == nullptr) return;
    auto changed = applied(object.text, starts_.back(), object.begin);
    starts_.pop_back();
    memo_->remember(object, std::move(changed));
  }

  std::optional<std::string> apply_to(std::string_view text) { return applied(text, 0, 0); }

 private:
  [[nodiscard]] std::size_t outermost_of(std::size_t begin) const {
    return nesting_ == 0 ? begin : outermost_;
  }
  [[nodiscard]] JsonLeaf placed(JsonLeaf leaf) const {
    leaf.outermost = outermost_of(leaf.begin);
    return leaf;
  }

  // The splices from `first` on, in a text that begins at `origin` of the walked one.
  std::optional<std::string> applied(std::string_view text, std::size_t first, std::size_t origin) {
    if (first == splices_.size()) return std::nullopt;
    const auto begin = splices_.begin() + static_cast<std::ptrdiff_t>(first);
    std::sort(begin, splices_.end(),
              [](const Splice& a, const Splice& b) { return a.begin < b.begin; });
    std::string out;
    std::size_t copied_to = 0;
    for (auto splice = begin; splice != splices_.end(); ++splice) {
      out += text.substr(copied_to, splice->begin - origin - copied_to);
      out += splice->token;
      copied_to = splice->end - origin;
    }
    return out += text.substr(copied_to);
  }

  void splice(std::size_t begin, std::size_t end, std::string token) {
    splices_.push_back({.begin = begin, .end = end, .token = std::move(token)});
  }

  const LeafRewrite& rewrite_;
  RewriteMemo* memo_;
  std::size_t nesting_;
  std::size_t outermost_;  // in the whole text
  std::vector<Splice> splices_;
  std::vector<std::size_t> starts_;  // of the objects that are being walked, in splices_
};

}  // namespace

Result<std::optional<std::string>> rewrite_json(std::string_view json_text,
                                                const LeafRewrite& rewrite, RewriteMemo* memo) {
  Rewriter rewriter(rewrite, memo, 0);
  TRY(walk_json(json_text, rewriter));
  return rewriter.apply_to(json_text);
}

}  // namespace understudy::s2
