#include "adapters/wire/parts.hpp"

#include <array>
#include <charconv>

#include "base/http_url.hpp"

namespace understudy::wire {

namespace {

void write(const json::value& tree, std::string& out) {
  switch (tree.kind()) {
    case json::kind::object: {
      char separator = '{';
      for (const auto& [key, value] : tree.get_object()) {
        out += separator;
        out += boost::json::serialize(key);
        out += ':';
        write(value, out);
        separator = ',';
      }
      out += tree.get_object().empty() ? "{}" : "}";
      return;
    }
    case json::kind::array: {
      char separator = '[';
      for (const json::value& element : tree.get_array()) {
        out += separator;
        write(element, out);
        separator = ',';
      }
      out += tree.get_array().empty() ? "[]" : "]";
      return;
    }
    case json::kind::double_: {
      std::array<char, 32> digits{};
      const auto end =
          std::to_chars(digits.data(), digits.data() + digits.size(), tree.get_double()).ptr;
      out.append(digits.data(), end);
      return;
    }
    default: out += boost::json::serialize(tree);
  }
}

}  // namespace

std::string wire_text(const json::value& tree) {
  std::string text;
  write(tree, text);
  return text;
}

std::unexpected<Error> untranslatable(std::string_view field, std::string_view why) {
  return fail(ErrorCode::invalid_input, std::string(field) + ": " + std::string(why),
              "the model is served through the other API, which has no equal of it; leave it out "
              "or ask for another model");
}

std::string at_index(std::string_view field, std::size_t index) {
  return std::string(field) + "[" + std::to_string(index) + "]";
}

std::optional<DataUrl> parse_data_url(std::string_view url) {
  constexpr std::string_view scheme = "data:";
  constexpr std::string_view encoding = ";base64";
  if (!url.starts_with(scheme)) return std::nullopt;
  url.remove_prefix(scheme.size());
  const std::size_t comma = url.find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  const std::string_view head = url.substr(0, comma);
  if (!head.ends_with(encoding)) return std::nullopt;
  // Parameters of the media type ("image/png;name=x") have no place in a source.
  const std::string_view media_type =
      head.substr(0, head.size() - encoding.size()).substr(0, head.find(';'));
  return DataUrl{media_type, url.substr(comma + 1)};
}

std::optional<json::object> source_of_url(std::string_view url) {
  if (const auto data = parse_data_url(url)) {
    return json::object{{"type", "base64"}, {"media_type", data->media_type}, {"data", data->data}};
  }
  if (is_http_url(url)) return json::object{{"type", "url"}, {"url", url}};
  return std::nullopt;
}

std::optional<std::string> url_of_source(const json::value& source) {
  const std::string type = json::string_or(source, "type");
  if (type == "url") return json::string_or(source, "url");
  if (type != "base64") return std::nullopt;
  return "data:" + json::string_or(source, "media_type") + ";base64," +
         json::string_or(source, "data");
}

bool is_thinking(const json::value& block) {
  const std::string type = json::string_or(block, "type");
  return type == "thinking" || type == "redacted_thinking";
}

json::array thinking_of(const json::array& blocks) {
  json::array thinking;
  for (const json::value& block : blocks) {
    if (is_thinking(block)) thinking.push_back(block);
  }
  return thinking;
}

std::optional<std::string> plain_text(const json::value& content, std::string_view separator) {
  if (content.is_string()) return std::string(content.get_string());
  if (!content.is_array()) return std::nullopt;
  std::string text;
  bool is_first = true;
  for (const json::value& part : content.get_array()) {
    const auto piece = json::find_string(part, "text");
    if (!piece || json::string_or(part, "type", "text") != "text") return std::nullopt;
    if (!is_first) text += separator;
    is_first = false;
    text += *piece;
  }
  return text;
}

}  // namespace understudy::wire
