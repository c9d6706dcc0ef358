// What the console's pages are made from, read once and kept until it changes on the disk: calls of
// the log without their content, traffic over time, the report's figures. Needs the auditor's or
// the curator's key; the report the curator's. Thread-safe. The first one who asks waits for the
// reading; later ones get what was read before, where that takes long, and learn from the stamps
// when there is something newer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "adapters/store/home.hpp"
#include "adapters/store/log_index.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "console/web/traffic_series.hpp"
#include "economics/price_table.hpp"
#include "records/call.hpp"

namespace understudy::console {

struct LogFacts {
  economics::PriceTable prices = economics::PriceTable::built_in();
  TrafficSeries series{prices};
  std::vector<Call> calls;      // the newest ones, oldest first, without content
  store::LogIndex index;        // of all calls
  std::uint64_t calls_all = 0;  // in the log
  std::uint64_t bytes = 0;
  std::uint64_t segments = 0;
  std::vector<std::string> warnings;

  [[nodiscard]] std::size_t place_of(const Call& call) const {  // one of `calls`
    return index.calls() - static_cast<std::size_t>(calls.data() + calls.size() - &call);
  }
};

// How things stand on the disk; each text differs after a change of what it is named for. Cheap.
struct Stamps {
  std::string log;
  std::string tasks;  // metadata.db, the current data set
  std::string policy;
  std::string models;  // artifacts, and curves of what is being trained
  std::string access;
  std::string audit;
  bool operator==(const Stamps&) const = default;
};
Stamps read_stamps(const store::Home& home);
json::object to_json(const Stamps& stamps);

class Facts {
 public:
  explicit Facts(store::Home home);
  ~Facts();
  // shared: a page may still be made from facts that were replaced meanwhile
  Result<std::shared_ptr<const LogFacts>> log();
  Result<std::shared_ptr<const json::value>> report();  // s6's report as JSON
  // Of the disk, and of what was read of it.
  [[nodiscard]] Stamps stamps() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace understudy::console
