// The options of `understudy serve`: understudy-serve acts on them, understudy-control lists them
// in its help, its completions and the reference.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <string>

#include "live/config/gateway_config.hpp"

namespace understudy::apps {

struct ServeOptions {
  std::filesystem::path config;  // empty: HOME/understudy.toml, if there is one
  live::ConfigOverrides overrides;
  std::string listen;
  std::string capture;
  std::size_t threads = 0;
  std::filesystem::path port_file;
  std::filesystem::path admin_port_file;
  bool validate = false;
  bool as_json = false;
};

struct ServeVerb {
  CLI::App* verb = nullptr;
  std::shared_ptr<ServeOptions> options;  // shared with the verb's action
  CLI::Option* threads = nullptr;
};
ServeVerb add_serve_options(CLI::App& app);

}  // namespace understudy::apps
