#include "steps/s2_curate/report_page.hpp"

#include <algorithm>
#include <format>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/html.hpp"

namespace understudy::s2 {

namespace {

constexpr std::size_t places_shown_max = 6;

// Light and dark, on paper too; as the report of S6.
constexpr std::string_view style = R"css(
:root { color-scheme: light dark; --paper: #fbfbf9; --ink: #1c1e21; --quiet: #667; --line: #dcdcd6;
  --card: #fff; --bar: #147d64; --warn: #a34200; }
@media (prefers-color-scheme: dark) { :root { --paper: #15171a; --ink: #e8e8e4; --quiet: #98a;
  --line: #33363b; --card: #1d2024; --bar: #3ec6a0; --warn: #ff9d5c; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 27px; line-height: 1.25; margin: 6px 0 20px; font-weight: 650; }
h2 { font-size: 18px; margin: 34px 0 10px; }
.quiet { color: var(--quiet); font-size: 13px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(170px, 1fr)); gap: 12px; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; }
.figure { font-size: 29px; font-weight: 650; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; font-size: 12.5px; color: var(--quiet); font-weight: 500; }
th, td { padding: 7px 10px 7px 0; }
td { border-top: 1px solid var(--line); vertical-align: top; }
th.number, td.number { text-align: right; white-space: nowrap; }
.bar { height: 8px; background: var(--bar); border-radius: 2px; }
.warning { color: var(--warn); }
code { font-size: 13px; overflow-wrap: anywhere; }
)css";

std::string tile(std::uint64_t figure, std::string_view what, std::string_view note) {
  return std::format(
      "<div class=\"tile\"><div class=\"figure\">{}</div><div>{}</div>"
      "<div class=\"quiet\">{}</div></div>\n",
      html::thousands(figure), what, note);
}

std::vector<std::pair<std::string, std::uint64_t>> most_first(const Counts& counts) {
  std::vector<std::pair<std::string, std::uint64_t>> sorted(counts.begin(), counts.end());
  std::ranges::stable_sort(sorted, std::greater(), [](const auto& entry) { return entry.second; });
  return sorted;
}

std::string count_table(std::string_view title, std::string_view what, const Counts& counts) {
  if (counts.empty()) return {};
  const auto sorted = most_first(counts);
  std::string rows;
  for (const auto& [name, count] : sorted) {
    const double share = 100.0 * static_cast<double>(count) /
                         static_cast<double>(std::max<std::uint64_t>(sorted.front().second, 1));
    rows += std::format(
        "<tr><td>{}</td><td class=\"number\">{}</td>"
        "<td style=\"width:50%\"><div class=\"bar\" style=\"width:{:.1f}%\"></div></td></tr>\n",
        html::escaped(name), html::thousands(count), share);
  }
  return std::format(
      "<h2>{}</h2>\n<div class=\"scroll\"><table><thead><tr><th>{}</th>"
      "<th class=\"number\">count</th><th></th></tr></thead><tbody>\n{}</tbody></table></div>\n",
      title, what, rows);
}

std::string places_of(const CurateReport& report, const std::string& type) {
  const auto found = report.places.find(type);
  if (found == report.places.end()) return {};
  std::string out;
  const auto sorted = most_first(found->second);
  for (std::size_t i = 0; i < std::min(sorted.size(), places_shown_max); ++i) {
    out += std::format("<code>{}</code>&nbsp;{} ",
                       sorted[i].first.empty() ? "(text)" : html::escaped(sorted[i].first),
                       html::thousands(sorted[i].second));
  }
  if (sorted.size() > places_shown_max)
    out +=
        std::format("<span class=\"quiet\">and {} more</span>", sorted.size() - places_shown_max);
  return out;
}

std::string samples_of(const CurateReport& report, const std::string& type) {
  const auto found = report.samples.find(type);
  if (found == report.samples.end()) return {};
  std::string out;
  for (const std::string& shape : found->second)
    out += "<code>" + html::escaped(shape) + "</code> ";
  return out;
}

std::string type_table(const CurateReport& report) {
  if (report.distinct_values.empty()) return {};
  std::string rows;
  for (const auto& [type, distinct] : most_first(report.distinct_values)) {
    const auto replaced = report.entities.find(type);
    rows += std::format(
        "<tr><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td><td>{}</td>"
        "<td>{}</td></tr>\n",
        html::escaped(type),
        html::thousands(replaced == report.entities.end() ? 0 : replaced->second),
        html::thousands(distinct), places_of(report, type), samples_of(report, type));
  }
  return "<h2>Personal data and secrets</h2>\n<div class=\"scroll\"><table><thead><tr><th>type</th>"
         "<th class=\"number\">replaced</th><th class=\"number\">different values</th>"
         "<th>under which keys</th><th>what they look like</th></tr></thead><tbody>\n" +
         rows + "</tbody></table></div>\n";
}

std::string paraphrase_table(const CurateReport& report) {
  if (report.paraphrase.empty()) return {};
  std::string rows;
  for (const auto& [task, types] : report.paraphrase) {
    for (const auto& [type, counts] : types) {
      std::string kept;
      for (const auto& [reason, count] : counts.kept)
        kept += std::format("{}&nbsp;{} ", html::escaped(reason), html::thousands(count));
      rows += std::format(
          "<tr><td>{}</td><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td>"
          "<td>{}</td></tr>\n",
          html::escaped(task), html::escaped(type), html::thousands(counts.examples),
          html::thousands(counts.varied), kept);
    }
  }
  return "<h2>Paraphrased</h2>\n<div class=\"scroll\"><table><thead><tr><th>task</th><th>type</th>"
         "<th class=\"number\">examples with it</th><th class=\"number\">varied</th>"
         "<th>kept as they are, and why</th></tr></thead><tbody>\n" +
         rows + "</tbody></table></div>\n";
}

std::string warnings_of(const CurateReport& report) {
  if (report.warnings.empty()) return {};
  std::string out = "<h2>Warnings</h2>\n<ul>\n";
  for (const std::string& warning : report.warnings)
    out += "<li class=\"warning\">" + html::escaped(warning) + "</li>\n";
  return out + "</ul>\n";
}

}  // namespace

std::string to_html(const CurateReport& report) {
  std::string when = to_iso8601(now()).substr(0, 16);
  std::ranges::replace(when, 'T', ' ');
  std::string out = std::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
      "<title>Understudy: curation</title><style>{}</style></head>\n<body><main>\n"
      "<header><div class=\"quiet\">Curation &middot; {} UTC &middot; data set {}</div>"
      "<h1>{} examples of {} recorded calls</h1></header>\n",
      style, when, html::escaped(report.dataset.value), html::thousands(report.examples),
      html::thousands(report.calls_read));
  out += "<div class=\"tiles\">\n";
  out += tile(report.calls_kept, "calls kept", "examples with their exact repeats");
  out += tile(report.duplicates, "exact duplicates", "counted in the example that stands for them");
  out += tile(report.with_other_answers, "requests with several answers",
              "kept as votes of the teacher");
  out += tile(report.near_duplicates, "near-duplicates",
              "in " + html::thousands(report.near_duplicate_groups) + " groups, each in one split");
  out += tile(report.sessions, "sessions", "each in one split");
  out += "</div>\n";
  out += count_table("Calls dropped", "reason", report.dropped);
  out += count_table("Examples by split", "split", report.splits);
  out += type_table(report);
  out += paraphrase_table(report);
  out += warnings_of(report);
  return out + "</main></body></html>\n";
}

}  // namespace understudy::s2
