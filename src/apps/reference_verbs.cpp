// `understudy completion` and `understudy reference`: pages that are made from the parser itself.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "apps/show.hpp"
#include "apps/verb_facts.hpp"
#include "apps/verbs.hpp"
#include "console/web/api.hpp"
#include "live/api/openapi.hpp"

namespace understudy::apps {

namespace {

std::string page_named(const std::string& page, const CLI::App& app) {
  if (page == "cli") return reference_page(read_verbs(app));
  if (page == "man") return man_page(read_verbs(app), UNDERSTUDY_VERSION);
  if (page == "gateway-api") return live::gateway_openapi(UNDERSTUDY_VERSION);
  if (page == "admin-api") return live::admin_openapi(UNDERSTUDY_VERSION);
  return console::ConsoleApi::openapi(UNDERSTUDY_VERSION);
}

}  // namespace

void add_reference_verbs(CLI::App& app, Action& action) {
  const auto shell = std::make_shared<std::string>();  // shared with the action
  CLI::App* verb = app.add_subcommand("completion", "a script that completes verbs and options");
  verb->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  verb->callback([&app, &action, shell] {
    action = [&app, shell](const store::Home&) -> Status {
      print(completion_script(read_verbs(app), *shell));
      return {};
    };
  });

  const auto page = std::make_shared<std::string>();  // shared with the action
  verb = app.add_subcommand("reference", "the reference pages, as this program is built");
  verb->add_option("PAGE", *page,
                   "cli (Markdown), man (roff), or console-api, gateway-api, admin-api (OpenAPI)")
      ->required()
      ->check(CLI::IsMember({"cli", "man", "console-api", "gateway-api", "admin-api"}));
  verb->callback([&app, &action, page] {
    action = [&app, page](const store::Home&) -> Status {
      print(page_named(*page, app));
      return {};
    };
  });
}

}  // namespace understudy::apps
