#include "apps/verbs.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>

#include "apps/render.hpp"
#include "apps/serve_options.hpp"
#include "apps/verb_builder.hpp"
#include "base/files.hpp"
#include "console/jobs.hpp"
#include "console/report_pdf.hpp"

namespace understudy::apps {

namespace {

void add_import(CLI::App& app, Action& action) {
  VerbBuilder builder(app, action);
  CLI::App* verb =
      builder.add("import", "read recorded calls (JSONL, plain or gzip) into the call log",
                  [](const Home& home, const auto& o) {
                    return show(console::import_calls(home, o.files), o.as_json, render_import);
                  });
  verb->add_option("FILE", builder.options->files,
                   "OpenAI-format call records, or NVIDIA Data Flywheel records")
      ->required();
}

// `understudy` hands `serve` over before it comes here; it is in the list for --help and the
// reference.
void add_serve(CLI::App& app, Action& action) {
  add_serve_options(app).verb->callback([&action] {
    action = [](const Home&) -> Status {
      return fail(ErrorCode::unsupported, "this program is not the gateway",
                  "run `understudy serve`, or understudy-serve");
    };
  });
}

void add_export_dataset(CLI::App& exports, VerbBuilder& builder) {
  CLI::App* verb = builder.add(
      exports, "dataset", "a curated data set as Parquet or JSON lines (docs/formats/dataset.md)",
      [](const Home& home, const VerbOptions& o) -> Status {
        console::ExportRequest request = o.dataset;
        request.output = o.output;
        const json::value done = TRY(console::export_dataset(home, request, print));
        if (!o.output) return {};  // the lines are the output
        return show(Result<json::value>(done), o.as_json, render_export);
      });
  console::ExportRequest& request = builder.options->dataset;
  verb->add_option("--format", request.format, "jsonl or parquet")
      ->capture_default_str()
      ->check(CLI::IsMember({"jsonl", "parquet"}));
  verb->add_option("--output", builder.options->output, "a file; JSON lines go to stdout without");
  verb->add_option("--split", request.split, "train, calibration or test only");
  verb->add_option("--dataset", request.dataset, "another than the current one");
  verb->add_option("--role", request.role, "whose key opens it: trainer or curator")
      ->capture_default_str()
      ->check(CLI::IsMember({"trainer", "curator"}));
}

void add_data_verbs(CLI::App& app, Action& action) {
  VerbBuilder builder(app, action);
  CLI::App* curate =
      builder.add("curate", "S2: pseudonymise, filter, de-duplicate and split the recorded calls",
                  [](const Home& home, const auto& o) {
                    return show(console::curate(home, o.output), o.as_json, render_curate);
                  });
  curate->add_option("--output", builder.options->output,
                     "the page of what was done (default: HOME/reports/curate.html)");
  CLI::App* cluster =
      builder.add("cluster", "S3: find the tasks that recur", [](const Home& home, const auto& o) {
        return show(o.flag ? console::assign_new_calls(home) : console::cluster(home, o.cluster),
                    o.as_json, render_cluster);
      });
  cluster->add_flag("--new-calls", builder.options->flag,
                    "keep the tasks and only give the new calls to them, by their prompts");
  cluster->add_option("--embeddings", builder.options->cluster.embeddings,
                      "compare free texts by vectors of this embedding model, a GGUF file, or of "
                      "this API, for example http://127.0.0.1:8080/v1; off without it");
  cluster->add_option("--embedding-model", builder.options->cluster.embedding_model,
                      "the model's name at that API");

  CLI::App* tasks =
      builder.add("tasks", "the tasks that were found", [](const Home& home, const auto& o) {
        return show(console::list_tasks(home), o.as_json, render_tasks);
      });
  tasks->require_subcommand(0, 1);
  CLI::App* verb = builder.add(*tasks, "show", "one task with its template and examples",
                               [](const Home& home, const auto& o) {
                                 return show(console::show_task(home, o.task, o.examples),
                                             o.as_json, render_task);
                               });
  builder.with_task(verb);
  verb->add_option("--examples", builder.options->examples, "how many examples to print")
      ->capture_default_str();

  CLI::App* exports = app.add_subcommand("export", "write results for other tools");
  exports->require_subcommand(1);
  add_export_dataset(*exports, builder);
  verb = builder.add(*exports, "assignments", "which task each call belongs to, as JSON lines",
                     [](const Home& home, const VerbOptions& o) -> Status {
                       const std::string lines = TRY(console::export_assignments(home));
                       if (!o.output) {
                         print(lines);  // they are JSON, with --json and without
                         return {};
                       }
                       TRY(write_file_atomically(*o.output, lines));
                       const json::object done{{"path", o.output->string()},
                                               {"calls", std::ranges::count(lines, '\n')}};
                       return show(json::value(done), o.as_json, render_assignments);
                     });
  verb->add_option("--output", builder.options->output, "a file instead of stdout");
}

void add_model_verbs(CLI::App& app, Action& action) {
  VerbBuilder builder(app, action);
  CLI::App* verb = builder.add(
      "select", "S4: candidate models for a task, ranked, with reasons",
      [](const Home& home, const VerbOptions& o) -> Status {
        if (!o.flag) {
          return show(console::select_candidates(home, o.task), o.as_json, render_selection);
        }
        console::BakeOffRequest request = o.bake_off;
        request.task = o.task;
        return show(console::bake_off(home, request), o.as_json, render_bake_off);
      });
  builder.with_task(verb);
  verb->add_flag(
      "--bake-off", builder.options->flag,
      "train the eligible ones and let them compete on the calibration calls; each round "
      "the better half goes on with twice the time");
  verb->add_option("--alpha", builder.options->bake_off.alpha, "as `evaluate --alpha`")
      ->capture_default_str()
      ->check(CLI::Range(0.0001, 0.5));
  verb->add_option("--delta", builder.options->bake_off.delta,
                   "of the winner; each candidate is certified at its share of it")
      ->capture_default_str()
      ->check(CLI::Range(0.0001, 0.5));
  verb->add_option("--max-minutes", builder.options->bake_off.minutes_max,
                   "of training, for the winner")
      ->capture_default_str()
      ->check(CLI::Range(0.01, 1440.0));

  add_tune_verb(app, action);
  verb = builder.add("evaluate", "S6: prove on held-out calls that the model may take over",
                     [](const Home& home, const VerbOptions& o) {
                       console::EvaluateRequest request = o.evaluate;
                       request.task = o.task;
                       return show(console::evaluate(home, request), o.as_json, render_evaluation);
                     });
  builder.with_task(verb);
  verb->add_option("--alpha", builder.options->evaluate.alpha,
                   "accepted share of disagreements among the calls that the model keeps")
      ->capture_default_str()
      ->check(CLI::Range(0.0001, 0.5));
  verb->add_option("--delta", builder.options->evaluate.delta,
                   "accepted chance that the bound is wrong")
      ->capture_default_str()
      ->check(CLI::Range(0.0001, 0.5));
  verb->add_option("--judge", builder.options->evaluate.judge_url,
                   "ask the chat completions of this API which of two differing answers is better, "
                   "for example http://127.0.0.1:8080/v1; a figure, no part of the verdict");
  verb->add_option("--judge-model", builder.options->evaluate.judge_model, "as that API names it");
  verb->add_option("--cheaper", builder.options->evaluate.cheaper_url,
                   "ask a cheaper model at the chat completions of this API the test calls, too: a "
                   "baseline to be beaten");
  verb->add_option("--cheaper-model", builder.options->evaluate.cheaper_model,
                   "as that API names it (default: [cheaper] of prices.toml)");
  verb->add_option("--samples", builder.options->evaluate.self_consistency.samples,
                   "ask the model so often for each answer and let the answers vote "
                   "(self-consistency); costs so many times the time and tokens, and is in force "
                   "where this proof is promoted")
      ->capture_default_str()
      ->check(CLI::Range(std::int64_t{1}, SelfConsistency::samples_max));
  verb->add_option("--temperature", builder.options->evaluate.self_consistency.temperature,
                   "of the samples behind the first, which is the likeliest answer")
      ->capture_default_str()
      ->check(CLI::Range(0.01, SelfConsistency::temperature_max));
  CLI::Option* endpoint = verb->add_option(
      "--endpoint", builder.options->evaluate.endpoint_url,
      "the server that answers for the adapter (vLLM, SGLang, Dynamo, llama-server), "
      "for example http://127.0.0.1:8000/v1; it is asked live, too, where this proof "
      "is promoted");
  verb->add_option("--endpoint-model", builder.options->evaluate.endpoint_model,
                   "the adapter as that server names it")
      ->needs(endpoint);
  verb->add_option("--endpoint-form", builder.options->evaluate.endpoint_form,
                   "how that server is told what an answer must be like: response_format "
                   "(json_schema, as OpenAI's), structured_outputs (vLLM's, tool calls too), none")
      ->check(CLI::IsMember({"response_format", "structured_outputs", "none"}))
      ->capture_default_str()
      ->needs(endpoint);
  verb->add_option("--pool-with", builder.options->evaluate.pool_with,
                   "further small tasks that share one proof with this one");

  builder.add("policy", "the routing policy in force", [](const Home& home, const auto& o) {
    return show(console::show_policy(home), o.as_json, render_policy);
  });
  verb =
      builder.add("report", "what small models saved, and how sure we are: one HTML page and JSON",
                  [](const Home& home, const VerbOptions& o) -> Status {
                    json::value made = TRY(console::report(home, o.output));
                    if (o.flag) {
                      const auto pdf = TRY(console::write_pdf(json::string_or(made, "html")));
                      made.as_object()["pdf"] = pdf.string();
                    }
                    return show(Result<json::value>(std::move(made)), o.as_json, render_report);
                  });
  verb->add_option("--output", builder.options->output,
                   "the page's path (default: HOME/reports/report.html)");
  verb->add_flag("--pdf", builder.options->flag, "also as PDF (needs weasyprint)");
}

}  // namespace

void add_verbs(CLI::App& app, Action& action) {
  add_demo_verb(app);
  add_status_verb(app, action);
  add_import(app, action);
  add_log_verbs(app, action);
  add_serve(app, action);
  add_setup_verbs(app, action);
  add_console_verbs(app, action);
  add_access_verbs(app, action);
  add_data_verbs(app, action);
  add_scan_verb(app, action);
  add_models_verb(app, action);
  add_model_verbs(app, action);
  add_route_verbs(app, action);
  add_reference_verbs(app, action);
}

}  // namespace understudy::apps
