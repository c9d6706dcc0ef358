#include "apps/render.hpp"

#include <cstdio>

#include "apps/fields.hpp"
#include "apps/table.hpp"
#include "base/figures.hpp"

namespace understudy::apps {

namespace {

std::string decimals(double value, int digits) {
  char buffer[48];
  std::snprintf(buffer, sizeof buffer, "%.*f", digits, value);
  return buffer;
}

// {"reason": 3, ...} as lines "  reason  3".
std::string counts(const json::value& tree, std::string_view key, std::string_view title) {
  const json::object* members = json::find_object(tree, key);
  if (members == nullptr || members->empty()) return {};
  Table table({{.title = std::string(title)}, {.title = "", .align = Align::right}});
  for (const auto& member : *members) {
    table.add(
        {"  " + std::string(member.key()),
         member.value().is_number() ? thousands(member.value().to_number<std::int64_t>()) : ""});
  }
  return table.to_text();
}

std::string agreement_line(const json::value& evaluation, std::string_view split) {
  const json::value* found = json::find(evaluation, split);
  if (found == nullptr) return {};
  return std::string(split) + ": keeps " + thousands(integer(*found, "kept")) + " of " +
         thousands(integer(*found, "calls")) + " calls (" + percent(number(*found, "coverage")) +
         "), agrees with the LLM on " + percent(number(*found, "rate")) +
         " of them (95 % interval " + percent(number(*found, "lower")) + " to " +
         percent(number(*found, "upper")) + ")\n";
}

}  // namespace

std::string render_import(const json::value& result) {
  Table table({{.title = "file"},
               {.title = "lines", .align = Align::right},
               {.title = "calls", .align = Align::right}});
  for (const json::value& file : list(result, "files")) {
    table.add(
        {text(file, "path"), thousands(integer(file, "lines")), thousands(integer(file, "calls"))});
  }
  return table.to_text() + "imported " + thousands(integer(result, "calls")) + " calls\n" +
         bullets(result, "warnings", "warning: ");
}

std::string render_curate(const json::value& result) {
  std::string out = "read " + thousands(integer(result, "calls_read")) + " calls, kept " +
                    thousands(integer(result, "calls_kept")) + " as " +
                    thousands(integer(result, "examples")) + " examples of " +
                    thousands(integer(result, "sessions")) + " sessions (" +
                    thousands(integer(result, "duplicates")) + " exact duplicates)\n";
  out += thousands(integer(result, "asked_again")) + " requests were made again, " +
         thousands(integer(result, "with_other_answers")) + " of them with other answers; " +
         thousands(integer(result, "near_duplicates")) + " near-duplicates in " +
         thousands(integer(result, "near_duplicate_groups")) + " groups\n";
  out += counts(result, "dropped", "calls dropped, by reason");
  out += counts(result, "splits", "examples, by split");
  out += counts(result, "entities", "personal data and secrets replaced");
  return out + bullets(result, "warnings", "warning: ") + "data set " + text(result, "dataset") +
         "\nwhat was done, in detail: " + text(result, "html") + "\n";
}

std::string render_export(const json::value& result) {
  return "wrote " + thousands(integer(result, "examples")) + " examples of " +
         text(result, "dataset") + " to " + text(result, "path") + "\n";
}

std::string render_assignments(const json::value& result) {
  return "wrote the tasks of " + thousands(integer(result, "calls")) + " calls to " +
         text(result, "path") + "\n";
}

std::string render_cluster(const json::value& result) {
  return "found " + thousands(integer(result, "tasks")) + " tasks in " +
         thousands(integer(result, "calls")) + " calls; " +
         thousands(integer(result, "unassigned")) + " calls belong to none (" +
         decimals(number(result, "seconds"), 1) + " s)\nsee them with `understudy tasks`\n";
}

std::string render_tasks(const json::value& result) {
  Table table({{.title = "task"},
               {.title = "calls", .align = Align::right},
               {.title = "share", .align = Align::right},
               {.title = "answers"},
               {.title = "replaceable", .align = Align::right},
               {.title = "name", .align = Align::left, .width_max = 70}});
  if (!result.is_array()) return {};
  for (const json::value& task : result.get_array()) {
    const json::value* statistics = json::find(task, "statistics");
    const json::value* estimate = json::find(task, "replaceability");
    if (statistics == nullptr || estimate == nullptr) continue;
    std::string answers = text(task, "answer_form");
    if (const auto closed = list(task, "answer_set"); !closed.empty())
      answers += " of " + std::to_string(closed.size());
    table.add({text(task, "id"), thousands(integer(*statistics, "calls")),
               percent(number(*statistics, "share_of_calls")), answers,
               decimals(number(*estimate, "estimate"), 2), text(task, "name")});
  }
  return table.to_text();
}

std::string render_task(const json::value& result) {
  const json::value* task = json::find(result, "task");
  if (task == nullptr) return {};
  std::string out = text(*task, "id") + "  " + text(*task, "name") + "\n";
  if (const json::value* s = json::find(*task, "statistics")) {
    out += thousands(integer(*s, "calls")) + " calls (" + percent(number(*s, "share_of_calls")) +
           " of calls, " + percent(number(*s, "share_of_tokens")) + " of tokens) in " +
           thousands(integer(*s, "sessions")) + " sessions; " +
           thousands(integer(*s, "distinct_answers")) + " distinct answers of form " +
           text(*task, "answer_form") + "\n";
  }
  if (const json::value* estimate = json::find(*task, "replaceability")) {
    out += "replaceable: " + decimals(number(*estimate, "estimate"), 2) + ", " +
           text(*estimate, "reason") + "\n";
  }
  out += "template:\n" + text(*task, "template_text") + "\n";
  int count = 0;
  for (const json::value& example : list(result, "examples")) {
    out += "example " + std::to_string(++count) + " (" + text(example, "call_id") + ")\n";
    out += bullets(example, "slots", "  slot: ");
    out += "  answer: " + text(example, "answer") + "\n";
  }
  for (const json::value& evaluation : list(result, "evaluations")) {
    out += "evaluated: " + text(evaluation, "verdict") + ", " + text(evaluation, "reason") +
           "\n  " + agreement_line(evaluation, "test");
  }
  return out;
}

std::string render_selection(const json::value& result) {
  std::string out;
  for (const json::value& candidate : list(result, "candidates")) {
    const bool eligible = json::find_bool(candidate, "eligible").value_or(false);
    out += std::string(eligible ? "+ " : "- ") + text(candidate, "name") + "\n" +
           bullets(candidate, "reasons", "    ");
  }
  for (const json::value& baseline : list(result, "baselines"))
    out += "to beat: " + text(baseline, "name") + "\n    " + text(baseline, "reason") + "\n";
  if (const std::int64_t missing = integer(result, "calls_missing"); missing > 0) {
    out += "needs " + thousands(missing) +
           " more calls before a proof at alpha 0.05, delta 0.1 is possible at all\n";
  }
  return out;
}

std::string render_bake_off(const json::value& result) {
  std::string out;
  for (const json::value& round : list(result, "rounds")) {
    out += "with " + decimals(number(round, "minutes"), 2) + " minutes\n";
    for (const json::value& contender : list(round, "contenders")) {
      const std::string failure = text(contender, "failure");
      out += "  " + text(contender, "candidate") + ": " +
             (failure.empty() ? percent(number(contender, "certified_share")) + " certified; " +
                                    text(contender, "reason")
                              : failure) +
             "\n";
    }
  }
  const json::value* winner = json::find(result, "winner");
  return winner == nullptr ? out : out + "the winner\n" + render_evaluation(*winner);
}

std::string render_artifact(const json::value& result) {
  return "made " + text(result, "kind") + " " + text(result, "id") + " for task " +
         text(result, "task") + "\n  " + text(result, "metrics") +
         "\nprove it with `understudy evaluate " + text(result, "task") + "`\n";
}

namespace {

// What stands beside the agreement, each in a line of its own.
std::string baseline_lines(const json::value& result) {
  std::string out;
  if (const json::value* cache = json::find(result, "cache");
      cache != nullptr && integer(*cache, "hits") > 0) {
    out += "an exact-match cache would answer " + percent(number(*cache, "share")) +
           " of the recorded calls, " + percent(number(*cache, "rate")) +
           " of them as the LLM; the small model " + percent(number(*cache, "share_of_model")) +
           "\n";
  }
  if (const json::value* cheaper = json::find(result, "cheaper");
      cheaper != nullptr && cheaper->is_object()) {
    out += text(*cheaper, "model") + ": agrees with the LLM on " +
           percent(number(*cheaper, "rate")) + " of " + thousands(integer(*cheaper, "calls")) +
           " test calls (95 % interval " + percent(number(*cheaper, "lower")) + " to " +
           percent(number(*cheaper, "upper")) + "), $" +
           decimals(number(*cheaper, "usd_per_call"), 6) + " a call against the LLM's $" +
           decimals(number(*cheaper, "llm_usd_per_call"), 6) + "\n";
  }
  if (const json::value* outcomes = json::find(result, "outcomes");
      outcomes != nullptr && outcomes->is_object()) {
    const bool holds = json::find_bool(*outcomes, "holds").value_or(false);
    out += "task success on " + thousands(integer(*outcomes, "calls")) +
           " calls with a reward: at least " + percent(number(*outcomes, "difference_lower")) +
           " against the LLM alone, " + (holds ? "not worse" : "not shown to be not worse") +
           " by the margin of " + percent(number(*outcomes, "margin")) + "\n";
  }
  return out;
}

}  // namespace

std::string render_evaluation(const json::value& result) {
  if (const json::array* pool = json::find_array(result, "evaluations")) {
    std::string all;
    for (const json::value& one : *pool) {
      all += text(one, "task") + "\n" + render_evaluation(one);
    }
    return all;
  }
  const std::string verdict = text(result, "verdict");
  std::string out = "verdict: " + verdict;
  if (verdict == "needs_more_data")
    out += " (about " + thousands(integer(result, "calls_needed")) + " more calibration calls)";
  out += "\n  " + text(result, "reason") + "\n";
  out += "alpha " + decimals(number(result, "alpha"), 3) + ", delta " +
         decimals(number(result, "delta"), 3) + ", threshold " +
         decimals(number(result, "threshold"), 4) + "\n";
  out += agreement_line(result, "calibration") + agreement_line(result, "test");
  if (const json::value* manner = json::find(result, "self_consistency");
      manner != nullptr && integer(*manner, "samples") > 1) {
    out += "asked " + thousands(integer(*manner, "samples")) + " times for each answer\n";
  }
  if (const auto plain = json::find_number(result, "plain_coverage"))
    out += "by the least sure token alone it would keep " + percent(*plain) +
           " of the calibration calls\n";
  if (const json::value* judged = json::find(result, "judged");
      judged != nullptr && judged->is_object()) {
    out += "judged by " + text(*judged, "judge") + ": of " + thousands(integer(*judged, "calls")) +
           " differing answers " + thousands(integer(*judged, "equal")) + " are as good, " +
           thousands(integer(*judged, "slm_better")) + " better, " +
           thousands(integer(*judged, "llm_better")) + " worse, " +
           thousands(integer(*judged, "inconsistent")) + " not told apart\n";
  }
  if (const json::value* similar = json::find(result, "similarity");
      similar != nullptr && similar->is_object()) {
    out += "texts: chrF " + decimals(number(*similar, "chrf"), 3) + ", ROUGE-L " +
           decimals(number(*similar, "rouge_l"), 3) + "\n";
  }
  out += baseline_lines(result);
  out += "latency (median): small model " + decimals(number(result, "slm_latency_ms_median"), 1) +
         " ms, LLM " + decimals(number(result, "llm_latency_ms_median"), 1) + " ms\n";
  if (verdict == "convert")
    out += "put it live with `understudy promote " + text(result, "task") + "`\n";
  return out;
}

std::string render_promotion(const json::value& result) {
  return text(result, "task") + " (" + text(result, "name") + ") is now " + text(result, "mode") +
         " with artifact " + text(result, "artifact") + "\n";
}

std::string render_policy(const json::value& result) {
  std::string out = "policy version " + std::to_string(integer(result, "version")) + "\n";
  Table table({{.title = "task"},
               {.title = "mode"},
               {.title = "model"},
               {.title = "threshold", .align = Align::right},
               {.title = "name"}});
  for (const json::value& task : list(result, "tasks")) {
    table.add({text(task, "task"), text(task, "mode"),
               text(task, "kind") + " " + text(task, "artifact").substr(0, 8),
               decimals(number(task, "threshold"), 4), text(task, "name")});
  }
  return out + table.to_text();
}

std::string render_report(const json::value& result) {
  return "wrote " + text(result, "html") + "\n      " + text(result, "json") + "\n" +
         (text(result, "pdf").empty() ? "" : "      " + text(result, "pdf") + "\n");
}

}  // namespace understudy::apps
