// What the whole call log adds up to, from metadata alone: give it each call once, in any order,
// then what the reading reported. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "adapters/store/call_log.hpp"
#include "base/json.hpp"
#include "records/call.hpp"

namespace understudy::console {

class LogStatistics {
 public:
  void add(const Call& call);
  // As `understudy log stats --json` prints it.
  [[nodiscard]] json::object to_json(const store::LogReadReport& report) const;

 private:
  std::int64_t by_slm_ = 0;
  std::int64_t not_ok_ = 0;
  std::uint64_t content_bytes_ = 0;
  UnixMicros first_;
  UnixMicros last_;
  std::map<std::string, std::uint64_t> of_tenant_;
};

// The part that needs no calls: segments, bytes, what is damaged.
json::object to_json(const store::LogReadReport& report);

}  // namespace understudy::console
