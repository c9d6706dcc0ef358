#include "steps/s5_tune/workshop.hpp"

#include <system_error>

namespace understudy::s5 {

Workshop::Workshop(std::filesystem::path path) : path_(std::move(path)) {
  std::error_code ignored;
  std::filesystem::create_directories(path_, ignored);
}

Workshop::~Workshop() {
  if (left_) return;
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Status Workshop::keep_as(const std::filesystem::path& target) const {
  std::error_code error;
  std::filesystem::remove_all(target, error);
  std::filesystem::rename(path_, target, error);
  if (error) {
    return fail(ErrorCode::unavailable, "cannot name " + target.string() + ": " + error.message());
  }
  return {};
}

}  // namespace understudy::s5
