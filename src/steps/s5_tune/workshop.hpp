// A directory in which an artifact is made; it gets its name when it is whole. Removed with what it
// holds unless it was kept, or left for a later run to go on in. One thread.
#pragma once

#include <filesystem>

#include "base/result.hpp"

namespace understudy::s5 {

class Workshop {
 public:
  explicit Workshop(std::filesystem::path path);
  ~Workshop();
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  void leave() { left_ = true; }
  // Takes the place of what is there.
  [[nodiscard]] Status keep_as(const std::filesystem::path& target) const;

 private:
  std::filesystem::path path_;
  bool left_ = false;
};

}  // namespace understudy::s5
