// What a SegmentReader holds while it reads: shared by its two ways through a file, one record
// after the other (segment_reader.cpp) and one call at a known place (segment_lookup.cpp). Private
// to both.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/crypto/segment_cipher.hpp"
#include "adapters/store/compression.hpp"
#include "adapters/store/input_file.hpp"
#include "adapters/store/read_parts.hpp"
#include "adapters/store/record_metadata.hpp"
#include "adapters/store/segment_format.hpp"
#include "adapters/store/segment_reader.hpp"

namespace understudy::store {

struct SegmentReader::State {
  // A tenant of this segment: with a cipher where its content can be read.
  struct Tenant {
    std::string name;
    ContentState state = ContentState::withheld;
    std::optional<crypto::SegmentCipher> cipher;
    ReadParts parts;
  };

  State(InputFile input, const SegmentKeys& given, segment_format::Header read,
        std::string_view head, SecretText key)
      : file(std::move(input)),
        keys(given),
        header(std::move(read)),
        cipher(header.cipher, std::move(key)),
        position{.segment_id = header.segment_id, .index = 0, .chain = crypto::hash(head)},
        offset(head.size()) {}

  InputFile file;
  const SegmentKeys& keys;
  segment_format::Header header;
  crypto::SegmentCipher cipher;
  segment_format::Position position;
  std::uint64_t offset;
  Compressor compressor;
  std::vector<Tenant> tenants;
  std::vector<std::string> tenant_names;
  std::vector<std::string> warnings;
  std::string bound;
  Tail tail;
  bool at_end = false;
  std::optional<Error> failure;
  SegmentIndex* index = nullptr;

  [[nodiscard]] std::uint64_t left() const { return file.size() - offset; }

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

  // One record after the other: segment_reader.cpp.
  Result<std::optional<LogRecord>> next();
  Result<std::optional<LogRecord>> read_record();
  Result<std::optional<Opened>> open_record();
  void go_on(const Opened& opened);
  std::nullopt_t stop_at_tail();
  [[nodiscard]] Error at_record(std::string_view what) const;
  void add_tenant(const TenantRecord& record);
  // `opened` is the record that open_record() gave last: its binding is still in `bound`.
  Result<SecretText> open_content(const Tenant& tenant, const Opened& opened);
  Result<LogRecord> complete(CallRecord record, const Opened& opened);
  Result<LogRecord> complete(FeedbackRecord record, const Opened& opened);

  // One call at a known place: segment_lookup.cpp.
  Status go_to(const SegmentIndex& known, std::uint64_t record);
  Result<Opened> open_at(const SegmentIndex& known, std::uint64_t record);
  Result<bool> lend_parts(const SegmentIndex& known, std::uint64_t tenant,
                          const std::vector<std::uint64_t>& named, ReadParts& parts);
  Result<std::optional<Call>> open_call(const SegmentIndex& known, std::uint64_t record);
};

}  // namespace understudy::store
