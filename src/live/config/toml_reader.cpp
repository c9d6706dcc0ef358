#include "live/config/toml_reader.hpp"

#include <algorithm>
#include <cmath>
#include <format>

#include "base/nearest_word.hpp"

namespace understudy::live {

namespace {

constexpr std::int64_t duration_ms_max = 24LL * 3600 * 1000;

}  // namespace

void Problems::add(const toml::node& where, std::string_view key, std::string_view what) {
  const std::uint32_t line = where.source().begin.line;
  const std::string place = file_.empty() ? "" : std::format("{}:{}: ", file_, line);
  lines_.push_back({line, std::format("{}{}: {}", place, key, what)});
}

void Problems::add(std::string_view what) {
  lines_.push_back({0, (file_.empty() ? "" : file_ + ": ") + std::string(what)});
}

std::string Problems::to_text() const {
  std::vector<Line> sorted = lines_;
  std::ranges::stable_sort(sorted, {}, &Line::number);
  std::string out;
  for (const Line& line : sorted) out += (out.empty() ? "" : "\n") + line.text;
  return out;
}

TableReader::~TableReader() {
  for (const auto& [key, node] : table_) {
    if (std::ranges::contains(known_, key.str())) continue;
    const std::string_view meant = nearest(key.str(), known_);
    problems_.add(node, name_of(key.str()),
                  meant.empty() ? "no such key; examples/understudy.toml shows all of them"
                                : std::format("no such key; did you mean {}?", meant));
  }
}

std::string TableReader::name_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

const toml::node* TableReader::find(std::string_view key) {
  known_.emplace_back(key);
  return table_.get(key);
}

void TableReader::problem(std::string_view key, std::string_view what) {
  const toml::node* node = table_.get(key);
  problems_.add(node != nullptr ? *node : table_, name_of(key), what);
}

void TableReader::text(std::string_view key, std::string& value) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const auto found = node->value_exact<std::string>();
  if (!found) return problem(key, "wants text in quotes");
  if (found->empty()) return problem(key, "is empty; leave the key out to keep the default");
  // NUL and line ends have no place in names, URLs and header values.
  if (std::ranges::any_of(*found, [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
    return problem(key, "holds a control character");
  value = *found;
}

void TableReader::integer(std::string_view key, std::int64_t& value, IntegerRange range) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const auto found = node->value_exact<std::int64_t>();
  if (!found || *found < range.least || *found > range.most) {
    return problem(key, std::format("wants a whole number from {} to {}", range.least, range.most));
  }
  value = *found;
}

void TableReader::integer(std::string_view key, int& value, IntegerRange range) {
  std::int64_t wide = value;
  integer(key, wide, range);
  value = static_cast<int>(wide);
}

void TableReader::share(std::string_view key, double& value) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const auto found = node->value<double>();
  if (!node->is_number() || !found || !(*found >= 0 && *found <= 1))
    return problem(key, "wants a number from 0 to 1");
  value = *found;
}

void TableReader::boolean(std::string_view key, bool& value) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const auto found = node->value_exact<bool>();
  if (!found) return problem(key, "wants true or false, without quotes");
  value = *found;
}

void TableReader::texts(std::string_view key, std::vector<std::string>& values) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const toml::array* array = node->as_array();
  if (array == nullptr) return problem(key, "wants a list: [\"...\", \"...\"]");
  for (const toml::node& item : *array) {
    if (const auto found = item.value_exact<std::string>(); found && !found->empty()) {
      values.push_back(*found);
    } else {
      problems_.add(item, name_of(key), "wants texts in quotes");
    }
  }
}

void TableReader::duration(std::string_view key, std::chrono::milliseconds& value, int unit) {
  std::int64_t count = value.count() / unit;
  integer(key, count, {.least = 0, .most = duration_ms_max / unit});
  value = std::chrono::milliseconds(count * unit);
}

std::optional<std::size_t> TableReader::choice(std::string_view key,
                                               std::vector<std::string_view> words) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto found = node->value_exact<std::string>();
  const auto at = found ? std::ranges::find(words, std::string_view(*found)) : words.end();
  if (at != words.end()) return static_cast<std::size_t>(at - words.begin());
  std::string list;
  for (const std::string_view word : words)
    list += std::format("{}\"{}\"", list.empty() ? "" : ", ", word);
  problem(key, "wants one of " + list);
  return std::nullopt;
}

const toml::table* TableReader::table(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) return nullptr;
  if (!node->is_table()) problem(key, std::format("is a table: write [{}]", name_of(key)));
  return node->as_table();
}

std::vector<const toml::table*> TableReader::tables(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) return {};
  std::vector<const toml::table*> found;
  const toml::array* array = node->as_array();
  if (array != nullptr) {
    for (const toml::node& item : *array) {
      if (item.is_table()) found.push_back(item.as_table());
    }
  }
  if (array == nullptr || found.size() != array->size())
    problem(key, std::format("comes as [[{}]], once for each", name_of(key)));
  return found;
}

}  // namespace understudy::live
