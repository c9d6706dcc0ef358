#include "adapters/store/segment_reader.hpp"

#include <algorithm>
#include <utility>

#include "adapters/crypto/record_cipher.hpp"
#include "adapters/crypto/tenant_keys.hpp"
#include "adapters/store/call_content.hpp"
#include "adapters/store/compression.hpp"
#include "adapters/store/input_file.hpp"
#include "base/limits.hpp"

namespace understudy::store {

namespace format = segment_format;

namespace {

struct HeaderText {
  format::Header header;
  std::string text;
};

Result<HeaderText> read_header(const InputFile& file) {
  const auto preamble_bytes =
      static_cast<std::size_t>(std::min<std::uint64_t>(file.size(), format::preamble_bytes));
  const std::string preamble = TRY(file.read(0, preamble_bytes));
  // A file gets its name when its header is on the disk, so a short one did not come from a crash.
  const std::size_t size = TRY(format::header_bytes_of(preamble));
  if (file.size() < size) return fail(ErrorCode::corrupt, "the header is cut short");
  std::string text = TRY(file.read(0, size));
  format::Header header = TRY(format::parse_header(text));
  return HeaderText{.header = std::move(header), .text = std::move(text)};
}

Result<SecretText> open_metadata_key(const format::Header& header, const SegmentKeys& keys) {
  std::string readers;
  for (const auto& sealed : header.keys) {
    for (const crypto::SecretKey& reader : keys.readers) {
      if (sealed.fingerprint != reader.public_key.raw_fingerprint()) continue;
      std::string key = TRY(crypto::open_sealed(sealed.sealed, reader));
      if (key.size() == crypto::data_key_bytes) return SecretText(std::move(key));
      return fail(ErrorCode::corrupt, "the sealed key has the wrong length");
    }
    readers += (readers.empty() ? "" : ", ") + crypto::hex(sealed.fingerprint);
  }
  const std::string here = keys.readers.empty()
                               ? "there is no key here"
                               : "the key of " + keys.readers.front().public_key.name +
                                     " here is " + keys.readers.front().public_key.fingerprint();
  return fail(ErrorCode::denied, "it is sealed to " + readers + ", and " + here,
              "use the home (or the backup of its keys/) that this file was written for");
}

}  // namespace

struct SegmentReader::State {
  // A tenant of this segment: with a cipher where its content can be read.
  struct Tenant {
    std::string name;
    ContentState state = ContentState::withheld;
    std::optional<crypto::SegmentCipher> cipher;
    ReadParts parts;
  };

  State(InputFile input, const SegmentKeys& given, HeaderText read, SecretText key)
      : file(std::move(input)),
        keys(given),
        header(std::move(read.header)),
        cipher(header.cipher, std::move(key)),
        position{.segment_id = header.segment_id, .index = 0, .chain = crypto::hash(read.text)},
        offset(read.text.size()) {}

  InputFile file;
  const SegmentKeys& keys;
  format::Header header;
  crypto::SegmentCipher cipher;
  format::Position position;
  std::uint64_t offset;
  Compressor compressor;
  std::vector<Tenant> tenants;
  std::vector<std::string> tenant_names;
  std::vector<std::string> warnings;
  std::string bound;
  Tail tail;
  bool at_end = false;
  std::optional<Error> failure;

  [[nodiscard]] std::uint64_t left() const { return file.size() - offset; }
  Result<std::optional<LogRecord>> next();
  Result<std::optional<LogRecord>> read_record();
  std::optional<LogRecord> stop_at_tail();
  [[nodiscard]] Error at_record(std::string_view what) const;
  void add_tenant(const TenantRecord& record);
  Result<SecretText> open_content(const Tenant& tenant, std::string_view ciphertext,
                                  const crypto::SegmentNonce& nonce, std::string_view bound_to);
  struct Sealed {
    std::string_view content;
    crypto::SegmentNonce nonce;
    std::string_view bound_to;
  };
  Result<LogRecord> complete(CallRecord record, const Sealed& sealed);
  Result<LogRecord> complete(FeedbackRecord record, const Sealed& sealed);
};

std::optional<LogRecord> SegmentReader::State::stop_at_tail() {
  tail.lost_bytes = left();
  at_end = true;
  return std::nullopt;
}

Error SegmentReader::State::at_record(std::string_view what) const {
  return {
      .code = ErrorCode::corrupt,
      .message = file.path().string() + ": record " + std::to_string(position.index) + " (byte " +
                 std::to_string(offset) + "): " + std::string(what),
      .hint = "the records before it are sound; restore the file from a backup to get the rest"};
}

void SegmentReader::State::add_tenant(const TenantRecord& record) {
  tenant_names.push_back(record.tenant);
  Tenant tenant{.name = record.tenant,
                .state = ContentState::withheld,
                .cipher = {},
                .parts = ReadParts(file.path().parent_path())};
  const bool may_open = keys.open_content && !keys.readers.empty() &&
                        keys.readers.front().public_key.name == to_string(crypto::Role::curator);
  Result<crypto::SecretKey> secret = fail(ErrorCode::denied, "content is not asked for");
  if (may_open) secret = crypto::open_tenant_key(keys.keys_dir, record.tenant, keys.readers);
  if (secret && secret->public_key.raw_fingerprint() == record.fingerprint) {
    if (auto key = crypto::open_sealed(record.sealed_key, *secret);
        key && key->size() == crypto::data_key_bytes) {
      tenant.cipher.emplace(header.cipher, SecretText(std::move(*key)));
      tenant.state = ContentState::whole;
    }
  } else if (secret || secret.error().code == ErrorCode::not_found) {
    tenant.state = ContentState::erased;  // the key is gone, or the tenant came back with another
  } else if (may_open) {
    warnings.push_back(secret.error().message);
  }
  tenants.push_back(std::move(tenant));
}

Result<SecretText> SegmentReader::State::open_content(const Tenant& tenant,
                                                      std::string_view ciphertext,
                                                      const crypto::SegmentNonce& nonce,
                                                      std::string_view bound_to) {
  SecretText packed = TRY(tenant.cipher->decrypt(ciphertext, nonce, bound_to));
  const std::string_view bytes = packed.reveal();
  if (bytes.empty()) return fail(ErrorCode::corrupt, "its content is empty");
  switch (static_cast<format::ContentForm>(bytes.front())) {
    case format::ContentForm::plain: return SecretText(std::string(bytes.substr(1)));
    case format::ContentForm::zstd: return compressor.decompress(bytes.substr(1));
  }
  return fail(ErrorCode::unsupported, "its content is packed in a way that is not known here");
}

Result<LogRecord> SegmentReader::State::complete(CallRecord record, const Sealed& sealed) {
  if (record.tenant >= tenants.size()) return fail(ErrorCode::corrupt, "it names no known tenant");
  Tenant& tenant = tenants[static_cast<std::size_t>(record.tenant)];
  record.call.origin.tenant = tenant.name;
  record.call.content = tenant.state;
  if (!tenant.cipher) return LogRecord(std::move(record.call));
  const SecretText plain = TRY(open_content(tenant, sealed.content, sealed.nonce, sealed.bound_to));
  Content content = TRY(parse_content(plain.reveal(), tenant.parts));
  record.call.request = std::move(content.request);
  record.call.response = std::move(content.response);
  return LogRecord(std::move(record.call));
}

Result<LogRecord> SegmentReader::State::complete(FeedbackRecord record, const Sealed& sealed) {
  if (record.tenant >= tenants.size()) return fail(ErrorCode::corrupt, "it names no known tenant");
  const Tenant& tenant = tenants[static_cast<std::size_t>(record.tenant)];
  record.feedback.tenant = tenant.name;
  if (tenant.cipher) {
    record.feedback.comment =
        TRY(open_content(tenant, sealed.content, sealed.nonce, sealed.bound_to));
  }
  return LogRecord(std::move(record.feedback));
}

Result<std::optional<LogRecord>> SegmentReader::State::read_record() {
  const std::size_t tag = crypto::tag_bytes(header.cipher);
  while (true) {
    if (left() < format::record_fields_bytes + tag) return stop_at_tail();
    const std::string front = TRY(file.read(offset, format::record_fields_bytes + tag));
    const format::RecordFields fields =
        format::parse_fields(std::string_view(front).substr(0, format::record_fields_bytes));
    format::bind(position, fields, bound);
    const auto nonce = [&](format::Part part) {
      return crypto::SegmentNonce{.index = position.index, .salt = fields.salt, .part = part};
    };
    const auto mac = std::string_view(front).substr(format::record_fields_bytes);
    if (!cipher.decrypt(mac, nonce(format::front), bound)) {
      if (TRY(file.only_zeros_from(offset))) return stop_at_tail();
      return fail(at_record("its front is damaged, or belongs to another place or file"));
    }
    if (fields.body_bytes > limits::record_bytes_max || fields.metadata_bytes > fields.body_bytes) {
      return fail(at_record("its lengths are impossible"));
    }
    if (left() - front.size() < fields.body_bytes) return stop_at_tail();
    const std::string body = TRY(file.read(offset + front.size(), fields.body_bytes));
    const auto sealed_metadata = std::string_view(body).substr(0, fields.metadata_bytes);
    const auto content = std::string_view(body).substr(fields.metadata_bytes);
    const std::size_t position_bytes = bound.size();
    bound += content;
    const auto plain = cipher.decrypt(sealed_metadata, nonce(format::metadata), bound);
    if (!plain) return fail(at_record("it is damaged"));
    auto metadata = parse_metadata(plain->reveal());
    if (!metadata) return fail(at_record(metadata.error().message));
    if (std::holds_alternative<EndRecord>(*metadata)) {
      if (left() != front.size() + body.size()) {
        return fail(at_record("there are bytes behind the end"));
      }
      tail.closed = true;
      at_end = true;
      return std::nullopt;
    }

    std::optional<LogRecord> found;
    const Sealed sealed{.content = content,
                        .nonce = nonce(format::content),
                        .bound_to = std::string_view(bound).substr(0, position_bytes)};
    Result<LogRecord> completed = AnchorRecord{};
    if (auto* call = std::get_if<CallRecord>(&*metadata)) {
      completed = complete(std::move(*call), sealed);
    } else if (auto* feedback = std::get_if<FeedbackRecord>(&*metadata)) {
      completed = complete(std::move(*feedback), sealed);
    } else if (auto* anchor = std::get_if<AnchorRecord>(&*metadata)) {
      completed = std::move(*anchor);
    }
    if (!completed) return fail(at_record(completed.error().message));
    offset += front.size() + body.size();
    position.chain =
        crypto::hash(position.chain, sealed_metadata.substr(sealed_metadata.size() - tag));
    ++position.index;
    if (const auto* tenant = std::get_if<TenantRecord>(&*metadata)) {
      add_tenant(*tenant);
      continue;
    }
    return std::move(*completed);
  }
}

Result<std::optional<LogRecord>> SegmentReader::State::next() {
  if (failure) return fail(*failure);
  if (at_end) return std::nullopt;
  auto record = read_record();
  if (!record) failure = record.error();
  return record;
}

SegmentReader::SegmentReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
SegmentReader::~SegmentReader() = default;
SegmentReader::SegmentReader(SegmentReader&&) noexcept = default;
SegmentReader& SegmentReader::operator=(SegmentReader&&) noexcept = default;

Result<SegmentReader> SegmentReader::open(const std::filesystem::path& path,
                                          const SegmentKeys& keys) {
  InputFile file = TRY(InputFile::open(path));
  const auto in_file = [&path](const Error& error) { return fail(error.within(path.string())); };
  auto read = read_header(file);
  if (!read) return in_file(read.error());
  auto key = open_metadata_key(read->header, keys);
  if (!key) return in_file(key.error());
  return SegmentReader(
      std::make_unique<State>(std::move(file), keys, std::move(*read), std::move(*key)));
}

Result<std::optional<LogRecord>> SegmentReader::next() { return state_->next(); }

Tail SegmentReader::tail() const { return state_->tail; }
const format::Header& SegmentReader::header() const { return state_->header; }
const std::vector<std::string>& SegmentReader::tenants() const { return state_->tenant_names; }
const std::vector<std::string>& SegmentReader::warnings() const { return state_->warnings; }

Result<format::Header> read_segment_header(const std::filesystem::path& path) {
  const InputFile file = TRY(InputFile::open(path));
  auto read = read_header(file);
  if (!read) return fail(read.error().within(path.string()));
  return std::move(read->header);
}

}  // namespace understudy::store
