#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>

#include "apps/render.hpp"
#include "apps/render_route.hpp"
#include "apps/verb_builder.hpp"
#include "console/refine_jobs.hpp"
#include "console/route_jobs.hpp"

namespace understudy::apps {

namespace {

// Each shared with its action, which outlives the parser's callback.
void add_promote(CLI::App& app, Action& action) {
  VerbBuilder builder(app, action);
  const auto request = std::make_shared<console::PromoteRequest>();
  CLI::App* verb =
      builder.add("promote", "S6: put a proven model live for its task, wholly or to a degree",
                  [request](const Home& home, const VerbOptions& o) -> Status {
                    request->task = o.task;
                    return show(console::promote(home, *request), o.as_json, render_promotion);
                  });
  builder.with_task(verb);
  verb->add_option("--mode", request->mode,
                   "shadow (compared, never answers), canary (a share of the sessions) or active")
      ->capture_default_str()
      ->check(CLI::IsMember({"shadow", "canary", "active"}));
  verb->add_option("--canary", request->canary_percent, "percent of the sessions, with canary")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 100.0));
  verb->add_option(
      "--draft", request->draft,
      "write the policy to this file for `understudy replay` instead of publishing it");
  verb->add_option("--audit", request->audit_percent,
                   "percent of the accepted calls that the LLM is asked too, to watch over it")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 100.0));
}

void add_rollback(CLI::App& app, Action& action) {
  VerbBuilder builder(app, action);
  const auto request = std::make_shared<console::RollbackRequest>();
  CLI::App* verb =
      builder.add("rollback", "S6: give a task back to the LLM, or to the model before this one",
                  [request](const Home& home, const VerbOptions& o) -> Status {
                    request->task = o.task;
                    return show(console::rollback(home, *request), o.as_json, render_promotion);
                  });
  builder.with_task(verb);
  verb->add_flag("--to-previous", request->to_previous,
                 "to the model that was live before, not to the LLM");
}

// Without a task, --all must say that everything is meant.
Status switch_routes(const Home& home, const VerbOptions& o, bool on) {
  if (o.task.empty() == !o.flag) {
    return fail(ErrorCode::invalid_input, "give either a task or --all",
                on ? "`understudy route on TASK`" : "`understudy route off TASK`");
  }
  const auto task = o.flag ? std::nullopt : std::optional(o.task);
  return show(console::switch_routes(home, task, on), o.as_json, render_routes);
}

void add_switch(CLI::App& route, VerbBuilder& builder, const char* name, const char* help,
                bool on) {
  CLI::App* verb = builder.add(route, name, help, [on](const Home& home, const VerbOptions& o) {
    return switch_routes(home, o, on);
  });
  verb->add_option("TASK", builder.options->task, "a task id, or the beginning of one");
  verb->add_flag("--all", builder.options->flag, "every task");
}

void add_route(CLI::App& app, Action& action) {
  VerbBuilder builder(app, action);
  CLI::App* route =
      builder.add("route", "who answers which task, what the watch over it has seen; off and on",
                  [](const Home& home, const VerbOptions& o) {
                    return show(console::show_routes(home), o.as_json, render_routes);
                  });
  route->require_subcommand(0, 1);
  add_switch(*route, builder, "off", "the kill switch: calls go to the LLM at once; needs no key",
             false);
  add_switch(*route, builder, "on", "as it was before `route off` (needs the admin's key)", true);
}

void add_refine(CLI::App& app, Action& action) {
  VerbBuilder builder(app, action);
  const auto request = std::make_shared<console::RefineRequest>();
  CLI::App* verb = builder.add(
      "refine",
      "S6, one turn of the loop: where data or models ask for it, train a challenger, measure it "
      "against the champion on the same calls, and let the better one answer; goes on with a turn "
      "that was cut off",
      [request](const Home& home, const VerbOptions& o) -> Status {
        if (o.flag) return show(console::list_refinements(home), o.as_json, render_refinements);
        request->task = o.task;
        return show(console::refine(home, *request), o.as_json, render_refine);
      });
  verb->add_option("TASK", builder.options->task,
                   "a task id, or the beginning of one (default: every task with a model)");
  verb->add_flag("--list", builder.options->flag, "only the turns so far");
  verb->add_flag("--force", request->force, "also where nothing asks for it");
  verb->add_option("--go-live", request->new_mode,
                   "how far a proven challenger may go where the LLM answers: off (it waits for "
                   "`understudy promote`), shadow, canary or active; a live task keeps its mode")
      ->capture_default_str()
      ->check(CLI::IsMember({"off", "shadow", "canary", "active"}));
  verb->add_option("--new-calls", request->rules.new_calls_min,
                   "a turn is due after so many new calls, and a fifth of the task's")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  verb->add_option("--max-age-days", request->rules.age_days_max,
                   "a turn is due when the model is older; 0: no limit")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  verb->add_option("--max-minutes", request->minutes_max, "stop training after this long")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  verb->add_option("--keep", request->models_kept,
                   "models of each task that are kept besides those that are live")
      ->capture_default_str();
  verb->add_option("--alpha", request->alpha, "as `evaluate --alpha`")
      ->capture_default_str()
      ->check(CLI::Range(0.0001, 0.5));
  verb->add_option("--delta", request->delta, "as `evaluate --delta`")
      ->capture_default_str()
      ->check(CLI::Range(0.0001, 0.5));
}

void add_replay(CLI::App& app, Action& action) {
  VerbBuilder builder(app, action);
  const auto request = std::make_shared<console::ReplayRequest>();
  CLI::App* verb = builder.add(
      "replay", "what a policy would have done with the recorded calls, before it goes live",
      [request](const Home& home, const VerbOptions& o) -> Status {
        return show(console::replay(home, *request), o.as_json, render_replay);
      });
  verb->add_option("--policy", request->policy,
                   "current, a version's number, or a file that `promote --draft` wrote")
      ->capture_default_str();
  verb->add_option("--calls", request->calls_max, "only the first ones of the log; 0: all")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
}

}  // namespace

void add_route_verbs(CLI::App& app, Action& action) {
  add_promote(app, action);
  add_rollback(app, action);
  add_route(app, action);
  add_refine(app, action);
  add_replay(app, action);
}

}  // namespace understudy::apps
