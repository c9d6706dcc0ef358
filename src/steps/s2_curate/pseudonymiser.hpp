// Replaces personal data in the request and response bodies of calls. Two passes over a data set:
// collect() says what is there, then, with the surrogates of all of it, rewrite() replaces it and
// proves that nothing is left. Thread-safe once made.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "steps/s2_curate/detect/detector.hpp"
#include "steps/s2_curate/known_values.hpp"
#include "steps/s2_curate/surrogates.hpp"

namespace understudy::s2 {

// The entities of one JSON body, added to `table`. invalid_input for what is no JSON.
Status collect_entities(const Detector& detector, std::string_view body, EntityTable& table);

using EntityCounts = std::array<std::uint64_t, entity_type_count>;  // by EntityType

class Pseudonymiser {
 public:
  // All references must outlive it.
  static Result<Pseudonymiser> create(const Detector& detector, const EntityTable& originals,
                                      const SecretText& key);

  struct Rewritten {
    std::string body;
    EntityCounts replaced{};
    bool clean = false;  // the re-scan found no original value
  };
  [[nodiscard]] Result<Rewritten> rewrite(std::string_view body) const;

 private:
  Pseudonymiser(const Detector& detector, const EntityTable& originals, KnownValues known,
                Surrogates surrogates)
      : detector_(detector),
        originals_(originals),
        known_(std::move(known)),
        surrogates_(std::move(surrogates)) {}
  [[nodiscard]] std::vector<Entity> entities_of(const Leaf& leaf) const;
  [[nodiscard]] bool is_clean(std::string_view body) const;

  const Detector& detector_;
  const EntityTable& originals_;
  KnownValues known_;
  Surrogates surrogates_;
};

}  // namespace understudy::s2
