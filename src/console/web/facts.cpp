#include "console/web/facts.hpp"

#include <sys/stat.h>

#include <functional>

#include "adapters/store/call_log.hpp"
#include "adapters/store/watch_store.hpp"
#include "console/log_statistics.hpp"
#include "console/metadata_key.hpp"
#include "console/web/kept.hpp"
#include "steps/s6_refine/report.hpp"

namespace understudy::console {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t calls_kept_max = 50'000;  // about 40 MB

// Size and time of change; "-" where there is nothing.
std::string stamp_of(const fs::path& file) {
  struct stat facts{};
  if (::stat(file.c_str(), &facts) != 0) return "-";
  return std::to_string(facts.st_size) + "." + std::to_string(facts.st_mtim.tv_sec) + "." +
         std::to_string(facts.st_mtim.tv_nsec);
}

// Of all files in a directory; `inner`: of that file of each directory in it.
std::string stamp_of_all(const fs::path& directory, const char* inner = nullptr) {
  std::size_t hash = 0;
  std::size_t count = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    const fs::path path = inner == nullptr ? entry.path() : entry.path() / inner;
    // The order of a directory's entries is not fixed: a sum does not depend on it.
    hash += std::hash<std::string>()(entry.path().filename().string() + stamp_of(path));
    ++count;
  }
  return std::to_string(count) + "." + std::to_string(hash);
}

Result<std::shared_ptr<const LogFacts>> read_log(const store::Home& home) {
  auto facts = std::make_shared<LogFacts>();
  facts->prices = TRY(economics::PriceTable::load(home.directory() / "prices.toml"));
  const auto key = TRY(metadata_key(home));
  LogStatistics statistics;
  const auto keep = [&](Call call) -> Status {
    facts->series.add(call);
    statistics.add(call);
    // Twice the limit before the older half goes: moving each time would cost too much.
    if (facts->calls.size() >= 2 * calls_kept_max)
      facts->calls.erase(facts->calls.begin(), facts->calls.begin() + calls_kept_max);
    facts->calls.push_back(std::move(call));
    return {};
  };
  const auto report = TRY(store::read_call_log(home, key, keep, {.open_content = false}));
  facts->statistics = statistics.to_json(report);
  facts->calls_all = report.calls;
  facts->bytes = report.bytes;
  facts->segments = report.segments;
  facts->warnings = report.warnings;
  for (const Error& error : report.corrupt) facts->warnings.push_back(error.message);
  if (facts->calls.size() > calls_kept_max) {
    facts->calls.erase(facts->calls.begin(),
                       facts->calls.end() - static_cast<std::ptrdiff_t>(calls_kept_max));
  }
  return std::shared_ptr<const LogFacts>(std::move(facts));
}

}  // namespace

Stamps read_stamps(const store::Home& home) {
  return {.log = stamp_of_all(home.log()),
          .tasks = stamp_of(home.metadata()) + stamp_of(home.metadata().string() + "-wal") +
                   stamp_of(home.datasets() / "current"),
          .policy = stamp_of(home.policy() / "current") +
                    stamp_of(store::watch_directory(home) / "vetoes.json") +
                    stamp_of(store::watch_directory(home) / "demotions.jsonl"),
          .models = stamp_of_all(home.artifacts(), "metrics.jsonl"),
          .access = stamp_of(home.directory() / "access.json") +
                    stamp_of(home.directory() / "spend.json") + stamp_of_all(home.keys()),
          .audit = stamp_of(home.audit() / "trail.jsonl")};
}

json::object to_json(const Stamps& stamps) {
  return {{"log", stamps.log},       {"tasks", stamps.tasks},   {"policy", stamps.policy},
          {"models", stamps.models}, {"access", stamps.access}, {"audit", stamps.audit}};
}

struct Facts::State {
  store::Home home;
  Kept<LogFacts> log = {};
  Kept<json::value> report = {};

  [[nodiscard]] std::string log_stamp() const {
    return stamp_of_all(home.log()) + stamp_of(home.directory() / "prices.toml");
  }
  [[nodiscard]] static std::string report_stamp(const std::string& log, const Stamps& stamps) {
    return log + stamps.tasks + stamps.policy;
  }
  Kept<LogFacts>::Make log_maker() {
    return [this] { return read_log(home); };
  }
  Kept<json::value>::Make report_maker() {
    return [this]() -> Result<std::shared_ptr<const json::value>> {
      return std::make_shared<const json::value>(s6::to_json(TRY(s6::make_report(home, {}))));
    };
  }
};

Facts::Facts(store::Home home) : state_(new State{.home = std::move(home)}) {}
Facts::~Facts() = default;

Result<std::shared_ptr<const LogFacts>> Facts::log() {
  return state_->log.get(state_->log_stamp(), state_->log_maker());
}

Result<std::shared_ptr<const json::value>> Facts::report() {
  const std::string stamp = State::report_stamp(state_->log_stamp(), read_stamps(state_->home));
  return state_->report.get(stamp, state_->report_maker());
}

Stamps Facts::stamps() {
  Stamps stamps = read_stamps(state_->home);
  const std::string log = state_->log_stamp();
  stamps.log = state_->log.refresh(log, state_->log_maker()) +
               state_->report.refresh(State::report_stamp(log, stamps), state_->report_maker());
  return stamps;
}

}  // namespace understudy::console
