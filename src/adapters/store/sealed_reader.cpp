#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "adapters/crypto/record_cipher.hpp"
#include "adapters/store/compression.hpp"
#include "adapters/store/output_file.hpp"
#include "adapters/store/sealed_file.hpp"
#include "adapters/store/sealed_format.hpp"
#include "base/limits.hpp"

namespace understudy::store {

namespace format = sealed_format;

namespace {

// A file's bytes up to the size that it had when it was opened: a segment may grow meanwhile.
class InputFile {
 public:
  static Result<InputFile> open(const std::filesystem::path& path) {
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
  ~InputFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  InputFile(InputFile&& other) noexcept
      : path_(std::move(other.path_)),
        descriptor_(std::exchange(other.descriptor_, -1)),
        size_(other.size_) {}
  InputFile& operator=(InputFile&&) = delete;

  // Exactly `count` bytes; the caller has compared with size().
  [[nodiscard]] Result<std::string> read(std::uint64_t offset, std::size_t count) const {
    std::string bytes(count, '\0');
    std::size_t done = 0;
    while (done < count) {
      const ssize_t got = ::pread(descriptor_, bytes.data() + done, count - done,
                                  static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail_errno("cannot read", path_);
      if (got == 0) {
        return fail(ErrorCode::unavailable, path_.string() + " became shorter while it was read");
      }
      done += static_cast<std::size_t>(got);
    }
    return bytes;
  }
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  InputFile(std::filesystem::path path, int descriptor)
      : path_(std::move(path)), descriptor_(descriptor) {}

  std::filesystem::path path_;
  int descriptor_;
  std::uint64_t size_ = 0;
};

std::string hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const char byte : bytes) {
    out += digits[static_cast<unsigned char>(byte) >> 4];
    out += digits[static_cast<unsigned char>(byte) & 15];
  }
  return out;
}

Result<SecretText> open_data_key(const format::Header& header, const crypto::SecretKey& reader) {
  std::string readers;
  for (const format::SealedKey& key : header.keys) {
    if (hex(key.fingerprint) == reader.public_key.fingerprint()) {
      std::string data_key = TRY(crypto::open_sealed(key.sealed, reader));
      if (data_key.size() == crypto::data_key_bytes) return SecretText(std::move(data_key));
      return fail(ErrorCode::corrupt, "the sealed data key has the wrong length");
    }
    readers += (readers.empty() ? "" : ", ") + hex(key.fingerprint);
  }
  return fail(ErrorCode::denied,
              "it is sealed to " + readers + ", and the key of " + reader.public_key.name +
                  " here is " + reader.public_key.fingerprint(),
              "use the home (or the backup of its keys/) that this file was written for");
}

}  // namespace

struct SealedReader::State {
  InputFile file;
  std::optional<crypto::RecordCipher> cipher;
  format::Position position;
  Compressor compressor;
  std::uint64_t offset = 0;
  Tail tail;
  bool at_end = false;
  std::optional<Error> failure;

  [[nodiscard]] std::uint64_t left() const { return file.size() - offset; }
  Result<std::optional<SecretText>> next();
  Result<std::optional<SecretText>> read_record();
  Result<bool> only_zeros_left() const;
  std::optional<SecretText> stop_at_tail();
  Error at_record(std::string_view what) const;
};

std::optional<SecretText> SealedReader::State::stop_at_tail() {
  tail.lost_bytes = left();
  at_end = true;
  return std::nullopt;
}

Error SealedReader::State::at_record(std::string_view what) const {
  return {
      .code = ErrorCode::corrupt,
      .message = file.path().string() + ": record " + std::to_string(position.index) + " (byte " +
                 std::to_string(offset) + "): " + std::string(what),
      .hint = "the records before it are sound; restore the file from a backup to get the rest"};
}

// After a power cut a file system may leave zeros where data was to come.
Result<bool> SealedReader::State::only_zeros_left() const {
  constexpr std::uint64_t chunk_bytes = 64 * limits::kibi;
  for (std::uint64_t at = offset; at < file.size(); at += chunk_bytes) {
    const std::uint64_t count = std::min(chunk_bytes, file.size() - at);
    const std::string chunk = TRY(file.read(at, static_cast<std::size_t>(count)));
    if (chunk.find_first_not_of('\0') != std::string::npos) return false;
  }
  return true;
}

Result<std::optional<SecretText>> SealedReader::State::read_record() {
  if (left() < format::record_header_bytes) return stop_at_tail();
  std::string record = TRY(file.read(offset, format::record_header_bytes));
  const std::string fields_text = record.substr(0, format::record_fields_bytes);
  const std::string bound_to = format::bound_to(position, fields_text);
  if (cipher->authenticate(bound_to) != record.substr(format::record_fields_bytes)) {
    if (TRY(only_zeros_left())) return stop_at_tail();
    return fail(at_record("its header is damaged, or belongs to another place or file"));
  }
  const format::RecordFields fields = format::parse_fields(fields_text);
  if (fields.ciphertext_bytes > limits::record_bytes_max + crypto::cipher_tag_bytes) {
    return fail(at_record("it is longer than limits::record_bytes_max"));
  }
  if (left() - format::record_header_bytes < fields.ciphertext_bytes) return stop_at_tail();
  record += TRY(file.read(offset + format::record_header_bytes, fields.ciphertext_bytes));
  auto plain = cipher->decrypt(std::string_view(record).substr(format::record_header_bytes),
                               fields.nonce, bound_to);
  if (!plain) return fail(at_record("its content is damaged"));
  if ((fields.flags & format::compressed) != 0) {
    plain = compressor.decompress(plain->reveal());
    if (!plain) return fail(at_record(plain.error().message));
  }
  if ((fields.flags & format::end_of_file) != 0) {
    if (left() != record.size()) return fail(at_record("there are bytes behind the end"));
    tail.closed = true;
    at_end = true;
    return std::nullopt;
  }
  offset += record.size();
  position.chain = crypto::hash(position.chain, record);
  ++position.index;
  return std::move(*plain);
}

Result<std::optional<SecretText>> SealedReader::State::next() {
  if (failure) return fail(*failure);
  if (at_end) return std::nullopt;
  auto record = read_record();
  if (!record) failure = record.error();
  return record;
}

SealedReader::SealedReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
SealedReader::~SealedReader() = default;
SealedReader::SealedReader(SealedReader&&) noexcept = default;
SealedReader& SealedReader::operator=(SealedReader&&) noexcept = default;

Result<SealedReader> SealedReader::open(const std::filesystem::path& path,
                                        const crypto::SecretKey& reader) {
  InputFile file = TRY(InputFile::open(path));
  auto state = std::unique_ptr<State>(new State{.file = std::move(file),
                                                .cipher = {},
                                                .position = {},
                                                .compressor = {},
                                                .offset = 0,
                                                .tail = {},
                                                .at_end = false,
                                                .failure = {}});
  const std::uint64_t size = state->file.size();
  const auto in_file = [&path](const Error& error) { return fail(error.within(path.string())); };

  const std::size_t preamble_bytes =
      static_cast<std::size_t>(std::min<std::uint64_t>(size, format::preamble_bytes));
  const std::string preamble = TRY(state->file.read(0, preamble_bytes));
  if (!std::string_view(preamble).starts_with(format::magic.substr(0, preamble.size()))) {
    return fail(ErrorCode::corrupt, path.string() + ": not a sealed file");
  }
  // A file gets its name when its header is on the disk, so a short one did not come from a crash.
  const Error cut{.code = ErrorCode::corrupt, .message = "the header is cut short", .hint = {}};
  if (preamble.size() < format::preamble_bytes) return in_file(cut);
  const Result<std::size_t> header_bytes = format::header_bytes_of(preamble);
  if (!header_bytes) return in_file(header_bytes.error());
  if (size < *header_bytes) return in_file(cut);
  const std::string header_text = TRY(state->file.read(0, *header_bytes));
  const Result<format::Header> header = format::parse_header(header_text);
  if (!header) return in_file(header.error());
  Result<SecretText> data_key = open_data_key(*header, reader);
  if (!data_key) return in_file(data_key.error());
  state->cipher.emplace(std::move(*data_key));
  state->position = {.file_id = header->file_id, .chain = crypto::hash(header_text)};
  state->offset = header_text.size();
  return SealedReader(std::move(state));
}

Result<std::optional<SecretText>> SealedReader::next() { return state_->next(); }

Tail SealedReader::tail() const { return state_->tail; }

}  // namespace understudy::store
