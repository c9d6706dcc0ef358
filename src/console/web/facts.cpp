#include "console/web/facts.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>

#include "adapters/store/call_log.hpp"
#include "adapters/store/watch_store.hpp"
#include "console/file_stamp.hpp"
#include "console/metadata_key.hpp"
#include "steps/s6_refine/report.hpp"

namespace understudy::console {

namespace {

constexpr std::size_t calls_kept_max = 50'000;  // about 40 MB

// What was made at the last look, failures too. While it is made anew, which may take seconds with
// a large log, the old one is shown, and changes() says when there is a newer one; a log that
// changes all the time costs a fifth of a processor at most.
template <class T>
class Kept {
 public:
  using Value = Result<std::shared_ptr<const T>>;
  Kept(std::function<std::string()> stamp, std::function<Value()> make)
      : stamp_now_(std::move(stamp)), make_(std::move(make)) {}

  Value get() {
    const std::string stamp = stamp_now_();
    std::unique_lock lock(mutex_);
    if (value_ && stamp == stamp_) return *value_;
    if (!busy_) {
      busy_ = true;
      const auto pause = value_ && took_ > quick ? pause_factor * took_ : Clock::duration(0);
      // The one before has ended, or is about to: it does nothing behind `busy_ = false`.
      worker_ = std::jthread([this, pause](const std::stop_token& stop) { renew(pause, stop); });
    }
    if (!value_) {
      made_.wait(lock, [this] { return value_.has_value(); });
    } else if (took_ <= quick) {
      made_.wait_for(lock, patience, [this] { return !busy_; });
    }
    return *value_;
  }

  [[nodiscard]] std::uint64_t changes() const { return changes_; }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr auto quick = std::chrono::milliseconds(200);
  static constexpr auto patience = std::chrono::seconds(2);
  static constexpr int pause_factor = 4;

  void renew(Clock::duration pause, const std::stop_token& stop) {
    {
      std::unique_lock lock(mutex_);
      if (pause.count() > 0 && made_.wait_for(lock, stop, pause, [&] { return false; })) return;
    }
    if (stop.stop_requested()) return;
    const auto begun = Clock::now();
    std::string stamp = stamp_now_();
    Value made = make_();
    const std::scoped_lock lock(mutex_);
    took_ = Clock::now() - begun;
    value_ = std::move(made);
    stamp_ = std::move(stamp);
    busy_ = false;
    ++changes_;
    made_.notify_all();
  }

  std::function<std::string()> stamp_now_;
  std::function<Value()> make_;
  std::mutex mutex_;
  std::condition_variable_any made_;
  std::string stamp_;
  std::optional<Value> value_;
  bool busy_ = false;
  Clock::duration took_{};
  std::atomic<std::uint64_t> changes_ = 0;
  std::jthread worker_;  // last: it uses what stands above
};

Result<std::shared_ptr<const LogFacts>> read_log(const store::Home& home) {
  auto facts = std::make_shared<LogFacts>();
  facts->prices = TRY(economics::PriceTable::load(home.directory() / "prices.toml"));
  const auto key = TRY(metadata_key(home));
  const auto keep = [&](Call call) -> Status {
    facts->series.add(call);
    // Twice the limit before the older half goes: moving each time would cost too much.
    if (facts->calls.size() >= 2 * calls_kept_max)
      facts->calls.erase(facts->calls.begin(), facts->calls.begin() + calls_kept_max);
    facts->calls.push_back(std::move(call));
    return {};
  };
  const auto report =
      TRY(store::read_call_log(home, key, keep, {.open_content = false, .index = &facts->index}));
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
  explicit State(store::Home place) : home(std::move(place)) {}

  store::Home home;
  Kept<LogFacts> log{[this] { return log_stamp(); }, [this] { return read_log(home); }};
  Kept<json::value> report{[this] { return report_stamp(); }, [this] { return make_report(); }};

  [[nodiscard]] std::string log_stamp() const {
    return stamp_of_all(home.log()) + stamp_of(home.directory() / "prices.toml");
  }
  [[nodiscard]] std::string report_stamp() const {
    const Stamps stamps = read_stamps(home);
    return log_stamp() + stamps.tasks + stamps.policy;
  }
  [[nodiscard]] Result<std::shared_ptr<const json::value>> make_report() const {
    return std::make_shared<const json::value>(s6::to_json(TRY(s6::make_report(home, {}))));
  }
};

Facts::Facts(store::Home home) : state_(std::make_unique<State>(std::move(home))) {}
Facts::~Facts() = default;

Result<std::shared_ptr<const LogFacts>> Facts::log() { return state_->log.get(); }

Result<std::shared_ptr<const json::value>> Facts::report() { return state_->report.get(); }

Stamps Facts::stamps() const {
  Stamps stamps = read_stamps(state_->home);
  // A page that was made from older facts is told when there are newer ones.
  stamps.log += "." + std::to_string(state_->log.changes());
  stamps.tasks += "." + std::to_string(state_->report.changes());
  return stamps;
}

}  // namespace understudy::console
