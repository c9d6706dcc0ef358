#include "steps/s2_curate/surrogate/number_variation.hpp"

#include <algorithm>
#include <optional>

#include "steps/s2_curate/surrogate/json_rewriter.hpp"
#include "steps/s2_curate/surrogate/keyed_stream.hpp"

namespace understudy::s2 {

namespace {

constexpr std::uint32_t factor_e4_min = 10'500;
constexpr std::uint32_t factor_e4_count = 1'500;

// Finds the members that hold messages: "messages" of a request, "message" of each choice.
class SpanFinder : public JsonVisitor {
 public:
  void leaf(const JsonLeaf& leaf) override {
    if (leaf.kind != JsonLeaf::Kind::key) return;
    if (depth_ != 0 && leaf.depth <= depth_) close(leaf.begin);
    const bool opens =
        (leaf.depth == 1 && leaf.text == "messages") || (leaf.depth == 3 && leaf.text == "message");
    if (depth_ == 0 && opens) {
      depth_ = leaf.depth;
      begin_ = leaf.end;
    }
  }
  bool nested(const JsonNested&) override { return true; }
  ByteSpans spans_to(std::size_t end) {
    if (depth_ != 0) close(end);
    return std::move(spans_);
  }

 private:
  void close(std::size_t end) {
    spans_.emplace_back(begin_, end);
    depth_ = 0;
  }
  std::size_t depth_ = 0;  // of the member that is open
  std::size_t begin_ = 0;
  ByteSpans spans_;
};

}  // namespace

std::uint32_t draw_factor_e4(const SecretText& key, const std::string& label) {
  return factor_e4_min + KeyedStream(key, "numbers/" + label).below(factor_e4_count);
}

std::string_view to_string(NumbersOutcome outcome) {
  switch (outcome) {
    case NumbersOutcome::none: return "nothing_to_vary";
    case NumbersOutcome::varied: return "varied";
    case NumbersOutcome::derived: return "not_in_the_prompt";
    case NumbersOutcome::crosses: return "passes_a_fixed_number";
    case NumbersOutcome::unfit: return "no_longer_fits";
    case NumbersOutcome::reordered: return "order_lost";
  }
  return "nothing_to_vary";
}

ByteSpans message_spans(std::string_view body) {
  SpanFinder finder;
  if (!walk_json(body, finder)) return {};
  return finder.spans_to(body.size());
}

bool in_any(const ByteSpans& spans, std::size_t at) {
  return std::ranges::any_of(
      spans, [at](const auto& span) { return at >= span.first && at < span.second; });
}

std::vector<ScaledNumber> numbers_of_messages(std::string_view body) {
  std::vector<ScaledNumber> numbers;
  const ByteSpans spans = message_spans(body);
  (void)rewrite_json(body, [&](const JsonLeaf& leaf) -> std::optional<std::string> {
    if (!in_any(spans, leaf.outermost) || leaf.kind == JsonLeaf::Kind::key) return std::nullopt;
    for (const NumberLiteral& number : numbers_in(leaf.text)) numbers.push_back(number.value);
    return std::nullopt;
  });
  return numbers;
}

std::vector<VariedCall::Change> VariedCall::vary(std::string_view text, const ByteSpans& taken,
                                                 Side side) {
  std::vector<Change> changes;
  for (const NumberLiteral& number : numbers_in(text)) {
    const bool is_taken = std::ranges::any_of(taken, [&](const auto& span) {
      return number.begin < span.second && span.first < number.end;
    });
    if (is_taken || variation_.fixed->contains(number.value)) continue;
    const ScaledNumber image = scaled(number.value, variation_.factor_e4);
    if (side == Side::prompt) {
      prompt_.emplace(number.value, image);
    } else {
      answer_.insert(number.value);
    }
    changes.push_back(
        {.begin = number.begin, .end = number.end, .text = written_as(image, number)});
  }
  return changes;
}

NumbersOutcome VariedCall::outcome() const {
  if (!std::ranges::all_of(answer_, [&](ScaledNumber number) { return prompt_.contains(number); }))
    return NumbersOutcome::derived;
  if (prompt_.empty()) return NumbersOutcome::none;
  ScaledNumber last = 0;
  for (const auto& [number, image] : prompt_) {
    if (image <= last) return NumbersOutcome::reordered;
    last = image;
    const auto next_fixed = variation_.fixed->lower_bound(number);
    if (next_fixed != variation_.fixed->end() && *next_fixed <= image)
      return NumbersOutcome::crosses;
  }
  return NumbersOutcome::varied;
}

}  // namespace understudy::s2
