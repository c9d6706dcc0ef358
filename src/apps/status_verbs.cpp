// `understudy status`, once or until it is stopped.
#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <optional>

#include "apps/doctor.hpp"
#include "apps/live_status.hpp"
#include "apps/render.hpp"
#include "apps/verb_builder.hpp"
#include "console/log_jobs.hpp"
#include "console/status_jobs.hpp"

namespace understudy::apps {

namespace {

struct StatusWords {
  bool as_json = false;
  bool watch = false;
  double every_s = 2;
};

// All of it on one screen: traffic, tasks, the policy, health, what to do next.
Result<json::value> look_once(const Home& home) {
  const auto log = console::log_statistics(home);
  json::value seen =
      TRY(console::status(home, log ? std::optional<json::value>(*log) : std::nullopt));
  seen.as_object()["health"] = to_json(examine(home, Reach::glance, &log));
  return seen;
}

Status run_status(const Home& home, const StatusWords& words) {
  if (!words.watch) return show(look_once(home), words.as_json, render_status);
  constexpr double ms_per_s = 1000;
  return watch_status(
      home,
      {.every = std::chrono::milliseconds(static_cast<std::int64_t>(words.every_s * ms_per_s)),
       .form = words.as_json ? WatchForm::json : WatchForm::screen_or_lines});
}

}  // namespace

void add_status_verb(CLI::App& app, Action& action) {
  const auto words = std::make_shared<StatusWords>();  // shared with the action
  CLI::App* verb = app.add_subcommand(
      "status", "one screen: traffic, tasks, the policy, health, and what to do next");
  verb->add_flag("--json", words->as_json, "print the result as JSON");
  verb->add_flag("--watch", words->watch,
                 "a live screen until q or Ctrl-C: traffic, tasks, policies, health, what to do "
                 "next; a line for each change where stdout is no terminal");
  verb->add_option("--every", words->every_s, "seconds between two looks of --watch")
      ->capture_default_str()
      ->check(CLI::Range(0.1, 3600.0));
  verb->callback([&action, words] {
    action = [words](const Home& home) { return run_status(home, *words); };
  });
}

}  // namespace understudy::apps
