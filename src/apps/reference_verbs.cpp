// `understudy completion` and `understudy reference`: pages that are made from the parser itself.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "apps/show.hpp"
#include "apps/verb_facts.hpp"
#include "apps/verbs.hpp"
#include "base/json.hpp"
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

std::string text_in(const json::value& page) { return json::string_or(page, "text"); }

}  // namespace

void add_reference_verbs(CLI::App& app, Action& action) {
  struct Words {
    std::string name;
    bool as_json = false;
  };
  const auto shell = std::make_shared<Words>();  // shared with the action
  CLI::App* verb = app.add_subcommand("completion", "a script that completes verbs and options");
  verb->add_option("SHELL", shell->name, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  verb->add_flag("--json", shell->as_json, "print the script in a JSON object");
  verb->callback([&app, &action, shell] {
    action = [&app, shell](const store::Home&) -> Status {
      return show(json::value({{"shell", shell->name},
                               {"text", completion_script(read_verbs(app), shell->name)}}),
                  shell->as_json, text_in);
    };
  });

  const auto page = std::make_shared<Words>();  // shared with the action
  verb = app.add_subcommand("reference", "the reference pages, as this program is built");
  verb->add_option("PAGE", page->name,
                   "cli (Markdown), man (roff), or console-api, gateway-api, admin-api (OpenAPI)")
      ->required()
      ->check(CLI::IsMember({"cli", "man", "console-api", "gateway-api", "admin-api"}));
  verb->add_flag("--json", page->as_json,
                 "print the page in a JSON object; with cli also its verbs and options as a tree");
  verb->callback([&app, &action, page] {
    action = [&app, page](const store::Home&) -> Status {
      json::object made{{"page", page->name}, {"text", page_named(page->name, app)}};
      if (page->name == "cli") made["program"] = to_json(read_verbs(app));
      return show(json::value(std::move(made)), page->as_json, text_in);
    };
  });
}

}  // namespace understudy::apps
