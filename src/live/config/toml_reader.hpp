// Reads one TOML table key by key: every key that is asked for is known, every other one is a
// problem that names the nearest known one. Problems are collected, not returned, so that a person
// sees all of them at once. Private to live/config; lives on the stack of one parse.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <toml++/toml.hpp>
#include <vector>

namespace understudy::live {

class Problems {
 public:
  // Of a text that lies in no file, `file` is empty: no line of it is named.
  explicit Problems(std::string_view file) : file_(file) {}
  void add(const toml::node& where, std::string_view key, std::string_view what);
  void add(std::string_view what);  // of the file as a whole
  [[nodiscard]] bool none() const { return lines_.empty(); }
  [[nodiscard]] std::size_t count() const { return lines_.size(); }
  [[nodiscard]] std::string to_text() const;  // in the order of the file's lines

 private:
  struct Line {
    std::uint32_t number = 0;  // 0: of the whole file
    std::string text;
  };
  std::string file_;
  std::vector<Line> lines_;
};

struct IntegerRange {
  std::int64_t least = 0;
  std::int64_t most = 0;
};

class TableReader {
 public:
  // `path` is what stands in front of keys in messages: "breaker", "upstream".
  TableReader(const toml::table& table, std::string path, Problems& problems)
      : table_(table), path_(std::move(path)), problems_(problems) {}
  TableReader(const TableReader&) = delete;
  TableReader& operator=(const TableReader&) = delete;
  ~TableReader();  // reports what nobody asked for

  // Each leaves `value` as it is when the key is absent or wrong.
  void text(std::string_view key, std::string& value);
  void integer(std::string_view key, std::int64_t& value, IntegerRange range);
  void integer(std::string_view key, int& value, IntegerRange range);  // which an int holds
  void share(std::string_view key, double& value);                     // 0 to 1
  void boolean(std::string_view key, bool& value);
  void texts(std::string_view key, std::vector<std::string>& values);
  // A duration in milliseconds (`unit` = 1) or seconds (1000).
  void duration(std::string_view key, std::chrono::milliseconds& value, int unit = 1);
  // One of `words`; gives its index.
  std::optional<std::size_t> choice(std::string_view key, std::vector<std::string_view> words);
  const toml::table* table(std::string_view key);
  std::vector<const toml::table*> tables(std::string_view key);   // [[key]]
  void allow(std::string_view key) { known_.emplace_back(key); }  // somebody else's

  [[nodiscard]] bool has(std::string_view key) const { return table_.contains(key); }
  void problem(std::string_view key, std::string_view what);  // at the key's line

 private:
  const toml::node* find(std::string_view key);
  [[nodiscard]] std::string name_of(std::string_view key) const;

  const toml::table& table_;
  std::string path_;
  Problems& problems_;
  std::vector<std::string> known_;
};

}  // namespace understudy::live
