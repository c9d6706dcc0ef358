#include "steps/s2_curate/scan_lines.hpp"

#include <array>
#include <charconv>
#include <ctime>
#include <format>
#include <utility>

#include "adapters/store/line_reader.hpp"
#include "base/clock.hpp"
#include "steps/s2_curate/detect/text_scanner.hpp"
#include "steps/s2_curate/detect/utf8.hpp"
#include "steps/s2_curate/scan_line.hpp"

namespace understudy::s2 {

namespace {

constexpr std::string_view spaces = " \t\r";
constexpr std::size_t span_bytes = 72;  // of one in the output, about
constexpr const char* line_hint = R"(each line is {"id": ..., "text": "..."})";

void append_number(std::string& line, std::size_t number) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  line.append(digits.data(), end);
}

void append_score(std::string& line, double score) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), score,
                                 std::chars_format::fixed, 2);
  line.append(digits.data(), end.ptr);
}

// A line has up to thousands of spans: std::format would be a twentieth of a scan's time.
std::string to_line(const ScanLine& read, const std::vector<Entity>& entities) {
  std::string line;
  line.reserve(read.id.size() + span_bytes * (entities.size() + 1));
  line += R"({"id":)";
  line += read.id;
  line += R"(,"spans":[)";
  CodePoints points(read.text);
  bool first = true;
  for (const Entity& entity : entities) {
    line += first ? R"({"start":)" : R"(,{"start":)";
    append_number(line, points.before(entity.begin));
    line += R"(,"end":)";
    append_number(line, points.before(entity.end));
    line += R"(,"type":")";
    line += presidio_name(entity.type);
    line += R"(","score":)";
    append_score(line, entity.score);
    if (!entity.kind.empty()) line += R"(,"kind":)" + json::to_text(json::value(entity.kind));
    line += '}';
    first = false;
  }
  line += "]}\n";
  return line;
}

}  // namespace

json::value to_json(const ScanReport& report) {
  return json::object{{"lines", report.lines},
                      {"texts", report.texts},
                      {"text_bytes", report.text_bytes},
                      {"json_texts", report.json_texts},
                      {"strings", report.strings},
                      {"repeated_strings", report.repeated_strings},
                      {"repeated_objects", report.repeated_objects},
                      {"repaired_lines", report.repaired_lines},
                      {"spans", report.spans},
                      {"bad_lines", report.bad_lines},
                      {"seconds", report.seconds},
                      {"cpu_seconds", report.cpu_seconds}};
}

Result<ScanReport> scan_lines(const ScanRequest& request,
                              const std::function<void(std::string_view)>& print,
                              const std::function<void(const Error&)>& complain) {
  const Detector detector =
      TRY(Detector::create({.score_min = request.score_min, .rules = request.rules}));
  TextScanner scanner(detector, request.remembered_strings_max);
  const bool standard_input = request.file == "-";
  const std::string name = standard_input ? "standard input" : request.file.string();
  store::LineReader reader =
      TRY(store::LineReader::open(standard_input ? "/dev/stdin" : request.file));
  const Stopwatch watch;
  const std::clock_t cpu_begin = std::clock();
  ScanReport report;
  while (auto line = TRY(reader.next())) {
    ++report.lines;
    if (line->find_first_not_of(spaces) == std::string::npos) continue;
    if (auto repaired = repair_utf8(*line)) {
      ++report.repaired_lines;
      line = std::move(repaired);
    }
    auto read = read_scan_line(*line);
    if (!read) {
      ++report.bad_lines;
      complain(Error{.code = ErrorCode::invalid_input,
                     .message = std::format("{}:{}: {}", name, reader.line(), read.error().message),
                     .hint = line_hint});
      continue;
    }
    const std::vector<Entity> entities = scanner.scan(read->text);
    report.text_bytes += read->text.size();
    report.spans += entities.size();
    print(to_line(*read, entities));
  }
  const ScanCounts& counts = scanner.counts();
  report.texts = counts.texts;
  report.json_texts = counts.json_texts;
  report.strings = counts.leaves;
  report.repeated_strings = counts.repeated_leaves;
  report.repeated_objects = counts.repeated_objects;
  report.seconds = watch.elapsed_s();
  report.cpu_seconds = static_cast<double>(std::clock() - cpu_begin) / CLOCKS_PER_SEC;
  return report;
}

}  // namespace understudy::s2
