#include "steps/s3_cluster/template_miner.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <optional>
#include <set>
#include <string>

#include "base/check.hpp"
#include "base/limits.hpp"
#include "steps/s3_cluster/common_runs.hpp"

namespace understudy::s3 {

namespace {

using Texts = std::vector<std::string_view>;

bool is_letter(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return std::isalpha(byte) != 0 || byte >= 0x80;
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

// What speaks for a text being written by a programmer and not by chance.
struct Evidence {
  std::size_t ink = 0;    // characters that are no space
  std::size_t words = 0;  // with a letter
  bool delimiter = false;
  bool role_line = false;

  explicit Evidence(std::string_view text) {
    for (const std::string_view token : tokens_of(text, TokenKind::word)) {
      if (std::ranges::any_of(token, is_letter)) ++words;
    }
    for (const char c : text) {
      if (is_space(c)) continue;
      ++ink;
      // Sentence punctuation is everywhere in prose.
      if (std::isalnum(static_cast<unsigned char>(c)) == 0 && !is_letter(c) &&
          std::string_view(".,?!'").find(c) == std::string_view::npos) {
        delimiter = true;
      }
    }
    role_line =
        text.find("<|") != std::string_view::npos && text.find("|>\n") != std::string_view::npos;
  }
};

std::size_t occurrences(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + part.size())) {
    ++count;
  }
  return count;
}

// Written into the template, a part is there as often in each prompt; chance varies.
bool regular(const Texts& texts, std::string_view part) {
  const auto once = std::ranges::count_if(
      texts, [&](std::string_view text) { return occurrences(text, part) == 1; });
  return static_cast<double>(once) >= 0.95 * static_cast<double>(texts.size());
}

enum class Place { anchored, floating };

struct Region {
  Texts texts;
  std::size_t distinct = 0;
  bool multi_line = false;

  explicit Region(Texts all) : texts(std::move(all)) {
    distinct = std::set<std::string_view>(texts.begin(), texts.end()).size();
    multi_line = std::ranges::any_of(texts, [](std::string_view text) {
      const std::size_t newline = text.find('\n');
      return newline != std::string_view::npos && newline + 1 < text.size();
    });
  }
  [[nodiscard]] std::size_t bytes_max() const {
    return std::ranges::max(texts, {}, &std::string_view::size).size();
  }
};

bool is_line_constant(const Region& region, std::string_view run) {
  const Evidence evidence(run);
  if (evidence.role_line) return true;
  if (region.distinct < 3) return evidence.ink >= 24;
  if (evidence.ink >= 12 && evidence.words >= 2) {
    return evidence.ink >= 40 || region.distinct >= 5 || regular(region.texts, run);
  }
  return evidence.ink >= 3 && region.distinct >= 8 && regular(region.texts, run);
}

bool is_word_constant(const Region& region, std::string_view run, Place place) {
  const Evidence evidence(run);
  if (evidence.words < 2 && !evidence.delimiter) return false;
  if (region.distinct < 4) return evidence.ink >= 16 && evidence.words >= 3;
  if (place == Place::anchored) {
    // A beginning that all share by chance gets unlikely with the number of different ones.
    return region.distinct >= 8 ? evidence.ink >= 2 : evidence.ink >= 8;
  }
  if (!regular(region.texts, run)) return false;
  if (region.multi_line) {
    const bool labels_a_line = run.contains('\n') && evidence.delimiter && evidence.words >= 1;
    return region.distinct >= 8 && (labels_a_line || evidence.words >= 4);
  }
  return evidence.ink >= 16 || region.distinct >= 12;
}

// "on 2024-" is what this year's dates share, not what the template says.
std::string_view without_edge_numbers(std::string_view run) {
  const auto is_number_edge = [](char c) {
    return is_digit(c) || c == '-' || c == '.' || c == '+';
  };
  std::string_view trimmed = run;
  while (!trimmed.empty() && is_number_edge(trimmed.back())) trimmed.remove_suffix(1);
  const bool back = std::ranges::any_of(run.substr(trimmed.size()), is_digit);
  if (back) run = trimmed;
  trimmed = run;
  while (!trimmed.empty() && is_number_edge(trimmed.front())) trimmed.remove_prefix(1);
  const bool front = std::ranges::any_of(run.substr(0, run.size() - trimmed.size()), is_digit);
  return front ? trimmed : run;
}

struct Cut {
  std::string_view constant;
  enum { first_place, at_end } where = first_place;
};

class Miner {
 public:
  explicit Miner(double outliers_max) : outliers_max_(outliers_max) {}

  // constants_ always ends with the constant that is being built.
  std::vector<std::string> mine(Texts prompts) {
    constants_.assign(1, "");
    descend(Region(std::move(prompts)), 0);
    return std::move(constants_);
  }

 private:
  static constexpr int depth_max = 64;

  void add_constant(std::string_view text) {
    if (slot_open_ && !text.empty()) {
      constants_.emplace_back();
      slot_open_ = false;
    }
    constants_.back() += text;
  }
  // Two slots without a constant between them are one.
  void add_slot() { slot_open_ = true; }

  void descend(const Region& region, int depth) {
    if (region.texts.empty()) return;
    if (region.distinct == 1) {
      add_constant(region.texts.front());
    } else if (const auto cut = depth < depth_max ? best_cut(region) : std::nullopt) {
      Texts left;
      Texts right;
      for (const std::string_view text : region.texts) {
        const std::size_t at = cut->where == Cut::at_end ? (text.ends_with(cut->constant)
                                                                ? text.size() - cut->constant.size()
                                                                : std::string_view::npos)
                                                         : text.find(cut->constant);
        if (at == std::string_view::npos) continue;
        left.push_back(text.substr(0, at));
        right.push_back(text.substr(at + cut->constant.size()));
      }
      descend(Region(std::move(left)), depth + 1);
      add_constant(cut->constant);
      descend(Region(std::move(right)), depth + 1);
    } else {
      add_slot();
    }
    if (depth == 0 && slot_open_) {
      constants_.emplace_back();
      slot_open_ = false;
    }
  }

  [[nodiscard]] std::optional<Cut> best_cut(const Region& region) const {
    const auto missing_max =
        static_cast<std::size_t>(outliers_max_ * static_cast<double>(region.texts.size()));
    if (region.multi_line) {
      if (const auto cut = longest(region, TokenKind::line, missing_max)) return cut;
    }
    const std::string_view prefix = without_edge_numbers(common_prefix(region.texts, missing_max));
    if (!prefix.empty() && region.texts.front().starts_with(prefix) &&
        is_word_constant(region, prefix, Place::anchored)) {
      return Cut{.constant = prefix};
    }
    const std::string_view ending = common_suffix(region.texts, missing_max);
    const std::string_view suffix = without_edge_numbers(ending);
    if (!suffix.empty() && region.texts.front().ends_with(suffix) &&
        is_word_constant(region, suffix, Place::anchored)) {
      return Cut{.constant = suffix, .where = Cut::at_end};
    }
    // Slots of whole lines: the last newline belongs to the line that follows.
    if (ending.ends_with('\n')) {
      return Cut{.constant = ending.substr(ending.size() - 1), .where = Cut::at_end};
    }
    if (region.bytes_max() > limits::template_inline_bytes_max) return std::nullopt;
    return longest(region, TokenKind::word, missing_max);
  }

  static std::optional<Cut> longest(const Region& region, TokenKind kind, std::size_t missing_max) {
    std::optional<Cut> best;
    for (const Run& run : common_runs(region.texts, kind, missing_max)) {
      const std::string_view text =
          kind == TokenKind::word ? without_edge_numbers(run.text) : run.text;
      if (text.empty() || (best && text.size() <= best->constant.size())) continue;
      const bool accepted = kind == TokenKind::line
                                ? is_line_constant(region, text)
                                : is_word_constant(region, text, Place::floating);
      if (accepted) best = Cut{.constant = text};
    }
    return best;
  }

  double outliers_max_;
  std::vector<std::string> constants_;
  bool slot_open_ = false;
};

Texts spread_sample(const Texts& prompts, std::size_t count) {
  std::set<std::string_view> seen;
  Texts distinct;
  for (const std::string_view prompt : prompts) {
    if (seen.insert(prompt).second) distinct.push_back(prompt);
  }
  if (distinct.size() <= count) return distinct;
  Texts sample;
  for (std::size_t i = 0; i < count; ++i) sample.push_back(distinct[i * distinct.size() / count]);
  return sample;
}

// Fewer slots by giving up the smallest inner constants.
void limit_slots(std::vector<std::string>& constants) {
  while (constants.size() > limits::template_slots_max + 1) {
    const auto smallest = std::ranges::min_element(constants.begin() + 1, constants.end() - 1, {},
                                                   &std::string::size);
    constants.erase(smallest);
  }
}

// Index of the first constant that the prompt lacks, in match()'s order of looking.
std::size_t missing_constant(const PromptTemplate& shape, std::string_view prompt) {
  const std::vector<std::string>& constants = shape.constants();
  if (!prompt.starts_with(constants.front())) return 0;
  if (!prompt.ends_with(constants.back())) return constants.size() - 1;
  std::size_t at = constants.front().size();
  for (std::size_t i = 1; i + 1 < constants.size(); ++i) {
    const std::size_t found = prompt.find(constants[i], at);
    if (found == std::string_view::npos) return i;
    at = found + constants[i].size();
  }
  return constants.size() - 1;  // the ends overlap
}

// The constant that most prompts lack goes; the ends shrink to nothing instead.
PromptTemplate without_weakest(const PromptTemplate& shape, const Texts& prompts) {
  std::vector<std::string> constants = shape.constants();
  if (constants.size() < 2) constants.emplace_back();
  std::vector<std::size_t> misses(constants.size());
  for (const std::string_view prompt : prompts) {
    if (!shape.matches(prompt)) ++misses[missing_constant(shape, prompt)];
  }
  const auto weakest = static_cast<std::size_t>(std::ranges::max_element(misses) - misses.begin());
  if (weakest == 0 || weakest + 1 == constants.size()) {
    constants[weakest].clear();
  } else {
    constants.erase(constants.begin() + static_cast<std::ptrdiff_t>(weakest));
  }
  return PromptTemplate::create(std::move(constants)).value_or(PromptTemplate{});
}

}  // namespace

MinedTemplate mine_template(const std::vector<std::string_view>& prompts,
                            const MinerOptions& options) {
  CHECK(!prompts.empty(), "a template needs at least one prompt");
  const auto needed = static_cast<std::size_t>(
      std::ceil((1.0 - options.outliers_max) * static_cast<double>(prompts.size())));
  MinedTemplate mined;
  const auto enough = [&] {
    mined.matches.assign(prompts.size(), false);
    std::size_t count = 0;
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      mined.matches[i] = mined.shape.matches(prompts[i]);
      count += mined.matches[i] ? 1U : 0U;
    }
    return count >= needed;
  };

  Texts sample = spread_sample(prompts, options.sample_max);
  constexpr int rounds = 3;  // each shows the miner prompts that it got wrong
  for (int round = 0; round < rounds; ++round) {
    // The tolerance is spent once: later rounds must fit every prompt that they see.
    std::vector<std::string> constants =
        Miner(round == 0 ? options.outliers_max : 0.0).mine(sample);
    limit_slots(constants);
    mined.shape = PromptTemplate::create(std::move(constants)).value_or(PromptTemplate{});
    if (enough()) return mined;
    Texts missed;
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      if (!mined.matches[i]) missed.push_back(prompts[i]);
    }
    sample.append_range(spread_sample(missed, options.sample_max / 2));
  }
  while (!enough()) mined.shape = without_weakest(mined.shape, prompts);
  return mined;
}

}  // namespace understudy::s3
