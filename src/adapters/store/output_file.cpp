#include "adapters/store/output_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace understudy::store {

namespace {

constexpr std::uint64_t drop_bytes_min = 1 << 20U;  // at once

Status sync_folder(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return fail_errno("cannot open", folder);
  const bool synced = ::fsync(descriptor) == 0;
  const auto failure = fail_errno("cannot sync", folder);
  ::close(descriptor);
  if (!synced) return failure;
  return {};
}

}  // namespace

std::unexpected<Error> fail_errno(std::string_view what, const std::filesystem::path& path) {
  const int code = errno;
  const std::string message = std::string(what) + " " + path.string() + ": " + std::strerror(code);
  switch (code) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return fail(ErrorCode::exhausted, message,
                  "free some space on that disk and try again; nothing already stored is lost");
    case EACCES:
    case EPERM:
    case EROFS: return fail(ErrorCode::denied, message, "check who owns the folder and its mode");
    case ENOENT:
    case ENOTDIR: return fail(ErrorCode::not_found, message);
    case EEXIST: return fail(ErrorCode::conflict, message);
    default: return fail(ErrorCode::unavailable, message);
  }
}

Result<OutputFile> OutputFile::create(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return fail_errno("cannot create", path);
  return OutputFile(path, descriptor);
}

Result<OutputFile> OutputFile::create_with_header(const std::filesystem::path& path,
                                                  std::string_view header) {
  OutputFile file = TRY(create(path.string() + ".new"));
  Status status = file.write(header);
  if (status) status = file.sync();
  if (status) status = file.rename(path);
  if (status) status = file.sync();
  if (!status) {
    file.remove();
    return fail(std::move(status).error());
  }
  return file;
}

OutputFile::~OutputFile() {
  if (descriptor_ < 0) return;
  ::posix_fadvise(descriptor_, static_cast<off_t>(dropped_bytes_), 0, POSIX_FADV_DONTNEED);
  ::close(descriptor_);
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      entry_synced_(other.entry_synced_),
      written_bytes_(other.written_bytes_),
      droppable_bytes_(other.droppable_bytes_),
      dropped_bytes_(other.dropped_bytes_) {}

OutputFile& OutputFile::operator=(OutputFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(entry_synced_, other.entry_synced_);
  std::swap(written_bytes_, other.written_bytes_);
  std::swap(droppable_bytes_, other.droppable_bytes_);
  std::swap(dropped_bytes_, other.dropped_bytes_);
  return *this;
}

Status OutputFile::rename(const std::filesystem::path& path) {
  // rename() alone would replace what is there; who else makes files of this name is one process.
  if (::access(path.c_str(), F_OK) == 0) {
    errno = EEXIST;
    return fail_errno("cannot create", path);
  }
  if (::rename(path_.c_str(), path.c_str()) != 0) return fail_errno("cannot create", path);
  path_ = path;
  entry_synced_ = false;
  return {};
}

Status OutputFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_errno("cannot write", path_);
    bytes.remove_prefix(static_cast<std::size_t>(written));
    written_bytes_ += static_cast<std::uint64_t>(written);
  }
  return {};
}

Status OutputFile::sync() {
  if (::fdatasync(descriptor_) != 0) return fail_errno("cannot sync", path_);
  if (entry_synced_) return {};
  TRY(sync_folder(path_.parent_path()));
  entry_synced_ = true;
  return {};
}

// Not what the last sync() brought there: the system does not know all of those pages yet, and
// would interrupt every processor to look for them.
void OutputFile::drop_cached() noexcept {
  const std::uint64_t bytes = std::exchange(droppable_bytes_, written_bytes_);
  if (bytes < dropped_bytes_ + drop_bytes_min) return;
  // Whole pages only: the last one, half written, stays. A refusal costs memory, nothing else.
  if (::posix_fadvise(descriptor_, static_cast<off_t>(dropped_bytes_),
                      static_cast<off_t>(bytes - dropped_bytes_), POSIX_FADV_DONTNEED) == 0)
    dropped_bytes_ = bytes;
}

void OutputFile::truncate(std::uint64_t bytes) noexcept {
  // When this fails too, readers still skip the half record; the writer never appends behind it.
  if (::ftruncate(descriptor_, static_cast<off_t>(bytes)) != 0) return;
  ::lseek(descriptor_, 0, SEEK_END);
}

void OutputFile::remove() noexcept { ::unlink(path_.c_str()); }

}  // namespace understudy::store
