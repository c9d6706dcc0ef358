#include "adapters/store/segment_reader.hpp"

#include <utility>

#include "adapters/crypto/record_cipher.hpp"
#include "adapters/crypto/tenant_keys.hpp"
#include "adapters/store/call_content.hpp"
#include "adapters/store/sealed_head.hpp"
#include "adapters/store/segment_reader_state.hpp"
#include "base/limits.hpp"

namespace understudy::store {

namespace format = segment_format;

std::nullopt_t SegmentReader::State::stop_at_tail() {
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

Result<SecretText> SegmentReader::State::open_content(const Tenant& tenant, const Opened& opened) {
  SecretText packed =
      TRY(tenant.cipher->decrypt(opened.content(), opened.content_nonce,
                                 std::string_view(bound).substr(0, opened.place_bytes)));
  const std::string_view bytes = packed.reveal();
  if (bytes.empty()) return fail(ErrorCode::corrupt, "its content is empty");
  switch (static_cast<format::ContentForm>(bytes.front())) {
    case format::ContentForm::plain: return SecretText(std::string(bytes.substr(1)));
    case format::ContentForm::zstd: return compressor.decompress(bytes.substr(1));
  }
  return fail(ErrorCode::unsupported, "its content is packed in a way that is not known here");
}

Result<LogRecord> SegmentReader::State::complete(CallRecord record, const Opened& opened) {
  if (record.tenant >= tenants.size()) return fail(ErrorCode::corrupt, "it names no known tenant");
  Tenant& tenant = tenants[static_cast<std::size_t>(record.tenant)];
  record.call.origin.tenant = tenant.name;
  record.call.content = tenant.state;
  if (!tenant.cipher) return LogRecord(std::move(record.call));
  const SecretText plain = TRY(open_content(tenant, opened));
  Content content = TRY(parse_content(plain.reveal(), tenant.parts));
  record.call.request = std::move(content.request);
  record.call.response = std::move(content.response);
  return LogRecord(std::move(record.call));
}

Result<LogRecord> SegmentReader::State::complete(FeedbackRecord record, const Opened& opened) {
  if (record.tenant >= tenants.size()) return fail(ErrorCode::corrupt, "it names no known tenant");
  const Tenant& tenant = tenants[static_cast<std::size_t>(record.tenant)];
  record.feedback.tenant = tenant.name;
  if (tenant.cipher) {
    record.feedback.comment = TRY(open_content(tenant, opened));
  }
  return LogRecord(std::move(record.feedback));
}

// What stands at `offset`, checked; nothing at the end mark, at the file's end or at a torn tail.
Result<std::optional<SegmentReader::State::Opened>> SegmentReader::State::open_record() {
  const std::size_t tag = crypto::tag_bytes(header.cipher);
  if (left() < format::record_fields_bytes + tag) return stop_at_tail();
  const std::string_view front = TRY(file.view(offset, format::record_fields_bytes + tag));
  const std::size_t front_bytes = front.size();
  const format::RecordFields fields =
      format::parse_fields(front.substr(0, format::record_fields_bytes));
  format::bind(position, fields, bound);
  const auto nonce = [&](format::Part part) {
    return crypto::SegmentNonce{.index = position.index, .salt = fields.salt, .part = part};
  };
  const auto mac = front.substr(format::record_fields_bytes);
  if (!cipher.decrypt(mac, nonce(format::front), bound)) {
    if (TRY(file.only_zeros_from(offset))) return stop_at_tail();
    return fail(at_record("its front is damaged, or belongs to another place or file"));
  }
  if (fields.body_bytes > limits::record_bytes_max || fields.metadata_bytes > fields.body_bytes) {
    return fail(at_record("its lengths are impossible"));
  }
  if (left() - front_bytes < fields.body_bytes) return stop_at_tail();
  Opened opened{.metadata = EndRecord(),
                .body = TRY(file.view(offset + front_bytes, fields.body_bytes)),
                .metadata_bytes = fields.metadata_bytes,
                .front_bytes = front_bytes,
                .place_bytes = bound.size(),
                .content_nonce = nonce(format::content)};
  bound += opened.content();
  const auto plain = cipher.decrypt(opened.sealed_metadata(), nonce(format::metadata), bound);
  if (!plain) return fail(at_record("it is damaged"));
  auto metadata = parse_metadata(plain->reveal());
  if (!metadata) return fail(at_record(metadata.error().message));
  opened.metadata = std::move(*metadata);
  if (!std::holds_alternative<EndRecord>(opened.metadata)) return opened;
  if (left() != opened.front_bytes + opened.body.size()) {
    return fail(at_record("there are bytes behind the end"));
  }
  tail.closed = true;
  at_end = true;
  return std::nullopt;
}

void SegmentReader::State::go_on(const Opened& opened) {
  const std::size_t tag = crypto::tag_bytes(header.cipher);
  const auto sealed = opened.sealed_metadata();
  offset += opened.front_bytes + opened.body.size();
  position.chain = crypto::hash(position.chain, sealed.substr(sealed.size() - tag));
  ++position.index;
}

Result<std::optional<LogRecord>> SegmentReader::State::read_record() {
  while (true) {
    std::optional<Opened> opened = TRY(open_record());
    if (!opened) return std::nullopt;
    if (index != nullptr) index->add(position, offset, opened->metadata);
    Result<LogRecord> completed = AnchorRecord{};
    if (auto* call = std::get_if<CallRecord>(&opened->metadata)) {
      completed = complete(std::move(*call), *opened);
    } else if (auto* feedback = std::get_if<FeedbackRecord>(&opened->metadata)) {
      completed = complete(std::move(*feedback), *opened);
    } else if (auto* anchor = std::get_if<AnchorRecord>(&opened->metadata)) {
      completed = std::move(*anchor);
    }
    if (!completed) return fail(at_record(completed.error().message));
    go_on(*opened);
    if (const auto* tenant = std::get_if<TenantRecord>(&opened->metadata)) {
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
  const auto head = read_head(file, format::preamble_bytes, format::header_bytes_of);
  if (!head) return in_file(head.error());
  auto header = format::parse_header(*head);
  if (!header) return in_file(header.error());
  auto key = open_data_key(header->keys, keys.readers);
  if (!key) return in_file(key.error());
  return SegmentReader(
      std::make_unique<State>(std::move(file), keys, std::move(*header), *head, std::move(*key)));
}

Result<std::optional<LogRecord>> SegmentReader::next() { return state_->next(); }

void SegmentReader::index_into(SegmentIndex& index) { state_->index = &index; }
std::uint64_t SegmentReader::records() const { return state_->position.index; }

Tail SegmentReader::tail() const { return state_->tail; }
const format::Header& SegmentReader::header() const { return state_->header; }
const std::vector<std::string>& SegmentReader::tenants() const { return state_->tenant_names; }
const std::vector<std::string>& SegmentReader::warnings() const { return state_->warnings; }

Result<format::Header> read_segment_header(const std::filesystem::path& path) {
  const InputFile file = TRY(InputFile::open(path));
  const auto head = read_head(file, format::preamble_bytes, format::header_bytes_of);
  auto header = head ? format::parse_header(*head) : fail(head.error());
  if (!header) return fail(header.error().within(path.string()));
  return header;
}

}  // namespace understudy::store
