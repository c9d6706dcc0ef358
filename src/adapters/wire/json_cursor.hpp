// Reads one JSON text without building a tree. simdjson's first stage finds the structure (quotes,
// brackets, commas; it also checks UTF-8 and control characters in strings); the cursor walks over
// it and hands out views of the bytes. What a visitor leaves unread is skipped and its grammar
// checked. A defect makes the cursor fail for good: every loop ends, failed() says so.
// A JsonText and its cursors belong to one thread; all views die with the JsonText.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace understudy::wire {

// How much is checked of what nobody looks at.
enum class Check {
  structure,  // brackets, commas, colons
  all,        // also escapes, numbers and literals: what a client's JSON parser would refuse
};

class JsonCursor {
 public:
  // The first byte of the next token; '\0' at the end and after a failure.
  [[nodiscard]] char peek() const { return failed_ || at_ == end_ ? '\0' : text_[*at_]; }
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] bool at_end() const { return !failed_ && at_ == end_; }
  [[nodiscard]] std::size_t offset() const { return *at_; }  // of the next token in the text
  void fail() { failed_ = true; }

  // An object: visit(key) for each member, with the cursor on the value. The key is escaped as in
  // the text. False (and nothing read) where the next value is no object.
  template <class Visit>
  bool each_member(Visit&& visit);
  // An array: visit() for each element, with the cursor on it.
  template <class Visit>
  bool each_element(Visit&& visit);

  // Reads one value of the kind asked for; where the next one is of another kind, nothing is read.
  std::optional<std::string_view> string();  // still escaped, without its quotes
  std::optional<std::int64_t> integer();
  std::optional<bool> boolean();
  bool null();
  std::string_view skip();  // any value: its bytes

  // Where the text behind the last bracket that was read begins.
  [[nodiscard]] std::size_t consumed() const { return at_[-1] + 1; }

 private:
  friend class JsonText;
  JsonCursor(const char* text, const std::uint32_t* at, const std::uint32_t* end, Check check)
      : text_(text), at_(at), end_(end), check_(check) {}

  bool enter(char open);
  bool leave(char close);
  std::string_view token();  // the next scalar

  static constexpr int depth_max = 512;  // deeper nesting fails: the walk is recursive

  const char* text_;
  const std::uint32_t* at_;
  const std::uint32_t* end_;  // *end_ is the length of the text
  Check check_;
  int depth_ = 0;
  bool failed_ = false;
};

class JsonText {
 public:
  // Copies the text (simdjson reads up to 64 bytes behind it); for texts of some KiB that is cheap.
  explicit JsonText(std::string_view text);
  // Without a copy: reserves the bytes behind the text where its capacity lacks them.
  explicit JsonText(std::string& text);
  ~JsonText();
  JsonText(const JsonText&) = delete;
  JsonText& operator=(const JsonText&) = delete;

  // Failed from the start when the text has no JSON structure at all.
  [[nodiscard]] JsonCursor cursor(Check check = Check::structure) const;

  static constexpr std::size_t padding_bytes = 64;

  struct Scratch;

 private:
  void index(const char* text, std::size_t bytes);

  std::unique_ptr<Scratch> scratch_;
  const char* text_ = nullptr;
};

// The characters that an escaped string stands for; lone surrogates become U+FFFD.
std::string unescape(std::string_view escaped);

template <class Visit>
bool JsonCursor::each_member(Visit&& visit) {
  if (peek() != '{') return false;
  if (!enter('{')) return true;
  while (peek() != '}') {
    const auto key = string();
    if (!key || peek() != ':') return fail(), true;
    ++at_;
    const std::uint32_t* before = at_;
    visit(*key);
    if (at_ == before) skip();
    if (peek() != ',') break;
    ++at_;
    if (peek() != '"') return fail(), true;
  }
  leave('}');
  return true;
}

template <class Visit>
bool JsonCursor::each_element(Visit&& visit) {
  if (peek() != '[') return false;
  if (!enter('[')) return true;
  while (peek() != ']') {
    const std::uint32_t* before = at_;
    visit();
    if (at_ == before) skip();
    if (peek() != ',') break;
    ++at_;
    if (peek() == ']') return fail(), true;
  }
  leave(']');
  return true;
}

}  // namespace understudy::wire
