#include "steps/s1_capture/request_text.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/limits.hpp"

namespace understudy::s1 {

namespace {

// Fields whose elements (or whole value) come again with each call of a conversation.
constexpr std::array<std::string_view, 6> repeated_fields = {"messages", "tools",  "functions",
                                                             "input",    "system", "instructions"};

class Serialiser {
 public:
  RequestText run(const json::value& request) {
    if (!request.is_object()) {
      text_ = json::to_text(request);
    } else {
      put_object(request.get_object());
    }
    return {.text = SecretText(std::move(text_)), .repeated = std::move(repeated_)};
  }

 private:
  void put_object(const json::object& object) {
    char separator = '{';
    for (const auto& member : object) {
      text_ += std::exchange(separator, ',');
      text_ += json::to_text(json::value(member.key()));
      text_ += ':';
      const bool repeats = std::ranges::contains(repeated_fields, std::string_view(member.key()));
      if (!repeats) {
        text_ += json::to_text(member.value());
      } else if (member.value().is_array()) {
        put_array(member.value().get_array());
      } else {
        put_part(member.value());
      }
    }
    text_ += separator == '{' ? "{}" : "}";
  }

  void put_array(const json::array& array) {
    char separator = '[';
    for (const json::value& element : array) {
      text_ += std::exchange(separator, ',');
      put_part(element);
    }
    text_ += separator == '[' ? "[]" : "]";
  }

  void put_part(const json::value& part) {
    const std::size_t begin = text_.size();
    text_ += json::to_text(part);
    if (text_.size() - begin >= limits::part_bytes_min) {
      repeated_.push_back({.begin = begin, .bytes = text_.size() - begin});
    }
  }

  std::string text_;
  std::vector<TextRange> repeated_;
};

}  // namespace

RequestText to_request_text(const json::value& request) { return Serialiser().run(request); }

}  // namespace understudy::s1
