#include "steps/s3_cluster/slot_facts.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <string>

#include "base/json.hpp"

namespace understudy::s3 {

namespace {

constexpr std::size_t prompts_looked_at = 256;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }
bool is_alpha(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  constexpr std::size_t lines_max = 200;  // the others are like these
  std::vector<std::string_view> lines;
  for (std::size_t at = 0; at < text.size() && lines.size() < lines_max;) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (const auto line = trimmed(text.substr(at, end - at)); !line.empty()) lines.push_back(line);
    at = end + 1;
  }
  return lines;
}

bool only(std::string_view text, std::string_view allowed) {
  return std::ranges::all_of(text, [&](char c) { return is_digit(c) || allowed.contains(c); });
}

bool is_number(std::string_view text) {
  for (const std::string_view unit : {"%", "$", "€", "USD", "EUR"}) {
    if (text.ends_with(unit)) text = trimmed(text.substr(0, text.size() - unit.size()));
    if (text.starts_with(unit)) text = trimmed(text.substr(unit.size()));
  }
  constexpr std::size_t bytes_max = 32;
  return text.size() <= bytes_max && std::ranges::any_of(text, is_digit) && only(text, "+-.,e");
}

// 2024-05-01, 1/5/2024 10:30, 2024-05-01T10:30:00Z
bool is_date(std::string_view text) {
  if (text.ends_with('Z')) text.remove_suffix(1);
  constexpr std::size_t bytes_min = 8;
  constexpr std::size_t bytes_max = 32;
  if (text.size() < bytes_min || text.size() > bytes_max || !only(text, "-/.:T +")) return false;
  const auto marks = std::ranges::count_if(text, [](char c) { return c == '-' || c == '/'; });
  return marks == 2 && is_digit(text.front()) && is_digit(text.back());
}

bool is_identifier(std::string_view text) {
  constexpr std::size_t bytes_min = 4;
  constexpr std::size_t bytes_max = 128;
  if (text.size() < bytes_min || text.size() > bytes_max) return false;
  const bool is_token = std::ranges::all_of(text, [](char c) {
    return is_alpha(c) || is_digit(c) || c == '_' || c == '-' || c == '.' || c == ':' || c == '/';
  });
  return is_token && std::ranges::any_of(text, is_digit);
}

bool is_json(std::string_view text) {
  const bool opens = text.starts_with('{') || text.starts_with('[');
  return opens && (text.ends_with('}') || text.ends_with(']')) && json::parse(text).has_value();
}

// "- a", "* a", "1. a", "2) a"
bool is_item(std::string_view line) {
  if (line.starts_with("- ") || line.starts_with("* ") || line.starts_with("\u2022")) return true;
  const std::size_t digits = line.find_first_not_of("0123456789");
  return digits != std::string_view::npos && digits > 0 && digits <= 3 &&
         (line[digits] == '.' || line[digits] == ')');
}

bool is_code_line(std::string_view line) {
  for (const std::string_view word :
       {"import ", "from ", "def ", "class ", "#include", "return "}) {
    if (line.starts_with(word)) return true;
  }
  return line.ends_with(';') || line.ends_with('{') || line == "}" || line.ends_with("):");
}

bool most(const std::vector<std::string_view>& lines, bool (*holds)(std::string_view),
          double share) {
  const auto count = std::ranges::count_if(lines, holds);
  return static_cast<double>(count) >= share * static_cast<double>(lines.size());
}

// One of a few short values that come again and again.
bool is_choice(const std::vector<std::string>& values) {
  constexpr std::size_t values_max = 24;
  constexpr std::size_t bytes_max = 48;
  const std::set<std::string_view> distinct(values.begin(), values.end());
  return distinct.size() <= values_max && distinct.size() * 5 <= values.size() &&
         std::ranges::all_of(distinct, [](std::string_view value) {
           return value.size() <= bytes_max && !trimmed(value).contains('\n');
         });
}

SlotFacts facts_of(const std::vector<std::string>& values) {
  SlotFacts facts;
  std::vector<std::size_t> bytes;
  std::map<SlotType, std::size_t> types;
  for (const std::string& value : values) {
    bytes.push_back(value.size());
    ++types[slot_type_of(value)];
  }
  if (values.empty()) return facts;
  std::ranges::sort(bytes);
  facts.distinct = static_cast<std::int64_t>(std::set(values.begin(), values.end()).size());
  facts.bytes_median = static_cast<std::int64_t>(bytes[bytes.size() / 2]);
  facts.bytes_max = static_cast<std::int64_t>(bytes.back());
  const std::size_t filled = values.size() - types[SlotType::empty];
  if (filled == 0) {
    facts.type = SlotType::empty;
    return facts;
  }
  for (const SlotType type : {SlotType::number, SlotType::date, SlotType::json}) {
    if (types[type] * 10 >= filled * 9) {
      facts.type = type;
      return facts;
    }
  }
  if (is_choice(values)) {
    facts.type = SlotType::choice;
    return facts;
  }
  for (const SlotType type : {SlotType::identifier, SlotType::list, SlotType::code}) {
    if (types[type] * 10 >= filled * 7) {
      facts.type = type;
      return facts;
    }
  }
  const bool multi_line = types[SlotType::text] + types[SlotType::list] + types[SlotType::code] > 0;
  facts.type = multi_line ? SlotType::text : SlotType::line;
  return facts;
}

}  // namespace

SlotType slot_type_of(std::string_view value) {
  value = trimmed(value);
  if (value.empty()) return SlotType::empty;
  if (is_date(value)) return SlotType::date;
  if (is_number(value)) return SlotType::number;
  if (is_identifier(value)) return SlotType::identifier;
  if (is_json(value)) return SlotType::json;
  const std::vector<std::string_view> lines = lines_of(value);
  if (lines.size() < 2) return is_item(value) ? SlotType::list : SlotType::line;
  if (most(lines, is_item, 0.6)) return SlotType::list;
  if (value.contains("```") || most(lines, is_code_line, 0.3)) return SlotType::code;
  return SlotType::text;
}

std::vector<SlotFacts> slot_facts(const PromptTemplate& shape,
                                  const std::vector<std::string_view>& prompts) {
  std::vector<std::vector<std::string>> values(shape.slot_count());
  const std::size_t count = std::min(prompts.size(), prompts_looked_at);
  for (std::size_t i = 0; i < count; ++i) {
    auto slots = shape.match(prompts[i * prompts.size() / count]);
    if (!slots) continue;
    for (std::size_t slot = 0; slot < slots->size(); ++slot)
      values[slot].push_back(std::move((*slots)[slot]));
  }
  std::vector<SlotFacts> facts;
  for (const auto& of_slot : values) facts.push_back(facts_of(of_slot));
  return facts;
}

}  // namespace understudy::s3
