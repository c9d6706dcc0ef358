#include <utility>

#include "adapters/crypto/record_cipher.hpp"
#include "adapters/store/compression.hpp"
#include "adapters/store/output_file.hpp"
#include "adapters/store/sealed_file.hpp"
#include "adapters/store/sealed_format.hpp"
#include "base/check.hpp"
#include "base/limits.hpp"

namespace understudy::store {

namespace format = sealed_format;

namespace {

constexpr std::size_t write_bytes = 4 * limits::mebi;  // bounds the memory between two commits

}  // namespace

struct SealedWriter::State {
  OutputFile file;
  crypto::RecordCipher cipher;
  format::Position position;
  Compressor compressor;
  std::string pending;             // whole records that are not yet handed to the system
  std::uint64_t bytes = 0;         // all of the file, pending bytes included
  std::uint64_t bytes_synced = 0;  // known to be on the disk
  std::optional<Error> failure;    // the first one; nothing is written behind a half record

  Status append(std::string_view plain, std::uint8_t flags);
  Status write_pending();
  Status commit();
  std::unexpected<Error> give_up(Error error);
};

Status SealedWriter::State::append(std::string_view plain, std::uint8_t flags) {
  if (failure) return fail(*failure);
  if (plain.size() > limits::record_bytes_max) {
    return fail(ErrorCode::exhausted,
                "a record of " + std::to_string(plain.size()) + " bytes is over the limit of " +
                    std::to_string(limits::record_bytes_max) + " (limits::record_bytes_max)");
  }
  const SecretText frame = compressor.compress(plain);
  if (!frame.empty()) flags |= format::compressed;
  const std::string_view body = frame.empty() ? plain : std::string_view(frame.reveal());
  const format::RecordFields fields{
      .ciphertext_bytes = static_cast<std::uint32_t>(body.size() + crypto::cipher_tag_bytes),
      .flags = flags,
      .nonce = crypto::random_bytes(crypto::nonce_bytes)};
  std::string record = format::to_bytes(fields);
  const std::string bound_to = format::bound_to(position, record);
  record += cipher.authenticate(bound_to);
  record += cipher.encrypt(body, fields.nonce, bound_to);
  position.chain = crypto::hash(position.chain, record);
  ++position.index;
  bytes += record.size();
  pending += record;
  return pending.size() > write_bytes ? write_pending() : Status();
}

Status SealedWriter::State::write_pending() {
  if (Status written = file.write(pending); !written) return give_up(written.error());
  pending.clear();
  return {};
}

Status SealedWriter::State::commit() {
  if (failure) return fail(*failure);
  if (bytes == bytes_synced) return {};
  TRY(write_pending());
  if (Status synced = file.sync(); !synced) return give_up(synced.error());
  bytes_synced = bytes;
  return {};
}

std::unexpected<Error> SealedWriter::State::give_up(Error error) {
  file.truncate(bytes_synced);
  failure = error;
  return fail(std::move(error));
}

SealedWriter::SealedWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
SealedWriter::~SealedWriter() = default;
SealedWriter::SealedWriter(SealedWriter&&) noexcept = default;
SealedWriter& SealedWriter::operator=(SealedWriter&&) noexcept = default;

Result<SealedWriter> SealedWriter::create(const std::filesystem::path& path,
                                          std::span<const crypto::PublicKey> readers) {
  CHECK(!readers.empty() && readers.size() <= format::readers_max, "a file has 1 to 16 readers");
  const SecretText data_key(crypto::random_bytes(crypto::data_key_bytes));
  format::Header header{.file_id = crypto::random_bytes(format::file_id_bytes), .keys = {}};
  for (const crypto::PublicKey& reader : readers) {
    header.keys.push_back({.fingerprint = reader.raw_fingerprint(),
                           .sealed = crypto::seal(data_key.reveal(), reader)});
  }
  const std::string header_text = format::to_bytes(header);
  OutputFile file = TRY(OutputFile::create_with_header(path, header_text));
  return SealedWriter(std::unique_ptr<State>(
      new State{.file = std::move(file),
                .cipher = crypto::RecordCipher(data_key),
                .position = {.file_id = header.file_id, .chain = crypto::hash(header_text)},
                .compressor = {},
                .pending = {},
                .bytes = header_text.size(),
                .bytes_synced = header_text.size(),
                .failure = {}}));
}

Status SealedWriter::append(std::string_view plain) { return state_->append(plain, 0); }

Status SealedWriter::commit() { return state_->commit(); }

Status SealedWriter::close() {
  TRY(state_->append({}, format::end_of_file));
  return state_->commit();
}

std::uint64_t SealedWriter::bytes() const { return state_->bytes; }

std::uint64_t SealedWriter::records() const { return state_->position.index; }

}  // namespace understudy::store
