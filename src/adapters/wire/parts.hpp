// Content that both APIs know under other names: images, documents, stop reasons. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/result.hpp"

namespace understudy::wire {

// An error of translation: "messages[3].content[0]: why".
std::unexpected<Error> untranslatable(std::string_view field, std::string_view why);

// "messages[3]"
std::string at_index(std::string_view field, std::size_t index);

// "data:image/png;base64,AAAA"
struct DataUrl {
  std::string_view media_type;
  std::string_view data;
};
std::optional<DataUrl> parse_data_url(std::string_view url);

// {"type":"base64","media_type","data"} or {"type":"url","url"} of a URL, and back. Nothing for
// another scheme, or another kind of source.
std::optional<json::object> source_of_url(std::string_view url);
std::optional<std::string> url_of_source(const json::value& source);

// Compact JSON text like json::to_text(), with numbers as people write them: 0.7, not 7E-1. Tool
// arguments are text that models and people read.
std::string wire_text(const json::value& tree);

// The thinking blocks among a list of blocks; only these are taken from a peer as they are.
bool is_thinking(const json::value& block);
json::array thinking_of(const json::array& blocks);

// The text of a content that is a string or a list of text parts; nothing when another part is in
// it. `separator` goes between two parts.
std::optional<std::string> plain_text(const json::value& content, std::string_view separator);

}  // namespace understudy::wire
