#include <utility>

#include "adapters/crypto/record_cipher.hpp"
#include "adapters/store/compression.hpp"
#include "adapters/store/input_file.hpp"
#include "adapters/store/sealed_file.hpp"
#include "adapters/store/sealed_format.hpp"
#include "adapters/store/sealed_head.hpp"
#include "base/limits.hpp"

namespace understudy::store {

namespace format = sealed_format;

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

Result<std::optional<SecretText>> SealedReader::State::read_record() {
  if (left() < format::record_header_bytes) return stop_at_tail();
  std::string record = TRY(file.read(offset, format::record_header_bytes));
  const std::string fields_text = record.substr(0, format::record_fields_bytes);
  const std::string bound_to = format::bound_to(position, fields_text);
  if (cipher->authenticate(bound_to) != record.substr(format::record_fields_bytes)) {
    if (TRY(file.only_zeros_from(offset))) return stop_at_tail();
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
  const auto in_file = [&path](const Error& error) { return fail(error.within(path.string())); };
  const auto head = read_head(state->file, format::preamble_bytes, format::header_bytes_of);
  if (!head) return in_file(head.error());
  const auto header = format::parse_header(*head);
  if (!header) return in_file(header.error());
  Result<SecretText> data_key = open_data_key(header->keys, {&reader, 1});
  if (!data_key) return in_file(data_key.error());
  state->cipher.emplace(std::move(*data_key));
  state->position = {.file_id = header->file_id, .chain = crypto::hash(*head)};
  state->offset = head->size();
  return SealedReader(std::move(state));
}

Result<std::optional<SecretText>> SealedReader::next() { return state_->next(); }

Tail SealedReader::tail() const { return state_->tail; }

Result<std::vector<std::string>> read_sealed_fingerprints(const std::filesystem::path& path) {
  const InputFile file = TRY(InputFile::open(path));
  const auto head = read_head(file, format::preamble_bytes, format::header_bytes_of);
  const auto header = head ? format::parse_header(*head) : fail(head.error());
  if (!header) return fail(header.error().within(path.string()));
  std::vector<std::string> fingerprints;
  for (const auto& key : header->keys) fingerprints.push_back(crypto::hex(key.fingerprint));
  return fingerprints;
}

}  // namespace understudy::store
