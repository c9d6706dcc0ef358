#include "apps/live_status.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <format>
#include <string>
#include <thread>
#include <utility>

#include "adapters/terminal/live_screen.hpp"
#include "apps/doctor.hpp"
#include "apps/fields.hpp"
#include "apps/show.hpp"
#include "apps/table.hpp"
#include "base/clock.hpp"
#include "base/figures.hpp"
#include "console/route_jobs.hpp"
#include "console/status_jobs.hpp"
#include "console/web/facts.hpp"

namespace understudy::apps {

namespace {

using terminal::LiveFacts;
using terminal::Tone;

constexpr auto health_every = std::chrono::seconds(10);  // it asks the gateway, and reads the keys
constexpr std::size_t clock_characters = 8;              // 10:30:00

struct Span {
  const char* name;
  std::int64_t seconds;  // 0: everything
};
constexpr std::array<Span, 3> spans = {{{"last_minute", 60}, {"last_hour", 3600}, {"all", 0}}};

// Reads what there is to show; keeps the log's facts and the last look at the health.
class StatusReader {
 public:
  explicit StatusReader(const store::Home& home) : home_(home), facts_(home) {}

  json::value read() {
    json::object out{{"at", to_iso8601(now())}, {"traffic", json::object{}}};
    std::optional<json::value> known;
    if (const auto log = facts_.log()) {
      for (const Span& span : spans) out["traffic"].as_object()[span.name] = count(**log, span);
      const json::value& all = *json::find(out["traffic"], "all");
      known = json::object{{"calls", (*log)->calls_all},
                           {"served_by_slm", integer(all, "slm_calls")},
                           {"not_ok", integer(all, "failed")}};
    } else {
      out["traffic_problem"] = log.error().message;
      known = nullptr;
    }
    auto status = console::status(home_, std::move(known));
    if (!status) out["status_problem"] = status.error().message;
    out["status"] = status ? std::move(*status) : json::value(json::object{});
    const auto routes = console::show_routes(home_);
    out["routes"] = routes ? json::value(list(*routes, "routes")) : json::value(json::array{});
    out["health"] = health();
    return out;
  }

 private:
  static json::value count(const console::LogFacts& log, const Span& span) {
    UnixMicros since;
    if (span.seconds > 0) since.value = now().value - span.seconds * 1'000'000;
    const json::value series = log.series.to_json(since, 2, {});
    // Imported calls may have no time: they count among all.
    return json::object{{"calls", span.seconds > 0 ? integer(series, "calls")
                                                   : static_cast<std::int64_t>(log.calls_all)},
                        {"slm_calls", integer(series, "slm_calls")},
                        {"failed", integer(series, "failed")}};
  }

  json::value health() {
    const auto at = std::chrono::steady_clock::now();
    if (health_.is_null() || at - looked_at_ > health_every) {
      health_ = to_json(examine(home_, Reach::glance));
      looked_at_ = at;
    }
    return health_;
  }

  store::Home home_;
  console::Facts facts_;
  json::value health_;
  std::chrono::steady_clock::time_point looked_at_;
};

std::string spaced(std::string words) {
  std::ranges::replace(words, '_', ' ');
  return words;
}

std::vector<LiveFacts::Line> health_lines(const json::value& health) {
  std::vector<LiveFacts::Line> lines;
  std::size_t sound = 0;
  for (const json::value& finding : list(health, "findings")) {
    const std::string kind = json::string_or(finding, "health");
    if (kind == "ok") ++sound;
    if (kind == "ok") continue;
    const std::string remedy = json::string_or(finding, "remedy");
    lines.push_back({.tone = kind == "note" ? Tone::warning : Tone::bad,
                     .text = kind + "  " + json::string_or(finding, "check") + ": " +
                             json::string_or(finding, "finding") +
                             (remedy.empty() ? "" : "  -> " + remedy)});
  }
  lines.insert(lines.begin(), {.tone = Tone::good, .text = std::format("{} checks are ok", sound)});
  return lines;
}

std::vector<LiveFacts::Line> policy_lines(const json::value& routes) {
  std::vector<LiveFacts::Line> lines;
  for (const json::value& route : routes.as_array()) {
    const std::string mode = json::string_or(route, "mode");
    const std::string decided = json::string_or(route, "decided");
    std::string text = std::format("{}  {}  {}", json::string_or(route, "task"), mode,
                                   json::string_or(route, "name"));
    if (mode != decided) text += "  (decided: " + decided + ")";
    lines.push_back(
        {.tone = mode != decided ? Tone::warning : Tone::plain, .text = std::move(text)});
  }
  return lines;
}

LiveFacts screen_of(const json::value& seen) {
  LiveFacts facts;
  const json::value& status = *json::find(seen, "status");
  facts.title = "understudy  " + json::string_or(status, "home");
  const std::string at = json::string_or(seen, "at");
  facts.clock = at.substr(std::min(at.find('T') + 1, at.size()), clock_characters);
  for (const auto& entry : json::find(seen, "traffic")->as_object()) {
    facts.traffic.push_back({.span = spaced(std::string(entry.key())),
                             .calls = integer(entry.value(), "calls"),
                             .by_slm = integer(entry.value(), "slm_calls"),
                             .failed = integer(entry.value(), "failed")});
  }
  for (const json::value& task : list(status, "tasks")) {
    facts.tasks.push_back({.id = json::string_or(task, "id"),
                           .name = json::string_or(task, "name"),
                           .calls = integer(task, "calls"),
                           .share = json::find_number(task, "share_of_calls").value_or(0),
                           .mode = json::string_or(task, "mode"),
                           .verdict = spaced(json::string_or(task, "verdict")),
                           .by_slm = json::string_or(task, "served_by") == "small model"});
  }
  facts.policies = policy_lines(*json::find(seen, "routes"));
  facts.health = health_lines(*json::find(seen, "health"));
  for (const json::value& demotion : list(status, "demotions")) {
    facts.policies.push_back({.tone = Tone::warning,
                              .text = "demoted " + json::string_or(demotion, "at") + "  " +
                                      json::string_or(demotion, "task") + "  " +
                                      json::string_or(demotion, "reason")});
  }
  for (const json::value& step : list(status, "next"))
    if (step.is_string()) facts.next.emplace_back(step.get_string());
  for (const char* part : {"traffic_problem", "status_problem"}) {
    const std::string problem = json::string_or(seen, part);
    if (!problem.empty()) facts.health.push_back({.tone = Tone::bad, .text = problem});
  }
  return facts;
}

// One line without its time, so that two can be compared.
std::string line_of(const json::value& seen) {
  const LiveFacts facts = screen_of(seen);
  std::string line;
  for (const LiveFacts::Traffic& span : facts.traffic) {
    const double share =
        span.calls == 0 ? 0 : static_cast<double>(span.by_slm) / static_cast<double>(span.calls);
    line += std::format("{}: {} calls, {} by small models, {} failed; ", span.span,
                        thousands(span.calls), percent(share), span.failed);
  }
  const auto live = std::ranges::count(facts.tasks, true, &LiveFacts::TaskRow::by_slm);
  const auto bad = std::ranges::count(facts.health, Tone::bad, &LiveFacts::Line::tone);
  line += std::format("tasks: {}, {} answered by small models; problems: {}", facts.tasks.size(),
                      live, bad);
  return facts.next.empty() ? line : line + "; next: " + facts.next.front();
}

// The time is no change.
std::string compared(json::value seen) {
  seen.as_object().erase("at");
  return json::to_text(seen);
}

[[noreturn]] void print_changes(StatusReader& reader, const WatchOptions& options) {
  std::string before;
  while (true) {
    const json::value seen = reader.read();
    const bool as_json = options.form == WatchForm::json;
    std::string line = as_json ? compared(seen) : line_of(seen);
    if (line != before) {
      print((as_json ? json::to_text(seen) : json::string_or(seen, "at") + "  " + line) + "\n");
      std::fflush(stdout);
      before = std::move(line);
    }
    std::this_thread::sleep_for(options.every);
  }
}

}  // namespace

Status watch_status(const store::Home& home, const WatchOptions& options) {
  StatusReader reader(home);
  if (options.form == WatchForm::json || ::isatty(STDIN_FILENO) == 0 ||
      ::isatty(STDOUT_FILENO) == 0) {
    print_changes(reader, options);
  }
  terminal::run_live_screen([&reader] { return screen_of(reader.read()); }, options.every);
  return {};
}

}  // namespace understudy::apps
