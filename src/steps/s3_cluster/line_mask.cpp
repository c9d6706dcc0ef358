#include "steps/s3_cluster/line_mask.hpp"

#include <algorithm>
#include <cctype>

namespace understudy::s3 {

namespace {

bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return std::isalnum(byte) != 0 || byte >= 0x80 || c == '_';
}

std::string_view trimmed(std::string_view line) {
  while (!line.empty() && is_space(line.front())) line.remove_prefix(1);
  while (!line.empty() && is_space(line.back())) line.remove_suffix(1);
  return line;
}

// Length of the quoted value that begins at `at`, quotes included; 0 when there is none. A quoted
// text before a colon is a key.
std::size_t quoted_value(std::string_view line, std::size_t at) {
  constexpr std::size_t value_bytes_max = 400;
  const std::size_t end = line.find(line[at], at + 1);
  if (end == std::string_view::npos || end - at > value_bytes_max) return 0;
  if (end + 1 < line.size() && line[end + 1] == ':') return 0;
  return end + 1 - at;
}

// "Audience: night owls": bytes of the label with its colon, 0 where the line is no labelled short
// value.
std::size_t labelled_value(std::string_view line) {
  constexpr std::size_t label_bytes_max = 24;
  constexpr std::size_t value_bytes_max = 40;
  const std::size_t colon = line.find(": ");
  if (colon == 0 || colon == std::string_view::npos || colon > label_bytes_max) return 0;
  if (line.size() - colon - 2 > value_bytes_max) return 0;
  const auto is_label = [](char c) {
    return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == ' ';
  };
  return std::ranges::all_of(line.substr(0, colon), is_label) ? colon + 1 : 0;
}

}  // namespace

std::string mask_line(std::string_view line) {
  line = trimmed(line);
  if (const std::size_t label = labelled_value(line))
    return std::string(line.substr(0, label)) + " *";
  std::string masked;
  masked.reserve(line.size());
  for (std::size_t at = 0; at < line.size();) {
    if (line[at] == '"' || line[at] == '`') {
      if (const std::size_t length = quoted_value(line, at)) {
        masked += "''";
        at += length;
        continue;
      }
      masked += line[at++];
      continue;
    }
    std::size_t end = at;
    while (end < line.size() && is_word(line[end])) ++end;
    if (end == at) {
      masked += line[at++];
      continue;
    }
    const std::string_view word = line.substr(at, end - at);
    masked += std::ranges::any_of(word, is_digit) ? std::string_view("0") : word;
    at = end;
  }
  return masked;
}

}  // namespace understudy::s3
