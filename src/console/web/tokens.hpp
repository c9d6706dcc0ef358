// Whose token this is: the owner's, which lives as long as the console process, or one of
// HOME/access.json (`understudy access token`), which is read anew when the file changes.
// Thread-safe; looks at the disk at most every limits::access_poll_interval_ms.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "adapters/crypto/access_secret.hpp"
#include "adapters/store/home.hpp"
#include "base/result.hpp"
#include "console/web/visitor.hpp"

namespace understudy::console {

class Tokens {
 public:
  // `owner`: the hash of the owner's token. An access.json that cannot be trusted is an error.
  static Result<std::unique_ptr<Tokens>> open(const store::Home& home, const SecretHash& owner);
  ~Tokens();
  [[nodiscard]] std::optional<Visitor> visitor_of(std::string_view token);

 private:
  struct State;
  explicit Tokens(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace understudy::console
