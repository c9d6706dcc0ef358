#include "apps/help_format.hpp"

#include <algorithm>
#include <format>

namespace understudy::apps {

namespace {

constexpr std::size_t letters_apart_max = 2;
constexpr int name_width = 12;

// Optimal string alignment distance (Damerau 1964).
std::size_t letters_apart(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> apart(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) apart[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) apart[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = apart[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U);
      apart[i][j] = std::min({apart[i - 1][j] + 1, apart[i][j - 1] + 1, changed});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        apart[i][j] = std::min(apart[i][j], apart[i - 2][j - 2] + 1);
    }
  }
  return apart[a.size()][b.size()];
}

}  // namespace

std::string HelpFormat::make_help(const CLI::App* app, std::string name,
                                  CLI::AppFormatMode mode) const {
  std::string text = CLI::Formatter::make_help(app, std::move(name), mode);
  for (std::size_t at; (at = text.find("\n\n\n")) != text.npos;) text.erase(at, 1);
  return text;
}

std::string HelpFormat::make_subcommand(const CLI::App* sub) const {
  const std::string whole = sub->get_description();
  return std::format("  {:<{}}{}\n", sub->get_name(), name_width,
                     whole.substr(0, whole.find('\n')));
}

std::string nearest(std::string_view word, const std::vector<std::string>& names) {
  constexpr std::size_t letters_max = 32;
  std::string found;
  std::size_t least = letters_apart_max + 1;
  if (word.size() > letters_max) return found;
  for (const std::string& name : names) {
    const std::size_t apart = letters_apart(word, name);
    if (apart >= least || apart >= name.size()) continue;
    least = apart;
    found = name;
  }
  return found;
}

}  // namespace understudy::apps
