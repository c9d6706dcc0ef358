// The call log over time, for the overview: who answered, how many tokens, what was paid. Buckets
// are a minute wide and double whenever there are too many, so that memory stays bounded over
// years. Counts metadata of calls only. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/json.hpp"
#include "economics/price_table.hpp"
#include "records/call.hpp"

namespace understudy::console {

class TrafficSeries {
 public:
  explicit TrafficSeries(const economics::PriceTable& prices) : prices_(prices) {}

  void add(const Call& call);

  // What one call of a task saves when a small model answers it, in dollars.
  using SavedPerCall = std::map<std::string, double>;
  // {"width_s","buckets":[{"t","llm","slm","failed","prompt_tokens","completion_tokens",
  // "cost_usd","saved_usd"}],"models":[{"model","server","calls","tokens","cost_usd"}]}: calls
  // since `since`, in at most `buckets_max` buckets, empty ones included.
  [[nodiscard]] json::value to_json(UnixMicros since, std::size_t buckets_max,
                                    const SavedPerCall& saved) const;

 private:
  struct Model {
    std::int64_t calls = 0;
    std::int64_t tokens = 0;
    double cost_usd = 0;
  };
  struct Bucket {
    std::int64_t llm = 0;
    std::int64_t slm = 0;
    std::int64_t failed = 0;
    std::int64_t prompt_tokens = 0;
    std::int64_t completion_tokens = 0;
    double cost_usd = 0;
    std::map<std::string, std::int64_t> slm_calls_of;             // by task
    std::map<std::pair<std::string, std::string>, Model> models;  // by (server, model)
    void add(const Bucket& other);
  };

  [[nodiscard]] double cost_of(const Call& call) const;
  void widen();

  const economics::PriceTable& prices_;
  std::int64_t width_s_ = 60;
  std::map<std::int64_t, Bucket> buckets_;  // by time / width
};

}  // namespace understudy::console
