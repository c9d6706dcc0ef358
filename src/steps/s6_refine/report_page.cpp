#include <algorithm>
#include <format>

#include "base/clock.hpp"
#include "base/figures.hpp"
#include "base/html.hpp"
#include "steps/s6_refine/report.hpp"
#include "steps/s6_refine/report_balance.hpp"
#include "steps/s6_refine/report_beside.hpp"
#include "steps/s6_refine/report_style.hpp"

namespace understudy::s6 {

namespace {

std::string usd(MicroUsd amount) {
  const double dollars = economics::usd(amount);
  return std::format("${:.{}f}", dollars, dollars != 0 && dollars < 1 ? 4 : 2);
}

std::string milliseconds(const Latency& latency) {
  if (latency.calls == 0) return "<span class=\"quiet\">none</span>";
  const auto one = [](double ms) { return std::format("{:.{}f}", ms, ms < 10 ? 1 : 0); };
  return one(latency.median_ms) + " / " + one(latency.p95_ms);
}

// "2026-11-24 02:40" in UTC.
std::string minute(UnixMicros time) {
  std::string text = to_iso8601(time).substr(0, 16);
  std::ranges::replace(text, 'T', ' ');
  return text;
}

std::string tile(std::string_view figure, std::string_view what, std::string_view note) {
  return std::format(
      "<div class=\"tile\"><div class=\"figure\">{}</div><div>{}</div><div "
      "class=\"quiet\">{}</div></div>\n",
      figure, what, note);
}

// A bar of 100 units for a share, with an optional interval.
std::string bar(double share) {
  return std::format(
      "<svg class=\"bar\" viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\" role=\"img\" "
      "aria-label=\"{0}\">"
      "<rect class=\"llm\" fill=\"#8d96a3\" width=\"100\" height=\"8\"/><rect class=\"slm\" "
      "fill=\"#147d64\" width=\"{1:.2f}\" "
      "height=\"8\"/></svg>",
      percent(share), 100 * std::clamp(share, 0.0, 1.0));
}

// Agreement as an interval on a scale from 80 to 100 %, where the decisions fall.
std::string interval(const Agreement& agreement) {
  constexpr double from = 0.8;
  const auto x = [](double rate) { return 100 * std::clamp((rate - from) / (1 - from), 0.0, 1.0); };
  return std::format(
      "<svg class=\"bar\" viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\" role=\"img\" "
      "aria-label=\"95 % interval {0} to {1}\"><rect class=\"llm\" fill=\"#8d96a3\" y=\"3\" "
      "width=\"100\" "
      "height=\"2\"/>"
      "<rect class=\"slm\" fill=\"#147d64\" x=\"{2:.2f}\" y=\"3\" width=\"{3:.2f}\" height=\"2\"/>"
      "<rect class=\"mark\" fill=\"#1c1e21\" x=\"{4:.2f}\" width=\"1.5\" height=\"8\"/></svg>",
      percent(agreement.lower), percent(agreement.upper), x(agreement.lower),
      x(agreement.upper) - x(agreement.lower), std::min(98.5, x(agreement.rate())));
}

std::string headline(const Report& report) {
  if (report.calls == 0) return "No calls were recorded yet.";
  if (!report.promoted_at) {
    const bool proven = std::ranges::any_of(report.tasks, [](const TaskReport& task) {
      return task.evaluation && task.evaluation->verdict == Verdict::convert;
    });
    return proven ? "Small models are proven for some tasks, but none is live yet."
                  : "Every call is answered by the LLM; no small model has been proven yet.";
  }
  const economics::Savings& since = report.since_promotion;
  return std::format(
      "Since the first one went live, small models answer {} of the calls and save {}.",
      percent(since.share_of_calls()), usd(since.saved()));
}

// Agreement on the test split of all live tasks together.
Agreement live_agreement(const Report& report) {
  Agreement sum;
  for (const TaskReport& task : report.tasks) {
    if (!task.live || !task.evaluation) continue;
    sum.kept += task.evaluation->test.kept;
    sum.agreed += task.evaluation->test.agreed;
  }
  return sum;
}

std::string tiles(const Report& report) {
  const economics::Savings& shown = report.promoted_at ? report.since_promotion : report.all;
  const auto of_all = [](double share) { return "all time: " + percent(share); };
  std::string out = "<div class=\"tiles\">\n";
  out += tile(percent(shown.share_of_calls()), "of the calls", of_all(report.all.share_of_calls()));
  out +=
      tile(percent(shown.share_of_tokens()), "of the tokens", of_all(report.all.share_of_tokens()));
  out += tile(percent(shown.share_of_cost()), "of the money", of_all(report.all.share_of_cost()));
  out += tile(usd(shown.saved()), "saved", "paid to the LLM: " + usd(shown.llm_cost));
  const Agreement agreement = live_agreement(report);
  out += tile(agreement.kept == 0 ? "&ndash;" : percent(agreement.rate()), "agreement with the LLM",
              agreement.kept == 0 ? "no small model is live"
                                  : "on " + html::thousands(agreement.kept) + " unseen calls");
  return out + "</div>\n";
}

// For the first page: who answers what, by bars; the evidence stands on the pages behind.
std::string shares(const Report& report) {
  constexpr std::size_t shown_max = 6;
  std::string rows;
  std::size_t shown = 0;
  for (const TaskReport& task : report.tasks) {
    if (task.traffic.calls == 0 || ++shown > shown_max) continue;
    const double share =
        static_cast<double>(task.traffic.by_slm) / static_cast<double>(task.traffic.calls);
    rows += std::format(
        "<tr><td>{}</td><td><span class=\"{}\">{}</span></td><td>{}</td><td class=\"number\">{} of "
        "{}</td><td class=\"number\">{}</td></tr>\n",
        html::escaped(task.name), task.live ? "live" : "stays", task.live ? "small model" : "LLM",
        bar(share), html::thousands(task.traffic.by_slm), html::thousands(task.traffic.calls),
        usd(task.savings.saved()));
  }
  if (rows.empty()) return {};
  return "<h2>Who answers what</h2>\n<div "
         "class=\"scroll\"><table><thead><tr><th>task</th><th>answered "
         "by</th><th>share of the small model</th><th class=\"number\">calls</th><th "
         "class=\"number\">saved</th></tr></thead><tbody>\n" +
         rows + "</tbody></table></div>\n";
}

std::string task_row(const TaskReport& task) {
  const TaskTraffic& traffic = task.traffic;
  const double share =
      traffic.calls == 0 ? 0
                         : static_cast<double>(traffic.by_slm) / static_cast<double>(traffic.calls);
  std::string agreement = "<span class=\"quiet\">not measured</span>";
  std::string coverage;
  std::string fell_back;
  if (traffic.fallbacks > 0)
    fell_back =
        " <span class=\"quiet\">" + html::thousands(traffic.fallbacks) + " fell back</span>";
  if (task.evaluation) {
    const Agreement& test = task.evaluation->test;
    agreement = test.kept == 0 ? "<span class=\"quiet\">nothing kept</span>"
                               : std::format("{} <span class=\"quiet\">{} to {}</span>{}",
                                             percent(test.rate()), percent(test.lower),
                                             percent(test.upper), interval(test));
    agreement += beside_agreement(*task.evaluation) + learning_line(task.metrics_json);
    coverage = percent(test.coverage());
  }
  return std::format(
      "<tr><td><b>{}</b><div class=\"quiet\">{} &middot; {}</div></td>"
      "<td><span class=\"{}\">{}</span><div class=\"quiet\">{}</div></td><td "
      "class=\"number\">{}</td>"
      "<td>{}{}{}</td><td>{}</td><td "
      "class=\"number\">{}</td>"
      "<td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td></tr>\n"
      "<tr class=\"reason\"><td colspan=\"9\">{}</td></tr>\n",
      html::escaped(task.name), html::escaped(task.id.value), to_string(task.answer_form),
      task.live ? "live" : "stays", task.live ? "small model" : "LLM", html::escaped(task.model),
      html::thousands(traffic.calls), percent(share), fell_back, bar(share), agreement, coverage,
      milliseconds(traffic.slm), milliseconds(traffic.llm), usd(task.savings.saved()),
      html::escaped(task.reason));
}

std::string task_table(const Report& report) {
  std::string out =
      "<h2 class=\"evidence\" id=\"evidence\">The evidence, task by task</h2>\n<div "
      "class=\"scroll\"><table><thead><tr><th>task</th><th>served by</th>"
      "<th class=\"number\">calls</th><th>by the small model</th><th>agreement on unseen calls, 95 "
      "% interval</th>"
      "<th class=\"number\">coverage</th><th class=\"number\">small model ms<br>median / p95</th>"
      "<th class=\"number\">LLM ms<br>median / p95</th><th "
      "class=\"number\">saved</th></tr></thead><tbody>\n";
  for (const TaskReport& task : report.tasks) out += task_row(task);
  if (report.unassigned.calls > 0) {
    out += std::format(
        "<tr><td><b>no task</b><div class=\"quiet\">calls that no task "
        "claims</div></td><td>LLM</td>"
        "<td class=\"number\">{}</td><td></td><td></td><td></td><td></td><td "
        "class=\"number\">{}</td><td></td></tr>\n",
        html::thousands(report.unassigned.calls), milliseconds(report.unassigned.llm));
  }
  return out + "</tbody></table></div>\n";
}

std::string chart(const Report& report) {
  std::int64_t most = 0;
  for (const TimeBucket& bucket : report.over_time)
    most = std::max(most, bucket.by_llm + bucket.by_slm);
  if (most == 0) return {};
  constexpr double height = 120;
  const double width = 960.0 / static_cast<double>(report.over_time.size());
  std::string bars;
  for (std::size_t i = 0; i < report.over_time.size(); ++i) {
    const TimeBucket& bucket = report.over_time[i];
    const auto tall = [&](std::int64_t calls) {
      return height * static_cast<double>(calls) / static_cast<double>(most);
    };
    const double x = width * static_cast<double>(i);
    const double llm = tall(bucket.by_llm);
    const double slm = tall(bucket.by_slm);
    bars += std::format(
        "<g><title>{0} UTC: {1} by the LLM, {2} by small models</title>"
        "<rect class=\"llm\" fill=\"#8d96a3\" x=\"{3:.2f}\" y=\"{4:.2f}\" width=\"{5:.2f}\" "
        "height=\"{6:.2f}\"/>"
        "<rect class=\"slm\" fill=\"#147d64\" x=\"{3:.2f}\" y=\"{7:.2f}\" width=\"{5:.2f}\" "
        "height=\"{8:.2f}\"/></g>\n",
        minute(bucket.begins_at), bucket.by_llm, bucket.by_slm, x, height - llm - slm, width * 0.85,
        llm, height - slm, slm);
  }
  return std::format(
      "<h2>Calls over time</h2>\n<svg class=\"chart\" viewBox=\"0 0 960 {}\" "
      "preserveAspectRatio=\"none\" role=\"img\" "
      "aria-label=\"calls over time by server\">\n{}</svg>\n<div class=\"axis\"><span>{}</span>"
      "<span><i class=\"key slm\"></i> small models <i class=\"key llm\"></i> LLM, at most {} "
      "calls a bar"
      "</span><span>{}</span></div>\n",
      height, bars, minute(report.first_call), html::thousands(most), minute(report.last_call));
}

std::string notes(const Report& report) {
  std::string out = "<h2>How to read this</h2>\n<ul>\n";
  out +=
      "<li><b>Agreement</b> is how often the small model answers as the LLM did on recorded calls "
      "that neither "
      "its training nor its threshold has seen. It is not correctness: where both differ, either "
      "may be "
      "right. The bars run from 80 to 100 %.</li>\n"
      "<li>A task goes to a small model only where held-out calls prove, by an exact binomial "
      "test, that among "
      "the calls that it keeps at most a share alpha disagrees, except with a chance of delta. "
      "Calls below the "
      "threshold go to the LLM unseen by the agent.</li>\n"
      "<li><b>Coverage</b> is the share of a task's unseen calls that are above that "
      "threshold.</li>\n"
      "<li><b>Saved</b> is what the LLM would have cost on the calls of the small models, by the "
      "mean tokens of "
      "the same task, less the machine's time";
  out += report.machine_usd_per_hour > 0
             ? std::format(" at ${:.2f} an hour.</li>\n", report.machine_usd_per_hour)
             : ". The machine counts as free: set <code>[machine] usd_per_hour</code> in "
               "<code>prices.toml</code>.</li>\n";
  if (report.calls_without_usage > 0) {
    out += std::format(
        "<li>{} calls of the LLM came without token counts: their tokens and money count as "
        "0.</li>\n",
        html::thousands(report.calls_without_usage));
  }
  for (const auto& [model, calls] : report.unpriced_models) {
    out += std::format(
        "<li>No price for <code>{}</code> ({} calls): its money counts as 0. Add it to "
        "<code>prices.toml</code>.</li>\n",
        html::escaped(model), html::thousands(calls));
  }
  for (const std::string& warning : report.warnings)
    out += "<li class=\"warning\">" + html::escaped(warning) + "</li>\n";
  out += "</ul>\n";
  if (report.prices.empty()) return out;
  out +=
      "<h2>Prices</h2>\n<div class=\"scroll\"><table><thead><tr><th>model</th><th "
      "class=\"number\">in, $ per million</th>"
      "<th class=\"number\">out, $ per million</th><th>as "
      "of</th><th>source</th></tr></thead><tbody>\n";
  for (const economics::Price& price : report.prices) {
    out += std::format(
        "<tr><td>{}</td><td class=\"number\">{:.2f}</td><td class=\"number\">{:.2f}</td><td>{}</td>"
        "<td>{}</td></tr>\n",
        html::escaped(price.model), price.input_usd_per_million, price.output_usd_per_million,
        html::escaped(price.as_of), html::escaped(price.source));
  }
  return out + "</tbody></table></div>\n";
}

}  // namespace

std::string to_html(const Report& report) {
  std::string period = "no calls yet";
  if (report.first_call.known()) {
    period = std::format("{} calls from {} to {} UTC", html::thousands(report.calls),
                         minute(report.first_call), minute(report.last_call));
  }
  return std::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
      "<title>Understudy report</title><style>{}</style></head>\n<body><main>\n"
      "<header><div class=\"quiet\">Understudy report &middot; {} UTC &middot; "
      "{}</div><h1>{}</h1></header>\n"
      "{}{}{}{}{}{}</main></body></html>\n",
      report_style, minute(report.made_at), period, headline(report), tiles(report), chart(report),
      shares(report), balance_section(report), task_table(report), notes(report));
}

}  // namespace understudy::s6
