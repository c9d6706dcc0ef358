#include "steps/s3_cluster/recorded_calls.hpp"

#include "adapters/store/line_reader.hpp"
#include "adapters/text/hashing.hpp"
#include "steps/s3_cluster/call_view.hpp"

namespace understudy::s3 {

namespace {

std::string session_of(const json::value& record, const json::value& meta) {
  if (const auto session = json::find_string(record, "session")) return std::string(*session);
  for (const char* field : {"run", "project", "cassette", "path"}) {
    if (const json::value* found = json::find(meta, field)) return json::to_text(*found);
  }
  const json::value* trial = json::find(meta, "trial");
  const json::value* number = json::find(meta, "task_id");
  if (trial != nullptr && number != nullptr)
    return json::to_text(*number) + "/" + json::to_text(*trial);
  std::string opening;
  const json::value* request = json::find(record, "request");
  const json::array* messages =
      request != nullptr ? json::find_array(*request, "messages") : nullptr;
  if (messages == nullptr) return {};
  for (const json::value& message : *messages) {
    opening += json::to_text(message);
    if (json::string_or(message, "role") != "system") break;
  }
  return text::hash_hex(opening);
}

}  // namespace

Result<Recording> read_recording(const std::filesystem::path& file) {
  Recording recording;
  auto reader = TRY(store::LineReader::open(file));
  while (const auto line = TRY(reader.next())) {
    const json::value record = TRY(json::parse(*line));
    const json::value* found = json::find(record, "meta");
    const json::value meta = found != nullptr ? *found : json::object{};
    const json::value* request = json::find(record, "request");
    const json::value* response = json::find(record, "response");
    if (request == nullptr || response == nullptr) continue;
    Example example;
    example.call = {json::string_or(record, "id")};
    example.session = {session_of(record, meta)};
    example.model = json::string_or(*request, "model");
    example.request = SecretText(json::to_text(*request));
    example.response = SecretText(json::to_text(*response));
    const auto view = view_of(example);
    if (!view || view->answer.empty()) continue;
    std::string label = json::string_or(meta, "task");
    // tau-bench has no call sites: the next step is what a call is for.
    if (label.empty()) label = view->action.starts_with("call:") ? view->action : "reply";
    recording.labels.push_back(std::move(label));
    recording.examples.push_back(std::move(example));
  }
  return recording;
}

}  // namespace understudy::s3
