// What the console's pages are made from, read once and kept until it changes on the disk: calls of
// the log without their content, traffic over time, the report's figures. Needs the auditor's or
// the curator's key; the report the curator's. Thread-safe. What changed is read anew on a thread
// of its own; whoever asks waits a moment for it and gets the older facts where that takes longer,
// so that pages stay fast over a large log. stamps() says when the newer ones are there.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "adapters/store/home.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "console/web/traffic_series.hpp"
#include "economics/price_table.hpp"
#include "records/call.hpp"

namespace understudy::console {

struct LogFacts {
  economics::PriceTable prices = economics::PriceTable::built_in();
  TrafficSeries series{prices};
  std::vector<Call> calls;      // the newest limits, oldest first, without content
  json::value statistics;       // of the whole log, as `understudy log stats` says them
  std::uint64_t calls_all = 0;  // in the log
  std::uint64_t bytes = 0;
  std::uint64_t segments = 0;
  std::vector<std::string> warnings;
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
  // Those of the disk, but for the log: of the facts that log() and report() give now. Starts to
  // read what is newer; never waits for it.
  Stamps stamps();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace understudy::console
