#include "steps/s1_capture/import.hpp"

#include <unordered_set>

#include "adapters/store/line_reader.hpp"
#include "base/progress.hpp"
#include "steps/s1_capture/call_line.hpp"
#include "steps/s1_capture/import_history.hpp"
#include "steps/s1_capture/recorder.hpp"

namespace understudy::s1 {

namespace {

bool has_answer(const Call& call) {
  // The log keeps the response as text; an answer is content or a tool call that is not empty.
  const auto response = json::parse(call.response.reveal());
  if (!response) return false;
  const json::array* choices = json::find_array(*response, "choices");
  if (choices == nullptr || choices->empty()) return false;
  const json::value* message = json::find(choices->front(), "message");
  if (message == nullptr) return false;
  const json::value* content = json::find(*message, "content");
  const json::array* tool_calls = json::find_array(*message, "tool_calls");
  const bool has_text =
      content != nullptr && !(content->is_string() && content->get_string().empty());
  return has_text || (tool_calls != nullptr && !tool_calls->empty());
}

class FileImport {
 public:
  FileImport(Recorder& recorder, std::unordered_set<std::string>& ids)
      : recorder_(recorder), ids_(ids) {}

  Status run(const std::filesystem::path& path) {
    file_.path = path.string();
    store::LineReader reader = TRY(store::LineReader::open(path));
    Progress progress("importing " + path.filename().string(), 0, "calls");
    while (const auto line = TRY(reader.next())) {
      file_.lines = reader.line();
      if (line->find_first_not_of(" \t") == std::string::npos) continue;
      auto call = read_call_line(*line, path.filename().string(), recorder_.pseudonyms());
      if (!call) {
        return fail(call.error().within(path.string() + ":" + std::to_string(reader.line())));
      }
      if (!has_answer(*call)) ++file_.without_answer;
      sessions_.insert(call->session.value);
      if (!ids_.insert(call->id.value).second) ++repeated_ids_;
      TRY(recorder_.record(std::move(*call)));
      ++file_.calls;
      progress.advance();
    }
    file_.sessions = sessions_.size();
    return {};
  }

  [[nodiscard]] ImportedFile& file() { return file_; }
  [[nodiscard]] std::uint64_t repeated_ids() const { return repeated_ids_; }

 private:
  Recorder& recorder_;
  std::unordered_set<std::string>& ids_;
  std::unordered_set<std::string> sessions_;
  ImportedFile file_;
  std::uint64_t repeated_ids_ = 0;
};

void warn_about(const FileImport& import, const ImportedFile& file, ImportReport& report) {
  if (file.lines == 0) report.warnings.push_back(file.path + " is empty");
  if (file.imported_before) {
    report.warnings.push_back(file.path +
                              " was imported before: its calls are in the log twice; "
                              "`understudy curate` takes each once");
  }
  if (import.repeated_ids() > 0) {
    report.warnings.push_back(file.path + ": " + std::to_string(import.repeated_ids()) +
                              " records carry the id of an earlier record");
  }
}

}  // namespace

json::value to_json(const ImportReport& report) {
  json::array files;
  for (const ImportedFile& file : report.files) {
    files.push_back(json::object{{"path", file.path},
                                 {"lines", file.lines},
                                 {"calls", file.calls},
                                 {"without_answer", file.without_answer},
                                 {"sessions", file.sessions},
                                 {"imported_before", file.imported_before}});
  }
  json::array warnings;
  for (const std::string& warning : report.warnings) warnings.emplace_back(warning);
  return json::object{
      {"files", std::move(files)}, {"calls", report.calls}, {"warnings", std::move(warnings)}};
}

Result<ImportReport> import_calls(const store::Home& home,
                                  const std::vector<std::filesystem::path>& files) {
  const std::unique_ptr<Recorder> recorder =
      TRY(Recorder::open(home, {.compression = store::Compression::always}));
  ImportHistory history = TRY(ImportHistory::open(home, recorder->pseudonyms()));
  ImportReport report;
  std::unordered_set<std::string> ids;
  for (const std::filesystem::path& path : files) {
    FileImport import(*recorder, ids);
    const Status read = import.run(path);
    TRY(recorder->flush());  // what was read before a bad line is kept
    ImportedFile& file = import.file();
    report.calls += file.calls;
    if (!read) {
      Error error = read.error();
      error.message += " (" + std::to_string(report.calls) + " calls before it are in the log)";
      return fail(std::move(error));
    }
    file.imported_before = TRY(history.add(path));
    warn_about(import, file, report);
    report.files.push_back(std::move(file));
  }
  return report;
}

}  // namespace understudy::s1
