#include "adapters/store/segment_writer.hpp"

#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "adapters/crypto/record_cipher.hpp"
#include "adapters/crypto/tenant_keys.hpp"
#include "adapters/store/call_content.hpp"
#include "adapters/store/compression.hpp"
#include "adapters/store/output_file.hpp"
#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/limits.hpp"

namespace understudy::store {

namespace format = segment_format;

namespace {

constexpr std::size_t scratch_bytes_kept = 4 * limits::log_write_bytes;
constexpr int compression_level = 1;  // about 150 MB/s, half the size; faster levels gain little
constexpr std::size_t compressed_bytes_min = 128;  // below, zstd's own bytes eat the gain

// A file has one reader key for each role that may see its metadata. An auditor is optional.
Result<std::vector<crypto::PublicKey>> metadata_readers(const Home& home) {
  std::vector<crypto::PublicKey> readers;
  readers.push_back(TRY(crypto::load_public_key(home.keys(), crypto::Role::curator)));
  auto auditor = crypto::load_public_key(home.keys(), crypto::Role::auditor);
  if (auditor) {
    readers.push_back(std::move(*auditor));
  } else if (auditor.error().code != ErrorCode::not_found) {
    return fail(auditor.error());
  }
  return readers;
}

std::string_view suffix_of(format::SegmentKind kind) {
  return kind == format::SegmentKind::feedback ? ".feedback.sealed" : ".sealed";
}

}  // namespace

struct SegmentWriter::State {
  struct Tenant {
    std::uint64_t number = 0;
    std::string fingerprint;  // of its public key
    crypto::SegmentCipher cipher;
    WrittenParts parts;
  };
  // Where a record that is not yet known to be on the disk ends, and how many calls are before it.
  struct RecordEnd {
    std::uint64_t bytes = 0;
    std::uint64_t calls = 0;
  };

  State(OutputFile output, std::filesystem::path keys, crypto::SegmentCipher metadata_cipher,
        format::Position start, std::uint64_t header_bytes)
      : file(std::move(output)),
        keys_dir(std::move(keys)),
        cipher(std::move(metadata_cipher)),
        position(std::move(start)),
        bytes(header_bytes),
        bytes_synced(header_bytes) {}

  OutputFile file;
  std::filesystem::path keys_dir;
  crypto::SegmentCipher cipher;  // of metadata
  format::Position position;
  Compressor compressor;
  std::int64_t compression_budget_us = std::numeric_limits<std::int64_t>::max();
  std::uint64_t salt = crypto::random_salt();
  std::map<std::string, Tenant, std::less<>> tenants;
  std::uint64_t tenant_count = 0;
  PartTable part_table;
  std::size_t part_bytes = 0;

  std::string pending;         // whole records that are not yet handed to the system
  std::deque<RecordEnd> ends;  // of records that are not yet on the disk
  std::uint64_t bytes;
  std::uint64_t bytes_synced;
  std::uint64_t appended = 0;
  std::uint64_t committed = 0;
  std::optional<Error> failure;

  // Reused from record to record; wiped with each write.
  std::string metadata;
  std::string plain;
  std::string packed;
  std::string place;  // of the record in the segment, as its tags are bound to it
  std::string bound;  // that, and the content's ciphertext

  Result<Tenant*> tenant_of(std::string_view pseudonym);
  bool compress();
  std::string_view pack();
  Status seal_record(const Tenant* tenant, std::string_view content);
  void seal_plain_metadata();
  Status write();
  Status commit();
  std::unexpected<Error> give_up(Error error);
  void wipe_scratch();
};

// The tenant's keys in this segment; introduced by a record of its own.
Result<SegmentWriter::State::Tenant*> SegmentWriter::State::tenant_of(std::string_view pseudonym) {
  if (const auto known = tenants.find(pseudonym); known != tenants.end()) return &known->second;
  const std::string name(pseudonym);
  const crypto::PublicKey key = TRY(crypto::tenant_public_key(keys_dir, name));
  const SecretText content_key(crypto::random_bytes(crypto::data_key_bytes));
  metadata.clear();
  put_metadata(TenantRecord{.tenant = name,
                            .fingerprint = key.raw_fingerprint(),
                            .sealed_key = crypto::seal(content_key.reveal(), key)},
               metadata);
  seal_plain_metadata();
  auto added =
      tenants.emplace(name, Tenant{.number = tenant_count++,
                                   .fingerprint = key.raw_fingerprint(),
                                   .cipher = crypto::SegmentCipher(cipher.kind(), content_key),
                                   .parts = {}});
  return &added.first->second;
}

// Appends to `packed` and pays from the budget; false where there is none left, or no gain.
bool SegmentWriter::State::compress() {
  const std::string_view content = std::string_view(plain).substr(1);
  if (content.size() < compressed_bytes_min || compression_budget_us <= 0) return false;
  const Stopwatch watch;
  const bool shorter = compressor.compress(content, compression_level, packed);
  compression_budget_us -= watch.elapsed_us();
  return shorter;
}

// `plain`, whose first byte is free for it, behind one byte for its form: as a zstd frame or as it
// is.
std::string_view SegmentWriter::State::pack() {
  packed.assign(1, static_cast<char>(format::ContentForm::zstd));
  if (compress()) return packed;
  plain.front() = static_cast<char>(format::ContentForm::plain);
  return plain;
}

void SegmentWriter::State::seal_plain_metadata() {
  CHECK(seal_record(nullptr, {}).has_value(), "a record without content is never too large");
}

// `metadata` and content into a record behind the ones that are pending.
Status SegmentWriter::State::seal_record(const Tenant* tenant, std::string_view content) {
  const std::size_t tag = crypto::tag_bytes(cipher.kind());
  const std::size_t content_bytes = tenant != nullptr ? content.size() + tag : 0;
  const std::size_t body_bytes = metadata.size() + tag + content_bytes;
  if (body_bytes > limits::record_bytes_max) {
    return fail(ErrorCode::exhausted,
                "a record of " + std::to_string(body_bytes) + " bytes is over the limit of " +
                    std::to_string(limits::record_bytes_max) + " (limits::record_bytes_max)");
  }
  const format::RecordFields fields{
      .body_bytes = static_cast<std::uint32_t>(body_bytes),
      .metadata_bytes = static_cast<std::uint32_t>(metadata.size() + tag),
      .salt = salt};
  const auto nonce = [&](format::Part part) {
    return crypto::SegmentNonce{.index = position.index, .salt = salt, .part = part};
  };
  const std::size_t before = pending.size();
  format::bind(position, fields, place);
  format::put(fields, pending);
  cipher.encrypt({}, nonce(format::front), place, pending);
  // The metadata's tag covers the content too, so that whoever may read the metadata alone sees
  // every changed byte.
  bound.assign(place);
  if (tenant != nullptr) tenant->cipher.encrypt(content, nonce(format::content), place, bound);
  cipher.encrypt(metadata, nonce(format::metadata), bound, pending);
  position.chain =
      crypto::hash(position.chain, std::string_view(pending).substr(pending.size() - tag));
  pending.append(bound, place.size());
  ++position.index;
  bytes += pending.size() - before;
  return {};
}

Status SegmentWriter::State::write() {
  if (failure) return fail(*failure);
  if (const Status written = file.write(pending); !written) return give_up(written.error());
  pending.clear();
  bound.clear();
  wipe_scratch();
  return {};
}

Status SegmentWriter::State::commit() {
  if (failure) return fail(*failure);
  if (bytes == bytes_synced) return {};
  TRY(write());
  if (const Status synced = file.sync(); !synced) return give_up(synced.error());
  // A log that grew through the page cache would push out what is read there, such as a model's
  // weights; and memory that a virtual machine has not touched yet costs eight times the write.
  file.drop_cached();
  bytes_synced = bytes;
  committed = appended;
  ends.clear();
  return {};
}

// The disk is full or broken. Whole records that it took are kept, where it can still sync them.
std::unexpected<Error> SegmentWriter::State::give_up(Error error) {
  failure = error;
  wipe_scratch();
  RecordEnd kept{.bytes = bytes_synced, .calls = committed};
  const bool was_writing = !pending.empty();
  for (const RecordEnd& end : ends) {
    if (was_writing && end.bytes <= file.written_bytes()) kept = end;
  }
  file.truncate(kept.bytes);
  if (kept.bytes > bytes_synced && !file.sync()) {
    file.truncate(bytes_synced);
    return fail(std::move(error));
  }
  bytes_synced = kept.bytes;
  committed = kept.calls;
  return fail(std::move(error));
}

void SegmentWriter::State::wipe_scratch() {
  for (std::string* text : {&metadata, &plain, &packed}) wipe(*text);
  // A single large call must not hold its memory for ever. Assigning an empty string would: it
  // keeps the buffer.
  for (std::string* text : {&pending, &plain, &packed, &bound}) {
    if (text->empty() && text->capacity() > scratch_bytes_kept) std::string().swap(*text);
  }
}

SegmentWriter::SegmentWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
SegmentWriter::~SegmentWriter() = default;
SegmentWriter::SegmentWriter(SegmentWriter&&) noexcept = default;
SegmentWriter& SegmentWriter::operator=(SegmentWriter&&) noexcept = default;

Result<SegmentWriter> SegmentWriter::create(const Home& home, format::SegmentKind kind) {
  const auto readers = TRY(metadata_readers(home));
  const SecretText key(crypto::random_bytes(crypto::data_key_bytes));
  format::Header header{.segment_id = crypto::random_bytes(format::segment_id_bytes),
                        .cipher = crypto::preferred_cipher(),
                        .kind = kind,
                        .made_at = now(),
                        .keys = {}};
  for (const crypto::PublicKey& reader : readers) {
    header.keys.push_back(
        {.fingerprint = reader.raw_fingerprint(), .sealed = crypto::seal(key.reveal(), reader)});
  }
  const std::string text = format::to_bytes(header);
  const auto path = home.log() / (make_uuid7() + std::string(suffix_of(kind)));
  OutputFile file = TRY(OutputFile::create_with_header(path, text));
  return SegmentWriter(std::make_unique<State>(
      std::move(file), home.keys(), crypto::SegmentCipher(header.cipher, key),
      format::Position{.segment_id = header.segment_id, .index = 0, .chain = crypto::hash(text)},
      text.size()));
}

Status SegmentWriter::append(const RecordView& record) {
  State& state = *state_;
  if (record.content_bytes() > limits::record_bytes_max) {
    return fail(ErrorCode::exhausted, "a record with " + std::to_string(record.content_bytes()) +
                                          " bytes of content is over the log's limit of " +
                                          std::to_string(limits::record_bytes_max) +
                                          " (limits::record_bytes_max)");
  }
  State::Tenant* tenant = TRY(state.tenant_of(record.tenant));
  state.metadata.assign(record.metadata);
  put_tenant(record.kind, tenant->number, state.metadata);
  state.plain.assign(1, '\0');
  std::size_t new_part_bytes = 0;
  if (record.kind == format::RecordKind::call) {
    const std::uint32_t parts_before = tenant->parts.count;
    new_part_bytes = put_content(record, tenant->parts, state.part_table, state.plain);
    put_new_parts(tenant->parts.count - parts_before, state.metadata);
  } else {
    state.plain += record.response;
  }
  const Status sealed = state.seal_record(tenant, state.pack());
  if (!sealed) {
    // Its parts are in the table and not in the file: nobody may refer to them.
    state.tenants.erase(state.tenants.find(record.tenant));
    return sealed;
  }
  state.part_bytes += new_part_bytes;
  state.ends.push_back({.bytes = state.bytes, .calls = ++state.appended});
  return {};
}

void SegmentWriter::append(const AnchorRecord& anchor) {
  state_->metadata.clear();
  put_metadata(anchor, state_->metadata);
  state_->seal_plain_metadata();
}

void SegmentWriter::begin_group() { state_->salt = crypto::random_salt(); }

Status SegmentWriter::write() { return state_->write(); }

Status SegmentWriter::commit() { return state_->commit(); }

Status SegmentWriter::close() {
  if (state_->failure) return fail(*state_->failure);
  state_->metadata.clear();
  put_metadata(EndRecord(), state_->metadata);
  state_->seal_plain_metadata();
  return state_->commit();
}

void SegmentWriter::discard() {
  if (state_->committed == 0) state_->file.remove();
}

void SegmentWriter::set_compression_budget(std::int64_t us) { state_->compression_budget_us = us; }

std::int64_t SegmentWriter::compression_budget_us() const { return state_->compression_budget_us; }

void SegmentWriter::forget_changed_tenants() {
  std::erase_if(state_->tenants, [this](const auto& entry) {
    const auto key = crypto::find_tenant_public_key(state_->keys_dir, entry.first);
    return !key || key->raw_fingerprint() != entry.second.fingerprint;
  });
}

const std::filesystem::path& SegmentWriter::path() const { return state_->file.path(); }
std::uint64_t SegmentWriter::bytes() const { return state_->bytes; }
std::uint64_t SegmentWriter::buffered_bytes() const { return state_->pending.size(); }
std::uint64_t SegmentWriter::appended() const { return state_->appended; }
std::uint64_t SegmentWriter::committed() const { return state_->committed; }

bool SegmentWriter::knows(std::string_view tenant) const {
  return state_->tenants.contains(tenant);
}

bool SegmentWriter::is_full() const {
  return state_->part_bytes >= limits::segment_part_bytes_max ||
         state_->tenant_count >= limits::segment_tenants_max;
}

}  // namespace understudy::store
