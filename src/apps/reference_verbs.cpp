// `understudy completion` and `understudy reference`: pages that are made from the parser itself.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "apps/show.hpp"
#include "apps/verb_facts.hpp"
#include "apps/verbs.hpp"
#include "console/web/api.hpp"

namespace understudy::apps {

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
  verb->add_option("PAGE", *page, "cli (Markdown), man (roff), or console-api (OpenAPI)")
      ->required()
      ->check(CLI::IsMember({"cli", "man", "console-api"}));
  verb->callback([&app, &action, page] {
    action = [&app, page](const store::Home&) -> Status {
      print(*page == "cli"   ? reference_page(read_verbs(app))
            : *page == "man" ? man_page(read_verbs(app), UNDERSTUDY_VERSION)
                             : console::ConsoleApi::openapi(UNDERSTUDY_VERSION));
      return {};
    };
  });
}

}  // namespace understudy::apps
