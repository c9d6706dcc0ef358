// A plain text table for terminals and logs: columns as wide as their widest cell, numbers to the
// right.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace understudy::apps {

enum class Align { left, right };

struct Column {
  std::string title;
  Align align = Align::left;
  std::size_t width_max = 60;  // longer cells are cut with an ellipsis
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  [[nodiscard]] std::string to_text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

std::string one_line(std::string text,
                     std::size_t characters_max);  // newlines as spaces, cut with "…"

}  // namespace understudy::apps
