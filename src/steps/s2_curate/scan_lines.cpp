#include "steps/s2_curate/scan_lines.hpp"

#include <format>

#include "adapters/store/line_reader.hpp"
#include "base/clock.hpp"
#include "steps/s2_curate/detect/text_scanner.hpp"
#include "steps/s2_curate/detect/utf8.hpp"

namespace understudy::s2 {

namespace {

constexpr std::string_view spaces = " \t\r";
constexpr const char* line_hint = R"(each line is {"id": ..., "text": "..."})";

struct TextLine {
  json::value id;
  std::string text;
};

Result<TextLine> read_line(std::string_view line) {
  json::value tree = TRY(json::parse(line));
  if (!tree.is_object()) return fail(ErrorCode::invalid_input, "no JSON object");
  json::object& object = tree.as_object();
  const auto id = object.find("id");
  const auto text = object.find("text");
  if (id == object.end() || id->value().is_structured())
    return fail(ErrorCode::invalid_input, R"("id" is missing, or no text or number)");
  if (text == object.end() || !text->value().is_string())
    return fail(ErrorCode::invalid_input, R"("text" is missing, or no text)");
  return TextLine{.id = std::move(id->value()), .text = std::string(text->value().get_string())};
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
                      {"repaired_lines", report.repaired_lines},
                      {"spans", report.spans},
                      {"bad_lines", report.bad_lines},
                      {"seconds", report.seconds}};
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
    const std::vector<Entity> entities = scanner.scan(read->text);
    report.text_bytes += read->text.size();
    report.spans += entities.size();
    print(to_line(read->id, read->text, entities));
  }
  const ScanCounts& counts = scanner.counts();
  report.texts = counts.texts;
  report.json_texts = counts.json_texts;
  report.strings = counts.leaves;
  report.repeated_strings = counts.repeated_leaves;
  report.seconds = watch.elapsed_s();
  return report;
}

}  // namespace understudy::s2
