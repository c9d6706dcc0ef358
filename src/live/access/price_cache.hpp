// The price table behind a cache by model name: the table's search walks all prices, about a
// microsecond; calls name few models. Private to live/access. Thread-safe.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/limits.hpp"
#include "base/read_mostly.hpp"
#include "economics/price_table.hpp"

namespace understudy::live {

class PriceCache {
 public:
  void replace(economics::PriceTable table) {
    const std::unique_lock lock(mutex_);
    table_ = std::move(table);
    known_.clear();
  }

  [[nodiscard]] std::optional<MicroUsd> cost(std::string_view model, double prompt_tokens,
                                             double completion_tokens) const {
    {
      const std::shared_lock lock(mutex_);
      if (const auto found = known_.find(model); found != known_.end())
        return cost(found->second, prompt_tokens, completion_tokens);
    }
    const std::unique_lock lock(mutex_);
    std::optional<Rates> rates;
    if (const auto price = table_.find(model))
      rates = Rates{price->input_usd_per_million, price->output_usd_per_million};
    // Clients choose the names: a full cache answers for what it knows.
    if (known_.size() < limits::priced_models_max && model.size() <= name_bytes_max)
      known_.emplace(model, rates);
    return cost(rates, prompt_tokens, completion_tokens);
  }

 private:
  struct Rates {  // micro-dollars a token
    double input = 0;
    double output = 0;
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  static constexpr std::size_t name_bytes_max = 128;

  static std::optional<MicroUsd> cost(const std::optional<Rates>& rates, double prompt_tokens,
                                      double completion_tokens) {
    if (!rates) return std::nullopt;
    return MicroUsd{prompt_tokens * rates->input + completion_tokens * rates->output};
  }

  mutable ReadMostlyMutex mutex_;
  economics::PriceTable table_;
  mutable std::unordered_map<std::string, std::optional<Rates>, TextHash, std::equal_to<>> known_;
};

}  // namespace understudy::live
