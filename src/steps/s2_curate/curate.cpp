#include "steps/s2_curate/curate.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "adapters/crypto/keys.hpp"
#include "adapters/store/call_log.hpp"
#include "adapters/store/dataset.hpp"
#include "adapters/store/metadata.hpp"
#include "base/clock.hpp"
#include "base/files.hpp"
#include "steps/s2_curate/curate_calls.hpp"

namespace understudy::s2 {

namespace {

json::object to_object(const Counts& counts) {
  json::object object;
  for (const auto& [name, count] : counts) object[name] = count;
  return object;
}

template <class Item>
json::array to_array(const std::vector<Item>& items) {
  json::array array;
  for (const Item& item : items) array.emplace_back(item);
  return array;
}

json::object counts_of(const CurateReport& report) {
  json::object places;
  for (const auto& [type, counts] : report.places) places[type] = to_object(counts);
  json::object samples;
  for (const auto& [type, shapes] : report.samples) samples[type] = to_array(shapes);
  json::object paraphrase;
  for (const auto& [task, types] : report.paraphrase) {
    json::object of_task;
    for (const auto& [type, counts] : types) {
      of_task[type] = json::object{{"examples", counts.examples},
                                   {"varied", counts.varied},
                                   {"kept", to_object(counts.kept)}};
    }
    paraphrase[task] = std::move(of_task);
  }
  return {{"calls_read", report.calls_read},
          {"calls_kept", report.calls_kept},
          {"duplicates", report.duplicates},
          {"sessions", report.sessions},
          {"dropped", to_object(report.dropped)},
          {"splits", to_object(report.splits)},
          {"entities", to_object(report.entities)},
          {"distinct_values", to_object(report.distinct_values)},
          {"places", std::move(places)},
          {"samples", std::move(samples)},
          {"paraphrase", std::move(paraphrase)},
          {"asked_again", report.asked_again},
          {"with_other_answers", report.with_other_answers},
          {"near_duplicate_groups", report.near_duplicate_groups},
          {"near_duplicates", report.near_duplicates},
          {"repaired", report.repaired}};
}

// The log, read as often as one likes; what the last reading had to say about it is kept.
class LogSource {
 public:
  LogSource(const store::Home& home, crypto::SecretKey key) : home_(home), key_(std::move(key)) {}

  Result<std::uint64_t> count() {
    std::uint64_t calls = 0;
    TRY(store::read_call_log(home_, key_,
                             [&](const Call&) -> Status {
                               ++calls;
                               return {};
                             },
                             {.open_content = false}));
    return calls;
  }

  Status visit(const std::function<Status(Call)>& take) {
    readable_ = 0;
    log_ = TRY(store::read_call_log(home_, key_, [&](Call call) -> Status {
      if (call.content != ContentState::whole) return {};
      ++readable_;
      return take(std::move(call));
    }));
    return {};
  }

  [[nodiscard]] Status check_any() const {
    if (readable_ > 0) return {};
    if (!log_.corrupt.empty()) return fail(log_.corrupt.front());
    return fail(ErrorCode::not_found, "the call log is empty",
                "record calls with `understudy serve`, or load some with `understudy import FILE`");
  }

  [[nodiscard]] std::vector<std::string> warnings() const {
    std::vector<std::string> warnings = log_.warnings;
    for (const Error& error : log_.corrupt) warnings.push_back(error.message);
    if (const auto unread = log_.erased_calls + log_.withheld_calls; unread > 0) {
      warnings.push_back(std::to_string(unread) +
                         " calls were left out: their tenants were erased, or their keys are "
                         "not here");
    }
    return warnings;
  }

 private:
  const store::Home& home_;
  crypto::SecretKey key_;
  store::LogReadReport log_;
  std::uint64_t readable_ = 0;
};

Result<CurateSettings> load_settings(const store::Home& home) {
  const std::filesystem::path configuration = home.directory() / "understudy.toml";
  if (!std::filesystem::exists(configuration)) return CurateSettings{};
  return parse_curate_settings(TRY(read_file(configuration)));
}

// What the last `understudy cluster` found; nothing where it did not run yet.
Result<KnownTasks> load_tasks(const store::Home& home) {
  KnownTasks tasks;
  const auto metadata = TRY(store::Metadata::open(home));
  std::map<std::string, std::uint32_t> numbers;
  for (const Assignment& assignment : TRY(metadata.assignments())) {
    if (assignment.task.empty()) continue;
    const auto [place, is_new] = numbers.try_emplace(
        assignment.task.value, static_cast<std::uint32_t>(tasks.names.size() + 1));
    if (is_new) tasks.names.push_back(assignment.task.value);
    tasks.of_call[hash_of_id(assignment.call)] = place->second;
  }
  return tasks;
}

}  // namespace

json::value to_json(const CurateReport& report) {
  json::object tree = counts_of(report);
  tree["examples"] = report.examples;
  tree["dataset"] = report.dataset.value;
  tree["seconds"] = report.seconds;
  tree["warnings"] = to_array(report.warnings);
  return tree;
}

Result<CurateReport> curate(const store::Home& home, const CurateOptions& options) {
  const Stopwatch watch;
  const SecretText pseudonym_key = TRY(crypto::load_pseudonym_key(home.keys()));
  const std::array readers = {TRY(crypto::load_public_key(home.keys(), crypto::Role::curator)),
                              TRY(crypto::load_public_key(home.keys(), crypto::Role::trainer))};
  CurateOptions with_settings = options;
  if (!with_settings.settings) with_settings.settings = TRY(load_settings(home));
  LogSource log(home, TRY(crypto::load_secret_key(home.keys(), crypto::Role::curator)));
  auto writer = TRY(store::DatasetWriter::create(home, readers));
  CurateInput input{.source = {.visit = [&](const auto& take) -> Status {
                                 TRY(log.visit(take));
                                 return log.check_any();
                               },
                               .calls = TRY(log.count())},
                    .pseudonym_key = pseudonym_key,
                    .scratch = home.datasets()};
  if (with_settings.settings->needs_tasks()) input.tasks = TRY(load_tasks(home));
  CurateReport report = TRY(curate_calls(
      input, with_settings, [&](const Example& example) { return writer.append(example); }));
  std::ranges::copy(log.warnings(), std::back_inserter(report.warnings));
  report.dataset = TRY(writer.finish(counts_of(report)));
  report.seconds = watch.elapsed_s();
  return report;
}

}  // namespace understudy::s2
