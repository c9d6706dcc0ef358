#include "apps/render_route.hpp"

#include <cstdio>

#include "apps/fields.hpp"
#include "apps/table.hpp"
#include "base/figures.hpp"

namespace understudy::apps {

namespace {

// "97.1 % of 350"
std::string share_of(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return "-";
  return percent(static_cast<double>(part) / static_cast<double>(whole)) + " of " +
         thousands(whole);
}

std::string agreement(const json::value* watch, std::string_view key) {
  const json::value* found = watch == nullptr ? nullptr : json::find(*watch, key);
  return found == nullptr ? "-" : share_of(integer(*found, "agreed"), integer(*found, "kept"));
}

std::string mode_of(const json::value& route) {
  std::string mode = text(route, "mode");
  if (mode == "canary") mode += " " + percent(json::find_number(route, "canary_share").value_or(0));
  return mode;
}

}  // namespace

std::string render_routes(const json::value& result) {
  std::string out = "policy version " + std::to_string(integer(result, "policy_version")) + "\n";
  if (json::find_bool(result, "everything_off").value_or(false))
    out += "everything is switched off: all calls go to the LLM (`understudy route on --all`)\n";
  Table table({{.title = "task"},
               {.title = "mode"},
               {.title = "model"},
               {.title = "accepted", .align = Align::right},
               {.title = "shadow agrees", .align = Align::right},
               {.title = "audit agrees", .align = Align::right},
               {.title = "name", .align = Align::left, .width_max = 50}});
  std::string remarks;
  for (const json::value& route : list(result, "routes")) {
    const json::value* watch = json::find(route, "watch");
    if (watch != nullptr && !watch->is_object()) watch = nullptr;
    table.add(
        {text(route, "task"), mode_of(route), text(route, "model"),
         watch == nullptr ? "-" : share_of(integer(*watch, "accepted"), integer(*watch, "asked")),
         agreement(watch, "shadow"), agreement(watch, "audit"), text(route, "name")});
    if (text(route, "mode") != text(route, "decided")) {
      remarks += text(route, "task") + " was decided as " + text(route, "decided") + " and is " +
                 text(route, "mode") + " since " + text(route, "since") + ": " +
                 text(route, "why") + "\n";
    }
    if (watch != nullptr && !text(*watch, "drift").empty())
      remarks += text(route, "task") + " has drifted: " + text(*watch, "drift") + "\n";
  }
  out += table.to_text() + remarks;
  for (const json::value& demotion : list(result, "demotions")) {
    out += "demoted " + text(demotion, "at") + "  " + text(demotion, "task") + "  " +
           text(demotion, "reason") + "\n";
  }
  return out;
}

std::string render_refinements(const json::value& result) {
  if (!result.is_array() || result.get_array().empty()) return "no turn of the loop so far\n";
  std::string out;
  for (const json::value& run : result.get_array()) {
    const std::string outcome = text(run, "outcome");
    out += text(run, "task") + "  " + text(run, "branch") + " " + text(run, "candidate") + ": " +
           (outcome.empty() ? "cut off behind \"" + text(run, "stage") +
                                  "\"; `understudy refine` "
                                  "goes on with it"
                            : outcome) +
           "\n  because " + text(run, "trigger") + "\n";
    if (!text(run, "reason").empty()) out += "  " + text(run, "reason") + "\n";
  }
  return out;
}

std::string render_refine(const json::value& result) {
  const json::array runs = list(result, "refinements");
  std::string out =
      runs.empty() ? std::string("nothing asks for another turn\n") : render_refinements(runs);
  for (const json::value& idle : list(result, "idle")) {
    if (!text(idle, "reason").empty())
      out += text(idle, "task") + "  " + text(idle, "trigger") + ", but " + text(idle, "reason") +
             "\n";
  }
  return out;
}

std::string render_replay(const json::value& result) {
  Table table({{.title = "task"},
               {.title = "mode"},
               {.title = "matched", .align = Align::right},
               {.title = "answered", .align = Align::right},
               {.title = "agrees", .align = Align::right},
               {.title = "at least", .align = Align::right},
               {.title = "name", .align = Align::left, .width_max = 50}});
  for (const json::value& task : list(result, "tasks")) {
    const std::int64_t accepted = integer(task, "accepted");
    table.add(
        {text(task, "task"), text(task, "mode"), thousands(integer(task, "matched")),
         share_of(accepted, integer(task, "matched")), share_of(integer(task, "agreed"), accepted),
         accepted == 0 ? "-" : percent(json::find_number(task, "agreement_lower").value_or(0)),
         text(task, "name")});
  }
  std::string out = "replayed " + thousands(integer(result, "calls")) +
                    " calls that the LLM answered (" + thousands(integer(result, "skipped")) +
                    " others left out)\n" + table.to_text();
  if (const json::value* savings = json::find(result, "savings")) {
    const auto share = [savings](std::string_view key) {
      return percent(json::find_number(*savings, key).value_or(0));
    };
    out += "small models would have answered " + share("share_of_calls") + " of the calls, " +
           share("share_of_tokens") + " of the tokens, " + share("share_of_cost") +
           " of the money\n";
  }
  return out;
}

}  // namespace understudy::apps
