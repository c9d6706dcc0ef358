#include "steps/s2_curate/json_rewriter.hpp"

#include "base/json.hpp"
#include "base/limits.hpp"
#include "steps/s2_curate/characters.hpp"

namespace understudy::s2 {

namespace {

constexpr std::size_t nested_texts_max = 4;  // a tool result inside arguments inside a message ...
constexpr std::size_t number_digits_min = 7;

class Rewriter {
 public:
  Rewriter(std::string_view text, const JsonVisitor& visit, std::size_t depth, std::size_t nesting)
      : text_(text), visit_(visit), depth_(depth), nesting_(nesting) {}

  Result<std::optional<std::string>> run(std::string_view key) {
    TRY(value(key));
    skip_spaces();
    if (at_ != text_.size()) return malformed();
    if (copied_to_ == 0) return std::nullopt;
    out_ += text_.substr(copied_to_);
    return std::move(out_);
  }

 private:
  [[nodiscard]] std::unexpected<Error> malformed() const {
    return fail(ErrorCode::invalid_input, "no JSON at byte " + std::to_string(at_));
  }

  void skip_spaces() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }

  [[nodiscard]] bool next_is(char c) {
    skip_spaces();
    return at_ < text_.size() && text_[at_] == c;
  }

  Status value(std::string_view key) {
    skip_spaces();
    if (at_ >= text_.size()) return malformed();
    switch (text_[at_]) {
      case '{': return object();
      case '[': return array(key);
      case '"': return string_leaf(key);
      default: return scalar(key);
    }
  }

  Status object() {
    if (++depth_ > limits::json_depth_max * (nested_texts_max + 1)) return malformed();
    ++at_;
    if (!next_is('}')) {
      while (true) {
        if (!next_is('"')) return malformed();
        const std::size_t begin = at_;
        const std::string key = TRY(string_token());
        replace(begin,
                visit_({.kind = JsonLeaf::Kind::key, .text = key, .key = {}, .depth = depth_}));
        if (!next_is(':')) return malformed();
        ++at_;
        TRY(value(key));
        if (next_is('}')) break;
        if (!next_is(',')) return malformed();
        ++at_;
      }
    }
    ++at_;
    --depth_;
    return {};
  }

  Status array(std::string_view key) {
    if (++depth_ > limits::json_depth_max * (nested_texts_max + 1)) return malformed();
    ++at_;
    if (!next_is(']')) {
      while (true) {
        TRY(value(key));
        if (next_is(']')) break;
        if (!next_is(',')) return malformed();
        ++at_;
      }
    }
    ++at_;
    --depth_;
    return {};
  }

  Status string_leaf(std::string_view key) {
    const std::size_t begin = at_;
    const std::string text = TRY(string_token());
    if (auto nested = nested_json(text, key)) {
      replace(begin, std::move(*nested));
    } else {
      replace(begin,
              visit_({.kind = JsonLeaf::Kind::text, .text = text, .key = key, .depth = depth_}));
    }
    return {};
  }

  // Absent: the string is no JSON text. Holding nothing: it is one, and stays as it is.
  std::optional<std::optional<std::string>> nested_json(std::string_view text,
                                                        std::string_view key) const {
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    if (nesting_ >= nested_texts_max || first == std::string_view::npos) return std::nullopt;
    const char closing = text[first] == '{' ? '}' : text[first] == '[' ? ']' : '\0';
    if (closing == '\0' || text[text.find_last_not_of(" \t\r\n")] != closing) return std::nullopt;
    if (!json::parse(text)) return std::nullopt;
    auto rewritten = Rewriter(text, visit_, depth_, nesting_ + 1).run(key);
    if (!rewritten) return std::nullopt;
    return std::move(*rewritten);
  }

  Status scalar(std::string_view key) {
    const std::size_t begin = at_;
    while (at_ < text_.size() && !is_space(text_[at_]) && text_[at_] != ',' && text_[at_] != ']' &&
           text_[at_] != '}')
      ++at_;
    const std::string_view token = text_.substr(begin, at_ - begin);
    if (token.empty()) return malformed();
    if (token.size() < number_digits_min || token.find_first_not_of("0123456789") != token.npos)
      return {};
    const auto changed =
        visit_({.kind = JsonLeaf::Kind::number, .text = token, .key = key, .depth = depth_});
    if (!changed) return {};
    // What is no number any more becomes a string.
    const bool digits = changed->find_first_not_of("0123456789") == std::string::npos;
    splice(begin,
           digits && !changed->starts_with('0') ? *changed : json::to_text(json::value(*changed)));
    return {};
  }

  // Reads the string at at_ and moves behind it.
  Result<std::string> string_token() {
    const std::size_t begin = at_++;
    bool escapes = false;
    while (at_ < text_.size() && text_[at_] != '"') {
      escapes = escapes || text_[at_] == '\\';
      at_ += text_[at_] == '\\' ? 2U : 1U;
    }
    if (at_ >= text_.size()) return malformed();
    ++at_;
    if (!escapes) return std::string(text_.substr(begin + 1, at_ - begin - 2));
    const json::value token = TRY(json::parse(text_.substr(begin, at_ - begin)));
    return std::string(token.get_string());
  }

  void replace(std::size_t begin, std::optional<std::string> changed) {
    if (changed) splice(begin, json::to_text(json::value(*changed)));
  }

  void splice(std::size_t begin, std::string_view token) {
    out_ += text_.substr(copied_to_, begin - copied_to_);
    out_ += token;
    copied_to_ = at_;
  }

  std::string_view text_;
  const JsonVisitor& visit_;
  std::size_t depth_;
  std::size_t nesting_;
  std::size_t at_ = 0;
  std::size_t copied_to_ = 0;  // of text_; all before is in out_
  std::string out_;
};

}  // namespace

Result<std::optional<std::string>> rewrite_json(std::string_view json_text,
                                                const JsonVisitor& visit) {
  return Rewriter(json_text, visit, 0, 0).run({});
}

}  // namespace understudy::s2
