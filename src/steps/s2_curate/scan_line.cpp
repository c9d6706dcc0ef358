#include "steps/s2_curate/scan_line.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/json.hpp"
#include "steps/s2_curate/detect/characters.hpp"
#include "steps/s2_curate/detect/json_token.hpp"

namespace understudy::s2 {

namespace {

constexpr std::size_t plain_digits_max = 15;

bool is_json_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// An id that is written in one way only: "a-17", 42.
bool is_plain_text(std::string_view inside) {
  return std::ranges::all_of(inside,
                             [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; });
}
bool is_plain_number(std::string_view token) {
  return !token.empty() && token.size() <= plain_digits_max &&
         std::ranges::all_of(token, is_digit) && (token.front() != '0' || token.size() == 1);
}

class PlainLine {
 public:
  explicit PlainLine(std::string_view line) : line_(line) {}

  std::optional<ScanLine> read() {
    if (!take('{')) return std::nullopt;
    do {
      if (!take('"')) return std::nullopt;
      const std::string_view key = up_to_quote();
      if (!take('"') || !take(':') || !member(key)) return std::nullopt;
    } while (take(','));
    if (!take('}') || !at_end() || read_.id.empty() || !text_seen_) return std::nullopt;
    return std::move(read_);
  }

 private:
  void skip_spaces() {
    while (at_ < line_.size() && is_json_space(line_[at_])) ++at_;
  }

  bool take(char c) {
    skip_spaces();
    if (at_ >= line_.size() || line_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool at_end() {
    skip_spaces();
    return at_ == line_.size();
  }

  std::string_view up_to_quote() {
    const std::size_t begin = at_;
    at_ = std::min(line_.find('"', at_), line_.size());
    return line_.substr(begin, at_ - begin);
  }

  bool member(std::string_view key) {
    skip_spaces();
    if (key == "id" && read_.id.empty()) return id();
    return key == "text" && !text_seen_ && text();
  }

  bool id() {
    const std::size_t begin = at_;
    if (take('"')) {
      const std::string_view inside = up_to_quote();
      if (!take('"') || !is_plain_text(inside)) return false;
    } else {
      while (at_ < line_.size() && is_digit(line_[at_])) ++at_;
      if (!is_plain_number(line_.substr(begin, at_ - begin))) return false;
    }
    read_.id = line_.substr(begin, at_ - begin);
    return true;
  }

  bool text() {
    if (at_ >= line_.size() || line_[at_] != '"') return false;
    auto string = read_json_string(line_, at_);
    if (!string) return false;
    at_ = string->end;
    read_.text = std::move(string->text);
    text_seen_ = true;
    return true;
  }

  std::string_view line_;
  std::size_t at_ = 0;
  ScanLine read_;
  bool text_seen_ = false;
};

Result<ScanLine> read_any(std::string_view line) {
  const json::value tree = TRY(json::parse(line));
  if (!tree.is_object()) return fail(ErrorCode::invalid_input, "no JSON object");
  const json::object& object = tree.get_object();
  const json::value* id = object.if_contains("id");
  const json::value* text = object.if_contains("text");
  if (id == nullptr || id->is_structured())
    return fail(ErrorCode::invalid_input, R"("id" is missing, or no text or number)");
  if (text == nullptr || !text->is_string())
    return fail(ErrorCode::invalid_input, R"("text" is missing, or no text)");
  return ScanLine{.id = json::to_text(*id), .text = std::string(text->get_string())};
}

}  // namespace

Result<ScanLine> read_scan_line(std::string_view line) {
  if (auto plain = PlainLine(line).read()) return std::move(*plain);
  return read_any(line);
}

}  // namespace understudy::s2
