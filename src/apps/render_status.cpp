// `understudy status` for a person: all of it on one screen.
#include <cstdint>
#include <map>
#include <string>

#include "apps/fields.hpp"
#include "apps/render.hpp"
#include "apps/table.hpp"
#include "base/figures.hpp"

namespace understudy::apps {

namespace {

// What is not in order, with its remedy; what is, as a count.
std::string health_lines(const json::value& health) {
  std::string out;
  std::int64_t sound = 0;
  for (const json::value& finding : list(health, "findings")) {
    const std::string kind = text(finding, "health");
    if (kind == "ok") {
      ++sound;
      continue;
    }
    const std::string remedy = text(finding, "remedy");
    out += "        " + kind + ": " + text(finding, "check") + ": " + text(finding, "finding") +
           (remedy.empty() ? "" : "\n          -> " + remedy) + "\n";
  }
  return "health  " + thousands(sound) + " checks are ok\n" + out;
}

std::string policy_line(const json::value& result) {
  const std::int64_t version = integer(result, "policy_version");
  if (version == 0) return "policy  none: the LLM answers every call\n";
  std::map<std::string, std::int64_t> modes;
  for (const json::value& task : list(result, "tasks")) ++modes[text(task, "mode")];
  std::string out = "policy  version " + std::to_string(version);
  for (const auto& [mode, tasks] : modes) out += ", " + thousands(tasks) + " " + mode;
  return out + "\n";
}

}  // namespace

std::string render_status(const json::value& result) {
  std::string out = "home    " + text(result, "home") + "\n";
  if (const json::value* log = json::find(result, "log"); log != nullptr && log->is_object()) {
    const std::int64_t calls = integer(*log, "calls");
    out += "calls   " + thousands(calls);
    if (calls > 0) {
      out += ", " + thousands(integer(*log, "served_by_slm")) + " answered by small models, " +
             thousands(integer(*log, "not_ok")) + " not ok; the last one " +
             second_of(*log, "last_call");
    }
    out += "\n";
  } else {
    out += "calls   not known: " + text(result, "log_problem") + "\n";
  }
  out += policy_line(result);
  if (const json::value* health = json::find(result, "health"); health != nullptr)
    out += health_lines(*health);
  Table table({{.title = "task"},
               {.title = "calls", .align = Align::right},
               {.title = "share", .align = Align::right},
               {.title = "answered by"},
               {.title = "mode"},
               {.title = "verdict"},
               {.title = "name"}});
  const json::array tasks = list(result, "tasks");
  for (const json::value& task : tasks) {
    const std::string verdict = text(task, "verdict");
    table.add({text(task, "id"), thousands(integer(task, "calls")),
               percent(number(task, "share_of_calls")), text(task, "served_by"), text(task, "mode"),
               verdict.empty() ? "-" : verdict, text(task, "name")});
  }
  if (!tasks.empty()) out += "\n" + table.to_text();
  for (const json::value& demotion : list(result, "demotions")) {
    out += "demoted " + text(demotion, "at") + "  " + text(demotion, "task") + "  " +
           text(demotion, "reason") + "\n";
  }
  return out + "\nnext:\n" + bullets(result, "next", "  ");
}

}  // namespace understudy::apps
