// `understudy scan`: personal data and secrets in lines of text.
#include <cstdio>

#include "apps/verb_builder.hpp"
#include "console/scan_jobs.hpp"

namespace understudy::apps {

namespace {

constexpr const char* help =
    "find personal data and secrets in lines of text\n\n"
    "Reads {\"id\", \"text\"} lines (plain or gzip) and writes, line by line,\n"
    "  {\"id\": ..., \"spans\": [{\"start\", \"end\", \"type\", \"score\"}]}\n"
    "start and end count Unicode code points. A text that is JSON is searched as a tree: keys "
    "give\n"
    "context, strings inside strings are opened. Types are Presidio's (EMAIL_ADDRESS, PERSON,\n"
    "US_SSN, ...) and SECRET, whose \"kind\" says which. Own rules: [[curate.rule]] in\n"
    "HOME/understudy.toml. A bad line is told with its number and makes the exit code 3.\n\n"
    "  echo '{\"id\": 1, \"text\": \"write to mary@example.org\"}' | understudy scan";

void complain(const Error& error) {
  std::fprintf(stderr, "understudy: %s\n", error.to_text().c_str());
}

Status scan(const Home& home, const VerbOptions& options) {
  const json::value report = TRY(console::scan(home, options.scan, print, complain));
  if (options.flag) std::fprintf(stderr, "%s\n", json::to_text(report).c_str());
  const auto bad = json::find_integer(report, "bad_lines").value_or(0);
  if (bad == 0) return {};
  return fail(ErrorCode::invalid_input,
              std::to_string(bad) + " lines could not be read; all others were scanned");
}

}  // namespace

void add_scan_verb(CLI::App& app, Action& action) {
  VerbBuilder builder(app, action);
  CLI::App* verb = builder.add("scan", help, scan);
  verb->add_option("FILE", builder.options->scan.file, "- or nothing: standard input")
      ->default_str("-");
  verb->add_option("--score-min", builder.options->scan.score_min,
                   "how sure it must be, 0 to 1; with 0 everything that may be something, with "
                   "overlaps")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  verb->add_option("--remember", builder.options->scan.remembered_strings_max,
                   "so many long strings are not searched again where they recur")
      ->capture_default_str();
  verb->add_flag("--counts", builder.options->flag, "print counts as JSON on stderr at the end");
}

}  // namespace understudy::apps
