// Where everything lives under one home directory (--home, $UNDERSTUDY_HOME,
// ~/.local/share/understudy):
// keys/         role keys (0600) and public keys; tenants/, archive/
// log/          sealed segments of the call log
// audit/        the trail: who read content or changed keys
// datasets/ID/  sealed examples and a manifest
// artifacts/ID/ trained models
// policy/       signed routing policies, `current`
// watch/        what the gateway saw of its live small models; vetoes, demotions
// reports/      what `understudy report` wrote
// metadata.db   tasks, assignments, evidence (no content)
#pragma once

#include <filesystem>
#include <string>

#include "base/result.hpp"

namespace understudy::store {

class Home {
 public:
  // Makes the directories that are missing (mode 0700). denied/exhausted errors name the directory.
  static Result<Home> open(const std::filesystem::path& directory);

  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }
  [[nodiscard]] std::filesystem::path keys() const { return directory_ / "keys"; }
  [[nodiscard]] std::filesystem::path log() const { return directory_ / "log"; }
  [[nodiscard]] std::filesystem::path audit() const { return directory_ / "audit"; }
  [[nodiscard]] std::filesystem::path datasets() const { return directory_ / "datasets"; }
  [[nodiscard]] std::filesystem::path artifacts() const { return directory_ / "artifacts"; }
  [[nodiscard]] std::filesystem::path policy() const { return directory_ / "policy"; }
  [[nodiscard]] std::filesystem::path watch() const { return directory_ / "watch"; }
  [[nodiscard]] std::filesystem::path reports() const { return directory_ / "reports"; }
  [[nodiscard]] std::filesystem::path metadata() const { return directory_ / "metadata.db"; }

 private:
  explicit Home(std::filesystem::path directory) : directory_(std::move(directory)) {}
  std::filesystem::path directory_;
};

}  // namespace understudy::store
