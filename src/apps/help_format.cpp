#include "apps/help_format.hpp"

#include <format>

namespace understudy::apps {

namespace {

constexpr int name_width = 12;

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

}  // namespace understudy::apps
