#include "apps/table.hpp"

#include <algorithm>
#include <cstdio>

namespace understudy::apps {

namespace {

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80U; }

std::size_t characters(const std::string& text) {
  return text.size() - static_cast<std::size_t>(std::ranges::count_if(text, is_continuation));
}

}  // namespace

std::string one_line(std::string text, std::size_t characters_max) {
  std::ranges::replace_if(text, [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  if (characters(text) <= characters_max) return text;
  std::size_t kept = 0;
  std::size_t end = 0;
  while (end < text.size()) {
    if (!is_continuation(text[end]) && kept++ == characters_max - 1) break;
    ++end;
  }
  return text.substr(0, end) + "…";
}

std::string Table::to_text() const {
  std::vector<std::vector<std::string>> cells;
  cells.emplace_back();
  for (const Column& column : columns_) cells.back().push_back(column.title);
  for (const auto& row : rows_) {
    cells.emplace_back();
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      cells.back().push_back(one_line(i < row.size() ? row[i] : "", columns_[i].width_max));
    }
  }
  std::vector<std::size_t> widths(columns_.size(), 0);
  for (const auto& row : cells) {
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], characters(row[i]));
  }
  std::string text;
  for (const auto& row : cells) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - characters(row[i]), ' ');
      if (i > 0) line += "  ";
      line += columns_[i].align == Align::right ? padding + row[i] : row[i] + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace understudy::apps
