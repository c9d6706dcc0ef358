// A second opinion on who and what is named in a text: a model behind an endpoint. It knows names
// that no list has; what it finds is treated as what the finders find. Fails closed: once an answer
// is missing, failure() says why, and what is being curated must not be used. Thread-safe.
#pragma once

#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "adapters/lm/entity_endpoint.hpp"
#include "base/error.hpp"
#include "steps/s2_curate/detect/entity.hpp"

namespace understudy::s2 {

class Recogniser {
 public:
  explicit Recogniser(lm::EntityEndpoint endpoint) : endpoint_(std::move(endpoint)) {}

  // Persons, places, organisations and nationalities; other types have validators of their own.
  // Texts without a letter in upper case are not asked about. Nothing after a failure.
  [[nodiscard]] std::vector<Entity> find(std::string_view text) const;
  [[nodiscard]] std::optional<Error> failure() const;

 private:
  lm::EntityEndpoint endpoint_;
  mutable std::mutex mutex_;
  mutable std::optional<Error> failure_;
};

}  // namespace understudy::s2
