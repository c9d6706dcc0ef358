// Which files were imported into this home, to warn about a second time: home/log/imported.txt, one
// keyed hash of a file's bytes a line, so that the list tells nobody what was imported. One thread.
#pragma once

#include <filesystem>
#include <string>
#include <unordered_set>

#include "adapters/store/home.hpp"
#include "base/result.hpp"
#include "steps/s1_capture/pseudonyms.hpp"

namespace understudy::s1 {

class ImportHistory {
 public:
  static Result<ImportHistory> open(const store::Home& home, const Pseudonyms& pseudonyms);

  // True when the same bytes were imported before; they are on the list from now on.
  Result<bool> add(const std::filesystem::path& path);

 private:
  ImportHistory(std::filesystem::path list, const Pseudonyms& pseudonyms)
      : list_(std::move(list)), pseudonyms_(pseudonyms) {}

  std::filesystem::path list_;
  const Pseudonyms& pseudonyms_;
  std::string text_;
  std::unordered_set<std::string> known_;
};

}  // namespace understudy::s1
