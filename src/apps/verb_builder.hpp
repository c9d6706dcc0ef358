// How verbs are added to the parser. Private to apps. CLI11 writes into a verb's options while
// parsing; its action reads them afterwards, so both share them.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/show.hpp"
#include "apps/verbs.hpp"
#include "base/json.hpp"
#include "console/bake_off.hpp"
#include "console/export_jobs.hpp"
#include "console/jobs.hpp"
#include "console/log_jobs.hpp"
#include "console/scan_jobs.hpp"
#include "console/tune_jobs.hpp"

namespace understudy::apps {

using store::Home;
struct VerbOptions {
  bool as_json = false;
  std::string task;
  std::size_t examples = 3;
  std::vector<std::filesystem::path> files;
  std::optional<std::filesystem::path> output;
  console::ClusterRequest cluster;
  console::TuneRequest tune;
  std::string candidate;
  console::EvaluateRequest evaluate;
  console::BakeOffRequest bake_off;
  console::CatRequest cat;
  s2::ScanRequest scan{.file = "-", .rules = {}};
  console::ExportRequest dataset;
  std::string since;
  bool flag = false;  // the verb's own: --metadata, --content, --remove, --yes, --counts
  std::string name;   // the verb's own: ROLE, TENANT, a hash
};

using Run = std::function<Status(const Home&, const VerbOptions&)>;

class VerbBuilder {
 public:
  VerbBuilder(CLI::App& app, Action& action) : app_(app), action_(action) {}

  // Adds `name`; `run` becomes the action when the user chooses it.
  CLI::App* add(CLI::App& parent, const char* name, const char* help, Run run) {
    options =
        std::make_shared<VerbOptions>();  // shared with the action, which outlives this builder
    CLI::App* verb = parent.add_subcommand(name, help);
    verb->add_flag("--json", options->as_json, "print the result as JSON");
    verb->callback([&action = action_, verb, kept = options, run = std::move(run)] {
      if (!verb->get_subcommands().empty()) return;  // `tasks show ID` is not `tasks`
      action = [kept, run](const Home& home) { return run(home, *kept); };
    });
    return verb;
  }
  CLI::App* add(const char* name, const char* help, Run run) {
    return add(app_, name, help, std::move(run));
  }

  void with_task(CLI::App* verb) {
    verb->add_option("TASK", options->task,
                     "a task id, or the beginning of one (`understudy tasks`)")
        ->required();
  }

  std::shared_ptr<VerbOptions> options;

 private:
  CLI::App& app_;
  Action& action_;
};

// `log`, `keys` and `audit`.
void add_log_verbs(CLI::App& app, Action& action);
void add_status_verb(CLI::App& app, Action& action);
void add_scan_verb(CLI::App& app, Action& action);
void add_demo_verb(CLI::App& app);
void add_tune_verb(CLI::App& app, Action& action);
void add_models_verb(CLI::App& app, Action& action);

}  // namespace understudy::apps
