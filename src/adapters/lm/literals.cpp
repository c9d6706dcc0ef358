#include "adapters/lm/literals.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <unordered_map>
#include <unordered_set>

#include "adapters/lm/symbols.hpp"
#include "adapters/lm/words.hpp"
#include "base/json.hpp"

namespace understudy::lm {

namespace {

constexpr std::size_t shapes_max = 48;
constexpr std::size_t pointers_of_a_shape_max = 64;
constexpr std::size_t spare_pointers = 2;  // a live prompt may hold more values than any seen
// Values of rarer shapes share this one; no word has it.
constexpr std::string_view other_shape = "?";
constexpr std::size_t pointers_of_other_shapes = 16;
// A word of at least this share of the prompts (and of 4 of them) is language, not a value.
constexpr double known_share_min = 0.002;
constexpr std::size_t known_count_min = 4;
// Below this chance, a word that was never copied is none that could be.
constexpr double chance_max = 0.01;
// A value of this share of the prompts is shown beside its pointer.
constexpr double shown_share_min = 0.02;
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

// The most frequent shapes of values, with as many pointers as any prompt needs, and some to spare.
template <class IsValue>
std::map<std::string, std::size_t, std::less<>> shapes_in(std::span<const TextPair> examples,
                                                          const IsValue& is_value) {
  struct Seen {
    std::size_t prompts = 0;
    std::size_t in_one_prompt_max = 0;
  };
  std::map<std::string, Seen> seen;
  for (const TextPair& example : examples) {
    std::map<std::string, std::size_t> here;
    for (const std::string& word : words_of(example.prompt)) {
      if (is_value(word)) ++here[shape_of(word)];
    }
    for (const auto& [shape, count] : here) {
      Seen& all = seen[shape];
      ++all.prompts;
      all.in_one_prompt_max = std::max(all.in_one_prompt_max, count);
    }
  }
  std::vector<std::pair<std::string, Seen>> ranked(seen.begin(), seen.end());
  std::ranges::stable_sort(ranked, std::ranges::greater{},
                           [](const auto& entry) { return entry.second.prompts; });
  if (ranked.size() > shapes_max) ranked.resize(shapes_max);
  std::map<std::string, std::size_t, std::less<>> shapes;
  for (const auto& [shape, all] : ranked) {
    shapes.emplace(shape,
                   std::min(all.in_one_prompt_max + spare_pointers, pointers_of_a_shape_max));
  }
  shapes.emplace(other_shape, pointers_of_other_shapes);
  return shapes;
}

// Of the occurrences of values of a shape, how many are copied.
using CopyRates = std::unordered_map<std::string, double>;
CopyRates copy_rates_by_shape(const std::unordered_map<std::string, Counts>& counts) {
  std::unordered_map<std::string, Counts> by_shape;
  for (const auto& [word, count] : counts) {
    if (count.copied == 0) continue;
    Counts& sum = by_shape[shape_of(word)];
    sum.prompts += count.prompts;
    sum.copied += count.copied;
  }
  CopyRates rates;
  for (const auto& [shape, sum] : by_shape) {
    rates[shape] = static_cast<double>(sum.copied) / static_cast<double>(sum.prompts);
  }
  return rates;
}

// A word that no answer holds may be a value that was not copied by chance: "Alba", seen four
// times.
bool may_be_value(const std::string& word, const Counts& count, const CopyRates& rates) {
  if (count.answers > 0 || !(has_digit_or_at(word) || is_capitalised(word))) return false;
  const auto rate = rates.find(shape_of(word));
  return rate != rates.end() &&
         std::pow(1 - rate->second, static_cast<double>(count.prompts)) > chance_max;
}

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
  const auto copy_rates = copy_rates_by_shape(counts);
  Literals made;
  for (const auto& [word, count] : counts) {
    if (count.prompts < known_min) {
      const bool is_lower = !has_digit_or_at(word) && !is_capitalised(word);
      if (is_lower && is_copied(count)) copies_of_lower_case += count.copied;
      continue;
    }
    if (!is_copied(count)) {
      if (!may_be_value(word, count, copy_rates)) made.plain_words_.insert(word);
    } else if (!has_digit_or_at(word) &&
               static_cast<double>(count.prompts) >= shown_share_min * total) {
      made.shown_values_.insert(word);
    }
  }
  made.lower_case_values_ =
      static_cast<double>(copies_of_lower_case) > lower_case_share_min * total;

  made.shapes_ =
      shapes_in(examples, [&](std::string_view word) { return made.role_of(word) != Role::plain; });
  return made;
}

Literals::Role Literals::role_of(std::string_view word) const {
  if (plain_words_.contains(word)) return Role::plain;
  if (shown_values_.contains(word)) return Role::shown_value;
  if (has_digit_or_at(word) || is_capitalised(word)) return Role::value;
  return lower_case_values_ ? Role::value : Role::plain;
}

std::string Literals::next_pointer(std::string_view value, Taken& taken) const {
  for (const std::string& shape : {shape_of(value), std::string(other_shape)}) {
    const auto pool = shapes_.find(shape);
    if (pool == shapes_.end()) continue;
    std::size_t& next = taken[shape];
    if (next < pool->second) return symbols::pointer(shape, next++);
  }
  return {};
}

ReadPrompt Literals::read(std::string_view prompt, const ReadOptions& options) const {
  ReadPrompt out;
  std::unordered_map<std::string_view, std::string> pointers;
  Taken taken;
  std::mt19937_64 random(options.seed);
  std::bernoulli_distribution hidden(options.hidden_share);
  while (!prompt.empty()) {
    const std::size_t symbol = symbols::length_at(prompt);
    const std::string_view word = symbol > 0 ? std::string_view{} : word_at(prompt);
    if (word.empty()) {
      const std::size_t length = std::max<std::size_t>(1, symbol);
      out.text += prompt.substr(0, length);
      prompt.remove_prefix(length);
      continue;
    }
    prompt.remove_prefix(word.size());
    const Role role = role_of(word);
    if (role == Role::plain) {
      out.text += word;
      continue;
    }
    auto found = pointers.find(word);
    if (found == pointers.end()) {
      found = pointers.emplace(word, next_pointer(word, taken)).first;
      if (!found->second.empty()) out.values.emplace(found->second, word);
    }
    // Without a pointer the model can still read the value.
    const bool show = role == Role::shown_value && !(options.hidden_share > 0 && hidden(random));
    if (show || found->second.empty()) out.text += word;
    out.text += found->second;
  }
  return out;
}

std::string Literals::point(std::string_view answer, const ReadPrompt& prompt) {
  std::unordered_map<std::string_view, std::string_view> pointers;
  for (const auto& [pointer, value] : prompt.values) pointers.emplace(value, pointer);
  std::string out;
  while (!answer.empty()) {
    const std::string_view word = word_at(answer);
    if (word.empty()) {
      out += answer.front();
      answer.remove_prefix(1);
      continue;
    }
    const auto found = pointers.find(word);
    out += found == pointers.end() ? word : found->second;
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
    const auto value = prompt.values.find(std::string(written.substr(0, length)));
    if (value == prompt.values.end()) {
      return fail(ErrorCode::invalid_input, "the model wrote a symbol that stands for nothing");
    }
    out += value->second;
    written.remove_prefix(length);
  }
  return out;
}

std::vector<std::string> Literals::pointers() const {
  std::vector<std::string> all;
  for (const auto& [shape, count] : shapes_) {
    for (std::size_t i = 0; i < count; ++i) all.push_back(symbols::pointer(shape, i));
  }
  return all;
}

std::vector<std::string> Literals::symbols() const {
  std::vector<std::string> all = pointers();
  all.emplace_back(symbols::slot);
  all.emplace_back(symbols::answer);
  return all;
}

std::string Literals::to_json_text() const {
  json::object shapes;
  for (const auto& [shape, count] : shapes_) shapes[shape] = count;
  return json::to_text(json::object{{"version", 1},
                                    {"plain_words", to_array(plain_words_)},
                                    {"shown_values", to_array(shown_values_)},
                                    {"shapes", std::move(shapes)},
                                    {"lower_case_values", lower_case_values_}});
}

Result<Literals> Literals::parse(std::string_view json_text) {
  const json::value tree = TRY(json::parse(json_text));
  const auto version = json::find_integer(tree, "version");
  const json::object* shapes = json::find_object(tree, "shapes");
  const auto lower_case = json::find_bool(tree, "lower_case_values");
  if (version != 1 || shapes == nullptr || !lower_case) {
    return fail(ErrorCode::corrupt, "the model's literals are not of version 1",
                "Train the model again: `understudy tune`.");
  }
  Literals made;
  made.plain_words_ = TRY(to_set(tree, "plain_words"));
  made.shown_values_ = TRY(to_set(tree, "shown_values"));
  for (const auto& [shape, count] : *shapes) {
    if (!count.is_int64() || count.get_int64() < 1 ||
        count.get_int64() > static_cast<std::int64_t>(pointers_of_a_shape_max)) {
      return fail(ErrorCode::corrupt, "a shape without a number of pointers");
    }
    made.shapes_.emplace(shape, static_cast<std::size_t>(count.get_int64()));
  }
  made.lower_case_values_ = *lower_case;
  return made;
}

}  // namespace understudy::lm
