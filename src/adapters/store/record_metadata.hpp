// What a segment's records say without their content, as tagged fields behind one byte for their
// kind. The auditor may read it: everything of a Call but its request and response. Private to
// adapters/store; pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "adapters/store/segment_format.hpp"
#include "base/result.hpp"
#include "records/call.hpp"
#include "records/feedback.hpp"

namespace understudy::store {

// Introduces a tenant: later records name it by its number, which counts from 0 in each segment.
struct TenantRecord {
  std::string tenant;       // pseudonym; empty: calls that named none
  std::string fingerprint;  // of the tenant's public key, raw bytes
  std::string sealed_key;   // the tenant's content key in this segment, sealed to that key
};

struct CallRecord {
  Call call;                    // without content and without tenant
  std::uint64_t tenant = 0;     // number
  std::uint64_t new_parts = 0;  // that its content adds to the tenant's; 0 also: not said
};

struct FeedbackRecord {
  Feedback feedback;  // without comment and without tenant
  std::uint64_t tenant = 0;
};

// Where the audit trail stood when the segment was begun: who changes the trail must change this
// too.
struct AnchorRecord {
  std::uint64_t lines = 0;
  std::string head;  // raw hash
};

struct EndRecord {};

using Metadata = std::variant<CallRecord, TenantRecord, FeedbackRecord, AnchorRecord, EndRecord>;

// Append to `out`. Calls and feedback: all but their tenant.
void put_metadata(const Call& call, std::string& out);
void put_metadata(const Feedback& feedback, std::string& out);
// Appends the tenant to the metadata of a call or of feedback.
void put_tenant(segment_format::RecordKind kind, std::uint64_t tenant, std::string& out);
// Appends to the metadata of a call: readers that open single calls find parts by it.
void put_new_parts(std::uint64_t count, std::string& out);
void put_metadata(const TenantRecord& tenant, std::string& out);
void put_metadata(const AnchorRecord& anchor, std::string& out);
void put_metadata(const EndRecord& end, std::string& out);

Result<Metadata> parse_metadata(std::string_view bytes);

}  // namespace understudy::store
