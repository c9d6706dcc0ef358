#include "steps/s2_curate/curate.hpp"

#include <array>
#include <utility>

#include "adapters/crypto/keys.hpp"
#include "adapters/store/call_log.hpp"
#include "adapters/store/dataset.hpp"
#include "base/clock.hpp"
#include "base/files.hpp"
#include "steps/s2_curate/curate_calls.hpp"

namespace understudy::s2 {

namespace {

json::object to_object(const std::map<std::string, std::uint64_t>& counts) {
  json::object object;
  for (const auto& [name, count] : counts) object[name] = count;
  return object;
}

json::object counts_of(const CurateReport& report) {
  return {{"calls_read", report.calls_read},
          {"calls_kept", report.calls_kept},
          {"duplicates", report.duplicates},
          {"sessions", report.sessions},
          {"dropped", to_object(report.dropped)},
          {"splits", to_object(report.splits)},
          {"entities", to_object(report.entities)},
          {"distinct_values", to_object(report.distinct_values)}};
}

struct ReadCalls {
  std::vector<Call> calls;
  std::vector<std::string> warnings;
};

Result<ReadCalls> read_calls(const store::Home& home) {
  const auto key = TRY(crypto::load_secret_key(home.keys(), crypto::Role::curator));
  ReadCalls read;
  const auto log = TRY(store::read_call_log(home, key, [&](Call call) -> Status {
    if (call.content == ContentState::whole) read.calls.push_back(std::move(call));
    return {};
  }));
  read.warnings = log.warnings;
  for (const Error& error : log.corrupt) read.warnings.push_back(error.message);
  if (const auto unread = log.erased_calls + log.withheld_calls; unread > 0) {
    read.warnings.push_back(std::to_string(unread) +
                            " calls were left out: their tenants were erased, or their keys are "
                            "not here");
  }
  if (!read.calls.empty()) return read;
  if (!log.corrupt.empty()) return fail(log.corrupt.front());
  return fail(ErrorCode::not_found, "the call log is empty",
              "record calls with `understudy serve`, or load some with `understudy import FILE`");
}

}  // namespace

json::value to_json(const CurateReport& report) {
  json::object tree = counts_of(report);
  tree["examples"] = report.examples;
  tree["dataset"] = report.dataset.value;
  tree["seconds"] = report.seconds;
  json::array warnings;
  for (const std::string& warning : report.warnings) warnings.emplace_back(warning);
  tree["warnings"] = std::move(warnings);
  return tree;
}

Result<CurateReport> curate(const store::Home& home, const CurateOptions& options) {
  const Stopwatch watch;
  const SecretText pseudonym_key = TRY(crypto::load_pseudonym_key(home.keys()));
  const std::array readers = {TRY(crypto::load_public_key(home.keys(), crypto::Role::curator)),
                              TRY(crypto::load_public_key(home.keys(), crypto::Role::trainer))};
  CurateOptions with_rules = options;
  const std::filesystem::path configuration = home.directory() / "understudy.toml";
  if (std::filesystem::exists(configuration)) {
    for (CustomRule& rule : TRY(parse_custom_rules(TRY(read_file(configuration)))))
      with_rules.rules.push_back(std::move(rule));
  }
  ReadCalls read = TRY(read_calls(home));
  CuratedCalls curated = TRY(curate_calls(std::move(read.calls), pseudonym_key, with_rules));
  CurateReport& report = curated.report;
  report.warnings = std::move(read.warnings);
  report.dataset = TRY(store::write_dataset(home, readers, curated.examples, counts_of(report)));
  report.seconds = watch.elapsed_s();
  return std::move(report);
}

}  // namespace understudy::s2
