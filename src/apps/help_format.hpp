// How `--help` looks: verbs with the first line of what they say (the rest is in their own help),
// no gaps of several lines. Pure.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace understudy::apps {

class HelpFormat : public CLI::Formatter {
 public:
  HelpFormat() {  // descriptions and examples keep their lines
    enable_description_formatting(false);
    enable_footer_formatting(false);
  }
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override;
  std::string make_subcommand(const CLI::App* sub) const override;
};

}  // namespace understudy::apps
