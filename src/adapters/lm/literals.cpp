#include "adapters/lm/literals.hpp"

#include <algorithm>
#include <random>
#include <unordered_map>
#include <unordered_set>

#include "adapters/lm/symbols.hpp"
#include "adapters/lm/words.hpp"
#include "base/json.hpp"

namespace understudy::lm {

namespace {

constexpr std::size_t shapes_max = 64;
constexpr std::size_t pointers_min = 16;
constexpr std::size_t pointers_max = 256;
// A word of at least this share of the prompts (and of 4 of them) is language, not a value.
constexpr double known_share_min = 0.002;
constexpr std::size_t known_count_min = 4;
// Of the answers that hold a value, so many have it from their prompt.
constexpr double copied_share_min = 0.9;
// A word of more answers than this is a key or a tool's name.
constexpr double value_answers_share_max = 0.3;
constexpr double lower_case_share_min = 0.01;

using Words = std::unordered_set<std::string>;

Words words_of(std::string_view text) {
  Words words;
  while (!text.empty()) {
    const std::string_view word = word_at(text);
    if (!word.empty()) words.emplace(word);
    text.remove_prefix(std::max<std::size_t>(1, word.size()));
  }
  return words;
}

struct Counts {
  std::size_t prompts = 0;
  std::size_t answers = 0;
  std::size_t copied = 0;  // answers whose prompt has the word too
};

json::array to_array(const std::set<std::string, std::less<>>& words) {
  json::array out;
  for (const std::string& word : words) out.emplace_back(word);
  return out;
}

Result<std::set<std::string, std::less<>>> to_set(const json::value& tree, std::string_view key) {
  const json::array* array = json::find_array(tree, key);
  if (array == nullptr) {
    return fail(ErrorCode::corrupt, "the model's literals have no list " + std::string(key));
  }
  std::set<std::string, std::less<>> words;
  for (const json::value& word : *array) {
    if (!word.is_string()) return fail(ErrorCode::corrupt, "a literal that is no text");
    words.emplace(word.get_string());
  }
  return words;
}

}  // namespace

Literals Literals::fit(std::span<const TextPair> examples) {
  std::unordered_map<std::string, Counts> counts;
  std::size_t copies_of_lower_case = 0;
  for (const TextPair& example : examples) {
    const Words prompt = words_of(example.prompt);
    for (const std::string& word : prompt) ++counts[word].prompts;
    for (const std::string& word : words_of(example.answer)) {
      Counts& count = counts[word];
      ++count.answers;
      if (prompt.contains(word)) ++count.copied;
    }
  }
  const auto total = static_cast<double>(examples.size());
  const auto known_min =
      std::max<std::size_t>(known_count_min, static_cast<std::size_t>(known_share_min * total));
  const auto is_copied = [&](const Counts& count) {
    const auto answers = static_cast<double>(count.answers);
    return count.answers > 0 && static_cast<double>(count.copied) >= copied_share_min * answers &&
           answers <= value_answers_share_max * total;
  };
  Literals made;
  for (const auto& [word, count] : counts) {
    if (count.prompts < known_min) {
      const bool is_lower = !has_digit_or_at(word) && !is_capitalised(word);
      if (is_lower && is_copied(count)) copies_of_lower_case += count.copied;
      continue;
    }
    if (!is_copied(count)) {
      made.plain_words_.insert(word);
    } else if (!has_digit_or_at(word)) {
      made.known_values_.insert(word);
    }
  }
  made.lower_case_values_ =
      static_cast<double>(copies_of_lower_case) > lower_case_share_min * total;

  std::unordered_map<std::string, std::size_t> shapes;
  std::size_t values_max = 0;
  for (const TextPair& example : examples) {
    std::size_t values = 0;
    for (const std::string& word : words_of(example.prompt)) {
      if (made.role_of(word) == Role::plain) continue;
      ++shapes[shape_of(word)];
      ++values;
    }
    values_max = std::max(values_max, values);
  }
  std::vector<std::pair<std::string, std::size_t>> ranked(shapes.begin(), shapes.end());
  std::ranges::sort(ranked, [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  if (ranked.size() > shapes_max) ranked.resize(shapes_max);
  for (const auto& [shape, count] : ranked) made.shapes_.insert(shape);
  made.pointer_count_ = std::clamp(values_max + values_max / 4 + 1, pointers_min, pointers_max);
  return made;
}

Literals::Role Literals::role_of(std::string_view word) const {
  if (plain_words_.contains(word)) return Role::plain;
  if (known_values_.contains(word)) return Role::known_value;
  if (has_digit_or_at(word) || is_capitalised(word)) return Role::value;
  return lower_case_values_ ? Role::value : Role::plain;
}

std::string Literals::shape_symbol(std::string_view word) const {
  const std::string shape = shape_of(word);
  return shapes_.contains(shape) ? symbols::shape(shape)
                                 : std::string(symbols::shape_of_another_kind);
}

ReadPrompt Literals::read(std::string_view prompt, const ReadOptions& options) const {
  ReadPrompt out;
  std::unordered_map<std::string_view, std::size_t> numbers;
  std::mt19937_64 random(options.seed);
  std::bernoulli_distribution hidden(options.hidden_share);
  while (!prompt.empty()) {
    if (const std::size_t symbol = symbols::length_at(prompt); symbol > 0) {
      out.text += prompt.substr(0, symbol);
      prompt.remove_prefix(symbol);
      continue;
    }
    const std::string_view word = word_at(prompt);
    if (word.empty()) {
      out.text += prompt.front();
      prompt.remove_prefix(1);
      continue;
    }
    prompt.remove_prefix(word.size());
    const Role role = role_of(word);
    const std::size_t limit = options.numbers.empty() ? pointer_count_ : options.numbers.size();
    auto found = numbers.find(word);
    if (role == Role::plain || (found == numbers.end() && numbers.size() >= limit)) {
      out.text += word;  // more values than pointers: the model can still read this one
      continue;
    }
    if (found == numbers.end()) {
      const std::size_t next = numbers.size();
      const std::size_t number = options.numbers.empty() ? next : options.numbers[next];
      found = numbers.emplace(word, number).first;
      out.values.emplace(number, word);
    }
    const bool show = role == Role::known_value && !(options.hidden_share > 0 && hidden(random));
    out.text += show ? std::string(word) : shape_symbol(word);
    out.text += symbols::pointer(found->second);
  }
  return out;
}

std::string Literals::point(std::string_view answer, const ReadPrompt& prompt) {
  std::unordered_map<std::string_view, std::size_t> numbers;
  for (const auto& [number, value] : prompt.values) numbers.emplace(value, number);
  std::string out;
  while (!answer.empty()) {
    const std::string_view word = word_at(answer);
    if (word.empty()) {
      out += answer.front();
      answer.remove_prefix(1);
      continue;
    }
    const auto found = numbers.find(word);
    out += found == numbers.end() ? std::string(word) : symbols::pointer(found->second);
    answer.remove_prefix(word.size());
  }
  return out;
}

Result<std::string> Literals::restore(std::string_view written, const ReadPrompt& prompt) {
  std::string out;
  while (!written.empty()) {
    const std::size_t length = symbols::length_at(written);
    if (length == 0) {
      out += written.front();
      written.remove_prefix(1);
      continue;
    }
    const auto number = symbols::parse_pointer(written.substr(0, length));
    const auto value = number ? prompt.values.find(*number) : prompt.values.end();
    if (value == prompt.values.end()) {
      return fail(ErrorCode::invalid_input, "the model wrote a symbol that stands for nothing");
    }
    out += value->second;
    written.remove_prefix(length);
  }
  return out;
}

std::vector<std::string> Literals::symbols() const {
  std::vector<std::string> all{std::string(symbols::slot), std::string(symbols::answer),
                               std::string(symbols::shape_of_another_kind)};
  for (const std::string& shape : shapes_) all.push_back(symbols::shape(shape));
  for (std::size_t i = 0; i < pointer_count_; ++i) all.push_back(symbols::pointer(i));
  return all;
}

std::string Literals::to_json_text() const {
  return json::to_text(json::object{{"version", 1},
                                    {"plain_words", to_array(plain_words_)},
                                    {"known_values", to_array(known_values_)},
                                    {"shapes", to_array(shapes_)},
                                    {"pointers", pointer_count_},
                                    {"lower_case_values", lower_case_values_}});
}

Result<Literals> Literals::parse(std::string_view json_text) {
  const json::value tree = TRY(json::parse(json_text));
  const auto version = json::find_integer(tree, "version");
  const auto pointers = json::find_integer(tree, "pointers");
  const auto lower_case = json::find_bool(tree, "lower_case_values");
  if (version != 1 || !pointers || !lower_case || *pointers < 0 ||
      *pointers > static_cast<std::int64_t>(pointers_max)) {
    return fail(ErrorCode::corrupt, "the model's literals are not of version 1",
                "Train the model again: `understudy tune`.");
  }
  Literals made;
  made.plain_words_ = TRY(to_set(tree, "plain_words"));
  made.known_values_ = TRY(to_set(tree, "known_values"));
  made.shapes_ = TRY(to_set(tree, "shapes"));
  made.pointer_count_ = static_cast<std::size_t>(*pointers);
  made.lower_case_values_ = *lower_case;
  return made;
}

}  // namespace understudy::lm
