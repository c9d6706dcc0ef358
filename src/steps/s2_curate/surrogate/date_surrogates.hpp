// Stand-ins for dates: every date of a scope moves by the same number of days, so that intervals
// stay. Times of day, and what is no whole date, move by years only. Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/secret.hpp"
#include "steps/s2_curate/surrogate/entity_table.hpp"

namespace understudy::s2 {

class DateSurrogates {
 public:
  explicit DateSurrogates(const SecretText& key) : key_(key) {}
  [[nodiscard]] std::string write(std::string_view date, Scope scope) const;

 private:
  const SecretText& key_;  // outlives it
};

}  // namespace understudy::s2
