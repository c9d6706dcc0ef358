#include "steps/s2_curate/scan_lines.hpp"

#include <ctime>
#include <format>
#include <utility>

#include "adapters/store/line_reader.hpp"
#include "base/clock.hpp"
#include "steps/s2_curate/detect/text_scanner.hpp"
#include "steps/s2_curate/detect/utf8.hpp"

namespace understudy::s2 {

namespace {

constexpr std::string_view spaces = " \t\r";
constexpr const char* line_hint = R"(each line is {"id": ..., "text": "..."})";

// Texts of megabytes stay where the parser put them.
struct TextLine {
  json::value tree;
  [[nodiscard]] const json::value& id() const { return tree.get_object().at("id"); }
  [[nodiscard]] std::string_view text() const { return tree.get_object().at("text").get_string(); }
};

Result<TextLine> read_line(std::string_view line) {
  json::value tree = TRY(json::parse(line));
  if (!tree.is_object()) return fail(ErrorCode::invalid_input, "no JSON object");
  const json::object& object = tree.get_object();
  const json::value* id = object.if_contains("id");
  const json::value* text = object.if_contains("text");
  if (id == nullptr || id->is_structured())
    return fail(ErrorCode::invalid_input, R"("id" is missing, or no text or number)");
  if (text == nullptr || !text->is_string())
    return fail(ErrorCode::invalid_input, R"("text" is missing, or no text)");
  return TextLine{.tree = std::move(tree)};
}

std::string to_line(const json::value& id, std::string_view text,
                    const std::vector<Entity>& entities) {
  std::string line = R"({"id":)" + json::to_text(id) + R"(,"spans":[)";
  CodePoints points(text);
  bool first = true;
  for (const Entity& entity : entities) {
    const std::size_t begin = points.before(entity.begin);
    const std::size_t end = points.before(entity.end);
    line += std::format(R"({}{{"start":{},"end":{},"type":"{}","score":{:.2f})", first ? "" : ",",
                        begin, end, presidio_name(entity.type), entity.score);
    if (!entity.kind.empty()) line += R"(,"kind":)" + json::to_text(json::value(entity.kind));
    line += '}';
    first = false;
  }
  return line + "]}\n";
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
    auto read = read_line(*line);
    if (!read) {
      ++report.bad_lines;
      complain(Error{.code = ErrorCode::invalid_input,
                     .message = std::format("{}:{}: {}", name, reader.line(), read.error().message),
                     .hint = line_hint});
      continue;
    }
    const std::vector<Entity> entities = scanner.scan(read->text());
    report.text_bytes += read->text().size();
    report.spans += entities.size();
    print(to_line(read->id(), read->text(), entities));
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
