#include "adapters/store/spill_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "adapters/crypto/record_cipher.hpp"
#include "adapters/store/output_file.hpp"
#include "base/limits.hpp"

namespace understudy::store {

namespace {

constexpr std::size_t buffer_bytes = limits::mebi / 4;
constexpr std::size_t length_bytes = sizeof(std::uint32_t);

// Without a name from the beginning where the file system can do that, else from right after it.
int open_nameless(const std::filesystem::path& directory) {
  const int descriptor = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor >= 0) return descriptor;
  std::string name = (directory / "spill-XXXXXX").string();
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) ::unlink(name.c_str());
  return named;
}

std::string bound_to(std::uint64_t place) { return "spill " + std::to_string(place); }

}  // namespace

struct SpillFile::State {
  std::filesystem::path directory;
  int descriptor = -1;
  crypto::RecordCipher cipher{SecretText(crypto::random_bytes(crypto::data_key_bytes))};
  std::string buffer;
  std::uint64_t written = 0;

  ~State() {
    if (descriptor >= 0) ::close(descriptor);
  }

  Status write_out() {
    std::size_t done = 0;
    while (done < buffer.size()) {
      const auto wrote = ::write(descriptor, buffer.data() + done, buffer.size() - done);
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote <= 0) return fail_errno("cannot write a temporary file in", directory);
      done += static_cast<std::size_t>(wrote);
    }
    written += buffer.size();
    buffer.clear();
    return {};
  }

  Result<std::string> read_at(std::uint64_t place, std::size_t count) const {
    std::string bytes(count, '\0');
    std::size_t done = 0;
    while (done < count) {
      const auto got =
          ::pread(descriptor, bytes.data() + done, count - done, static_cast<off_t>(place + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail_errno("cannot read a temporary file in", directory);
      if (got == 0) return fail(ErrorCode::corrupt, "a temporary file is shorter than it was");
      done += static_cast<std::size_t>(got);
    }
    return bytes;
  }
};

SpillFile::SpillFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
SpillFile::~SpillFile() = default;
SpillFile::SpillFile(SpillFile&&) noexcept = default;
SpillFile& SpillFile::operator=(SpillFile&&) noexcept = default;

Result<SpillFile> SpillFile::create(const std::filesystem::path& directory) {
  auto state = std::make_unique<State>();
  state->directory = directory;
  state->descriptor = open_nameless(directory);
  if (state->descriptor < 0) return fail_errno("cannot make a temporary file in", directory);
  return SpillFile(std::move(state));
}

Result<std::uint64_t> SpillFile::append(std::string_view plain) {
  const std::uint64_t place = bytes();
  const std::string nonce = crypto::random_bytes(crypto::nonce_bytes);
  const std::string sealed = state_->cipher.encrypt(plain, nonce, bound_to(place));
  const auto length = static_cast<std::uint32_t>(sealed.size());
  state_->buffer.append(reinterpret_cast<const char*>(&length), length_bytes);
  state_->buffer += nonce;
  state_->buffer += sealed;
  if (state_->buffer.size() >= buffer_bytes) TRY(state_->write_out());
  return place;
}

Status SpillFile::flush() { return state_->write_out(); }

Result<SecretText> SpillFile::read(std::uint64_t place) const {
  const std::string head = TRY(state_->read_at(place, length_bytes + crypto::nonce_bytes));
  std::uint32_t length = 0;
  std::memcpy(&length, head.data(), length_bytes);
  const std::string sealed = TRY(state_->read_at(place + head.size(), length));
  return state_->cipher.decrypt(sealed, std::string_view(head).substr(length_bytes),
                                bound_to(place));
}

std::uint64_t SpillFile::bytes() const { return state_->written + state_->buffer.size(); }

}  // namespace understudy::store
