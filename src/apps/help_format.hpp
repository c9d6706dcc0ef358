// How `--help` looks: verbs with the first line of what they say (the rest is in their own help),
// no gaps of several lines. And the verb that somebody may have meant. Pure.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace understudy::apps {

class HelpFormat : public CLI::Formatter {
 public:
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override;
  std::string make_subcommand(const CLI::App* sub) const override;
};

// The name that is at most two letters away (added, lost, changed, or neighbours swapped); empty
// where there is none.
std::string nearest(std::string_view word, const std::vector<std::string>& names);

}  // namespace understudy::apps
