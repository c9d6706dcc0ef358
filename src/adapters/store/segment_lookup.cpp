// One call at a place that an earlier reader of the same file has indexed.
#include <algorithm>
#include <map>
#include <set>

#include "adapters/crypto/record_cipher.hpp"
#include "adapters/store/call_content.hpp"
#include "adapters/store/segment_reader_state.hpp"

namespace understudy::store {

namespace format = segment_format;

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

Result<std::optional<Call>> SegmentReader::open_call(const SegmentIndex& index,
                                                     std::uint64_t record) {
  return state_->open_call(index, record);
}

}  // namespace understudy::store
