// What a million tokens cost, per model: dated list prices that are built in, and a file
// prices.toml below home whose entries go before them. List prices change; every entry says when it
// was true and by whom.
//
//   [machine]
//   usd_per_hour = 0.10                 # of the machine that runs the small models; 0 when left
//   out
//   [cheaper]
//   model = "gpt-4o-mini"               # an API model to compare with: a baseline to be beaten
//   [[price]]
//   model = "gpt-4o"                    # also its dated versions; "gpt-4o*" for every name that
//   begins so input_usd_per_million = 2.50 output_usd_per_million = 10.00 as_of = "2024-10-01"
//   source = "price list of the provider"
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/units.hpp"

namespace understudy::economics {

inline double usd(MicroUsd amount) { return amount.value / 1e6; }

struct Price {
  std::string model;
  double input_usd_per_million = 0;  // = micro-dollars a token
  double output_usd_per_million = 0;
  std::string as_of;
  std::string source;

  [[nodiscard]] MicroUsd cost(double prompt_tokens, double completion_tokens) const {
    return {prompt_tokens * input_usd_per_million + completion_tokens * output_usd_per_million};
  }
};

class PriceTable {
 public:
  static PriceTable built_in();
  // The built-in prices behind those of `file`, if there is one. invalid_input names the line.
  static Result<PriceTable> load(const std::filesystem::path& file);
  static Result<PriceTable> parse(std::string_view toml, std::string_view name);

  // By name, then by name without a date behind it, then by the longest "prefix*". A provider in
  // front
  // ("openai/gpt-4o") is left out. Nothing for a model that nobody priced.
  [[nodiscard]] std::optional<Price> find(std::string_view model) const;
  [[nodiscard]] const std::vector<Price>& prices() const { return prices_; }
  [[nodiscard]] double machine_usd_per_hour() const { return machine_usd_per_hour_; }
  // An API model that the user would take instead; empty: none was named.
  [[nodiscard]] const std::string& cheaper_model() const { return cheaper_model_; }

 private:
  std::vector<Price> prices_;  // the first match counts
  double machine_usd_per_hour_ = 0;
  std::string cheaper_model_;
};

}  // namespace understudy::economics
