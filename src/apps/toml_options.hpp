// Options of verbs in understudy.toml: the tables that are named like a verb, for CLI11. The others
// belong to the gateway, which reads them itself (live/config).
#pragma once

#include <CLI/CLI.hpp>
#include <istream>
#include <set>
#include <string>
#include <vector>

namespace understudy::apps {

class TomlOptions : public CLI::Config {
 public:
  explicit TomlOptions(std::set<std::string> verbs) : verbs_(std::move(verbs)) {}
  std::string to_config(const CLI::App*, bool, bool, std::string) const override { return {}; }
  // Throws CLI::FileError where the file is no TOML: CLI11 turns it into a message and an exit
  // code.
  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override;

 private:
  std::set<std::string> verbs_;
};

// The verbs of a program but `access` and `serve`, whose tables are the gateway's.
std::set<std::string> verb_names(const CLI::App& app);

}  // namespace understudy::apps
