#include "adapters/store/input_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "adapters/store/output_file.hpp"
#include "base/limits.hpp"

namespace understudy::store {

namespace {

constexpr std::uint64_t window_bytes = 256 * limits::kibi;

}  // namespace

InputFile::InputFile(std::filesystem::path path, int descriptor)
    : path_(std::move(path)), descriptor_(descriptor) {}

InputFile::~InputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

InputFile::InputFile(InputFile&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      size_(other.size_),
      window_(std::move(other.window_)),
      window_at_(other.window_at_) {}

Result<InputFile> InputFile::open(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return fail_errno("cannot open", path);
  InputFile file(path, descriptor);
  struct stat status{};
  if (::fstat(descriptor, &status) != 0) return fail_errno("cannot read", path);
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorCode::invalid_input, path.string() + " is not a file");
  }
  file.size_ = static_cast<std::uint64_t>(status.st_size);
  return file;
}

Result<std::string> InputFile::read(std::uint64_t offset, std::size_t count) const {
  std::string bytes(count, '\0');
  std::size_t done = 0;
  while (done < count) {
    const ssize_t got =
        ::pread(descriptor_, bytes.data() + done, count - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("cannot read", path_);
    if (got == 0) {
      return fail(ErrorCode::unavailable, path_.string() + " became shorter while it was read");
    }
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

Result<std::string_view> InputFile::view(std::uint64_t offset, std::size_t count) {
  if (offset < window_at_ || offset + count > window_at_ + window_.size()) {
    const std::uint64_t left = offset < size_ ? size_ - offset : 0;
    const std::uint64_t wanted = std::max<std::uint64_t>(count, std::min(left, window_bytes));
    window_ = TRY(read(offset, static_cast<std::size_t>(wanted)));
    window_at_ = offset;
  }
  return std::string_view(window_).substr(static_cast<std::size_t>(offset - window_at_), count);
}

Result<bool> InputFile::only_zeros_from(std::uint64_t offset) const {
  constexpr std::uint64_t chunk_bytes = 64 * limits::kibi;
  for (std::uint64_t at = offset; at < size_; at += chunk_bytes) {
    const std::uint64_t count = std::min(chunk_bytes, size_ - at);
    const std::string chunk = TRY(read(at, static_cast<std::size_t>(count)));
    if (chunk.find_first_not_of('\0') != std::string::npos) return false;
  }
  return true;
}

}  // namespace understudy::store
