#include "adapters/store/segment_reader.hpp"

#include <algorithm>
#include <map>
#include <set>
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
  SegmentIndex* index = nullptr;

  // A record whose metadata is opened, and whose content is not yet.
  struct Opened {
    Metadata metadata;
    std::string_view body;  // two ciphertexts, in the file's window
    std::size_t metadata_bytes = 0;
    std::size_t front_bytes = 0;
    std::size_t place_bytes = 0;  // of `bound`: what the content is bound to
    crypto::SegmentNonce content_nonce;

    [[nodiscard]] std::string_view sealed_metadata() const {
      return body.substr(0, metadata_bytes);
    }
    [[nodiscard]] std::string_view content() const { return body.substr(metadata_bytes); }
  };
  Result<std::optional<LogRecord>> next();
  Result<std::optional<LogRecord>> read_record();
  Result<std::optional<Opened>> open_record();
  void go_on(const Opened& opened);
  Status go_to(const SegmentIndex& known, std::uint64_t record);
  Result<Opened> open_at(const SegmentIndex& known, std::uint64_t record);
  Result<bool> lend_parts(const SegmentIndex& known, std::uint64_t tenant,
                          const std::vector<std::uint64_t>& named, ReadParts& parts);
  Result<std::optional<Call>> open_call(const SegmentIndex& known, std::uint64_t record);
  std::nullopt_t stop_at_tail();
  [[nodiscard]] Error at_record(std::string_view what) const;
  void add_tenant(const TenantRecord& record);
  // `opened` is the record that open_record() gave last: its binding is still in `bound`.
  Result<SecretText> open_content(const Tenant& tenant, const Opened& opened);
  Result<LogRecord> complete(CallRecord record, const Opened& opened);
  Result<LogRecord> complete(FeedbackRecord record, const Opened& opened);
};

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

// From the mark before it. What the walk reads is not checked here: a byte that was changed gives
// another chain, behind which the record does not open.
Status SegmentReader::State::go_to(const SegmentIndex& known, std::uint64_t record) {
  const std::size_t tag = crypto::tag_bytes(header.cipher);
  const std::uint64_t at = record / SegmentIndex::records_per_mark;
  if (known.segment_id != header.segment_id || at >= known.marks.size()) {
    return fail(ErrorCode::conflict,
                file.path().string() + " is another file than the one that was indexed",
                "read the log anew");
  }
  const SegmentIndex::Mark& mark = known.marks[static_cast<std::size_t>(at)];
  offset = mark.offset;
  position.index = at * SegmentIndex::records_per_mark;
  position.chain = mark.chain;
  while (position.index < record) {
    if (left() < format::record_fields_bytes + tag) return fail(at_record("the file is cut here"));
    const auto fields = format::parse_fields(TRY(file.view(offset, format::record_fields_bytes)));
    const std::uint64_t body = offset + format::record_fields_bytes + tag;
    if (fields.metadata_bytes < tag || fields.metadata_bytes > fields.body_bytes ||
        fields.body_bytes > file.size() - body) {
      return fail(at_record("its lengths are impossible"));
    }
    position.chain =
        crypto::hash(position.chain, TRY(file.view(body + fields.metadata_bytes - tag, tag)));
    offset = body + fields.body_bytes;
    ++position.index;
  }
  return {};
}

Result<SegmentReader::State::Opened> SegmentReader::State::open_at(const SegmentIndex& known,
                                                                   std::uint64_t record) {
  TRY(go_to(known, record));
  auto opened = TRY(open_record());
  if (!opened || !std::holds_alternative<CallRecord>(opened->metadata)) {
    return fail(at_record("there is no call here any more"));
  }
  return std::move(*opened);
}

// Earlier parts that a call names, each from the call that brought it. False: the segment does not
// say which that is.
Result<bool> SegmentReader::State::lend_parts(const SegmentIndex& known, std::uint64_t tenant,
                                              const std::vector<std::uint64_t>& named,
                                              ReadParts& parts) {
  const auto& owner = known.tenants[static_cast<std::size_t>(tenant)];
  std::map<std::uint64_t, std::set<std::uint64_t>> wanted;  // record -> parts
  for (const std::uint64_t part : named) {
    const auto bringer = owner.bringer_of(part);
    if (!bringer) return false;
    wanted[*bringer].insert(part);
  }
  for (const auto& [record, numbers] : wanted) {
    const Opened opened = TRY(open_at(known, record));
    if (std::get<CallRecord>(opened.metadata).tenant != tenant) {
      return fail(at_record("it is another tenant's call than the one that was indexed"));
    }
    const SecretText plain = TRY(open_content(tenants[static_cast<std::size_t>(tenant)], opened));
    const auto brought = TRY(new_parts_in(plain.reveal()));
    const std::uint64_t first = owner.parts_before(record);
    for (const std::uint64_t part : numbers) {
      if (part - first >= brought.size()) return fail(at_record("it lacks a part of its own"));
      TRY(parts.lend(part, brought[static_cast<std::size_t>(part - first)]));
    }
  }
  return true;
}

Result<std::optional<Call>> SegmentReader::State::open_call(const SegmentIndex& known,
                                                            std::uint64_t record) {
  const Opened opened = TRY(open_at(known, record));
  const auto& found = std::get<CallRecord>(opened.metadata);
  if (found.tenant >= known.tenants.size()) return fail(at_record("it names no known tenant"));
  const auto number = static_cast<std::size_t>(found.tenant);
  tenants.resize(number);  // the others stay closed
  add_tenant(known.tenants[number].introduced);
  const Tenant& tenant = tenants.back();
  Call call = found.call;
  call.origin.tenant = tenant.name;
  call.content = tenant.state;
  if (!tenant.cipher) return call;
  const SecretText plain = TRY(open_content(tenant, opened));
  const std::uint64_t first = known.tenants[number].parts_before(record);
  if (TRY(new_parts_in(plain.reveal())).size() != found.new_parts) return std::nullopt;
  std::vector<std::uint64_t> named = TRY(parts_named_in(plain.reveal()));
  if (std::ranges::any_of(named, [&](auto part) { return part >= first + found.new_parts; }))
    return std::nullopt;
  std::erase_if(named, [first](std::uint64_t part) { return part >= first; });
  ReadParts parts(first);
  if (!TRY(lend_parts(known, found.tenant, named, parts))) return std::nullopt;
  Content content = TRY(parse_content(plain.reveal(), parts));
  call.request = std::move(content.request);
  call.response = std::move(content.response);
  return call;
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

void SegmentReader::index_into(SegmentIndex& index) { state_->index = &index; }
std::uint64_t SegmentReader::records() const { return state_->position.index; }

Result<std::optional<Call>> SegmentReader::open_call(const SegmentIndex& index,
                                                     std::uint64_t record) {
  return state_->open_call(index, record);
}

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
