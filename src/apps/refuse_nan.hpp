// CLI11's ranges let "nan" through, which is neither below nor above them: a budget of nan dollars
// would be none.
#pragma once

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdlib>

namespace understudy::apps {

// Throws CLI::ValidationError, which names the option. For an app that was parsed.
inline void refuse_nan(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_type_name().starts_with("FLOAT")) continue;
    for (const std::string& text : option->results()) {
      if (std::isnan(std::strtod(text.c_str(), nullptr)))
        throw CLI::ValidationError(option->get_name(), text + " is no number");
    }
  }
  const auto any = [](const CLI::App*) { return true; };
  for (const CLI::App* part : app.get_subcommands(any)) refuse_nan(*part);
}

}  // namespace understudy::apps
