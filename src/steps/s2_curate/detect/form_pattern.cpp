#include "steps/s2_curate/detect/form_pattern.hpp"

#include <charconv>
#include <utility>

#include "steps/s2_curate/detect/characters.hpp"

namespace understudy::s2 {

namespace {

constexpr std::size_t count_max = 32;
constexpr std::size_t steps_max = 2048;
constexpr std::size_t depth_max = 16;  // of groups

}  // namespace

// Recursive descent; a counted piece is written out as often as it may stand.
class FormParser {
 public:
  explicit FormParser(std::string_view expression) : rest_(expression) {}

  Result<FormPattern> run() {
    TRY(alternatives());
    if (!rest_.empty()) return wrong();
    add({.kind = FormPattern::Step::Kind::end});
    if (form_.steps_.size() > steps_max) return wrong();
    form_.collect_first(0);
    return std::move(form_);
  }

 private:
  using Step = FormPattern::Step;

  std::unexpected<Error> wrong() {
    return fail(ErrorCode::invalid_input,
                "no form: \"" + std::string(rest_) + "\" is not understood");
  }

  std::size_t here() const { return form_.steps_.size(); }
  std::size_t add(Step step) {
    form_.steps_.push_back(step);
    return here() - 1;
  }
  static std::uint16_t target(std::size_t step) { return static_cast<std::uint16_t>(step); }

  Status alternatives() {
    std::vector<std::size_t> jumps;
    while (true) {
      const std::string_view before = rest_;
      const std::size_t split = add({.kind = Step::Kind::split});
      TRY(sequence());
      form_.steps_[split].first = target(split + 1);
      if (!rest_.starts_with('|')) {  // the last one: nothing to split
        form_.steps_[split] = {.kind = Step::Kind::jump, .first = target(split + 1)};
        break;
      }
      if (before == rest_) return wrong();
      rest_.remove_prefix(1);
      jumps.push_back(add({.kind = Step::Kind::jump}));
      form_.steps_[split].second = target(here());
    }
    for (const std::size_t jump : jumps) form_.steps_[jump].first = target(here());
    return {};
  }

  Status sequence() {
    while (!rest_.empty() && rest_.front() != '|' && rest_.front() != ')') {
      const std::string_view from = rest_;
      const std::size_t begin = here();
      TRY(atom());
      const std::string_view piece = from.substr(0, from.size() - rest_.size());
      std::size_t min = 1;
      std::size_t max = 1;
      TRY(count(min, max));
      TRY(repeat(piece, begin, min, max));
    }
    return {};
  }

  // One copy of the piece stands at `begin`; the others are written behind it.
  Status repeat(std::string_view piece, std::size_t begin, std::size_t min, std::size_t max) {
    if (max == 1 && min == 1) return {};
    form_.steps_.resize(begin);
    std::vector<std::size_t> splits;
    for (std::size_t i = 0; i < max; ++i) {
      if (i >= min) splits.push_back(add({.kind = Step::Kind::split}));
      if (i >= min) form_.steps_[splits.back()].first = target(here());
      if (here() > steps_max) return wrong();  // repeats of repeats
      const std::string_view kept = std::exchange(rest_, piece);
      TRY(atom());
      rest_ = kept;
    }
    for (const std::size_t split : splits) form_.steps_[split].second = target(here());
    return {};
  }

  Status count(std::size_t& min, std::size_t& max) {
    if (rest_.starts_with('?')) {
      min = 0;
      rest_.remove_prefix(1);
      return {};
    }
    if (!rest_.starts_with('{')) return {};
    rest_.remove_prefix(1);
    TRY(number(min));
    max = min;
    if (rest_.starts_with(',')) {
      rest_.remove_prefix(1);
      TRY(number(max));
    }
    if (!rest_.starts_with('}') || max < min || max == 0 || max > count_max) return wrong();
    rest_.remove_prefix(1);
    return {};
  }

  Status number(std::size_t& value) {
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc()) return wrong();
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return {};
  }

  Status atom() {
    if (rest_.starts_with("(?:")) {
      rest_.remove_prefix(3);
      if (++depth_ > depth_max) return wrong();
      TRY(alternatives());
      --depth_;
      if (!rest_.starts_with(')')) return wrong();
      rest_.remove_prefix(1);
      return {};
    }
    FormPattern::Set set;
    if (rest_.starts_with('[')) {
      TRY(bracket(set));
    } else {
      TRY(character(set));
    }
    form_.sets_.push_back(set);
    add({.kind = Step::Kind::set, .set = target(form_.sets_.size() - 1)});
    return {};
  }

  static bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }
  static void allow(FormPattern::Set& set, char c) {
    set.set(static_cast<unsigned char>(to_lower(c)));
    set.set(static_cast<unsigned char>(to_upper(c)));
  }

  Status character(FormPattern::Set& set) {
    if (rest_.starts_with('\\')) rest_.remove_prefix(1);
    if (rest_.empty() || std::string_view("()[]{}*").contains(rest_.front())) {
      if (rest_.empty() || rest_.front() == '[' || rest_.front() == '*') return wrong();
    }
    allow(set, rest_.front());
    rest_.remove_prefix(1);
    return {};
  }

  Status bracket(FormPattern::Set& set) {
    rest_.remove_prefix(1);
    while (!rest_.empty() && rest_.front() != ']') {
      const char low = rest_.front();
      if (rest_.size() > 2 && rest_[1] == '-' && rest_[2] != ']') {
        const char high = rest_[2];
        if (!is_ascii(low) || !is_ascii(high) || high < low) return wrong();
        for (int c = low; c <= high; ++c) allow(set, static_cast<char>(c));
        rest_.remove_prefix(3);
      } else {
        allow(set, low);
        rest_.remove_prefix(1);
      }
    }
    if (rest_.empty()) return wrong();
    rest_.remove_prefix(1);
    return {};
  }

  std::string_view rest_;
  std::size_t depth_ = 0;
  FormPattern form_;
};

Result<FormPattern> FormPattern::parse(std::string_view expression) {
  return FormParser(expression).run();
}

bool FormPattern::match(std::string_view text, std::size_t begin,
                        const std::function<bool(std::size_t)>& accept) const {
  return run(text, 0, begin, accept);
}

bool FormPattern::run(std::string_view text, std::size_t step, std::size_t at,
                      const std::function<bool(std::size_t)>& accept) const {
  while (true) {
    const Step& now = steps_[step];
    switch (now.kind) {
      case Step::Kind::set:
        if (at >= text.size() || !sets_[now.set].test(static_cast<unsigned char>(text[at])))
          return false;
        ++at;
        ++step;
        break;
      case Step::Kind::split:
        if (run(text, now.first, at, accept)) return true;
        step = now.second;
        break;
      case Step::Kind::jump: step = now.first; break;
      case Step::Kind::end: return accept(at);
    }
  }
}

void FormPattern::collect_first(std::size_t step) {
  while (true) {
    const Step& now = steps_[step];
    switch (now.kind) {
      case Step::Kind::set: first_ |= sets_[now.set]; return;
      case Step::Kind::split:
        collect_first(now.first);
        step = now.second;
        break;
      case Step::Kind::jump: step = now.first; break;
      case Step::Kind::end: return;
    }
  }
}

}  // namespace understudy::s2
