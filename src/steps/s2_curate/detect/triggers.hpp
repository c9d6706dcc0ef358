// All literals that say where to look, and what each of them announces. Private to detect.
// Immutable once made and thread-safe.
#pragma once

#include <string_view>
#include <vector>

#include "adapters/text/pattern_scanner.hpp"
#include "base/result.hpp"
#include "steps/s2_curate/detect/id_finder.hpp"
#include "steps/s2_curate/detect/secret_formats.hpp"

namespace understudy::s2 {

struct Trigger {
  enum class Kind {
    secret_format,
    assignment,
    id_context,
    private_key,
    jwt,
    curl,
    authorization,
    date_word,
    url,
    internet_host,
  };
  Kind kind = Kind::url;
  const SecretFormat* format = nullptr;  // of a secret_format
  TypeSet announced = {};                // by an id_context
};

class Triggers {
 public:
  static Result<Triggers> create();

  [[nodiscard]] std::vector<text::PatternHit> scan(std::string_view text) const {
    return scanner_.scan(text);
  }
  [[nodiscard]] const Trigger& at(std::uint32_t id) const { return triggers_[id]; }

  // The types that a JSON key ("ssn_number", "passportNo") announces.
  [[nodiscard]] TypeSet announced_by(std::string_view key) const;

 private:
  Triggers(std::vector<Trigger> triggers, text::PatternScanner scanner)
      : triggers_(std::move(triggers)), scanner_(std::move(scanner)) {}
  std::vector<Trigger> triggers_;
  text::PatternScanner scanner_;
};

}  // namespace understudy::s2
