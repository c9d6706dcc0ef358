#include "adapters/store/record_metadata.hpp"

#include "adapters/store/field_codec.hpp"
#include "adapters/store/segment_format.hpp"

namespace understudy::store {

namespace {

using segment_format::RecordKind;

// Numbers are for ever: a field that goes leaves its number unused.
enum CallTag : unsigned {
  id = 1,
  parent = 2,
  session = 3,
  step = 4,
  source = 5,
  started_at = 6,
  to_first_byte_us = 7,
  to_end_us = 8,
  api = 9,
  upstream = 10,
  requested_model = 11,
  served_model = 12,
  server = 13,
  task = 14,
  artifact = 15,
  reason = 16,
  confidence = 17,
  tenant_number = 18,
  user = 19,
  key = 20,
  address = 21,
  human_facing = 22,
  training_forbidden = 23,
  finish_reason = 24,
  prompt_tokens = 25,
  completion_tokens = 26,
  cached_prompt_tokens = 27,
  usage_estimated = 28,
  status = 29,
  http_status = 30,
  error = 31,
  retries = 32,
  reward = 33,
  cost_usd = 34,
  tool_result = 35,
  request_bytes = 36,
  response_bytes = 37,
  new_parts = 38,
};
enum FeedbackTag : unsigned {
  of_call = 1,
  of_session = 2,
  name = 3,
  score = 4,
  at = 5,
  of_tenant = 6
};
enum TenantTag : unsigned { tenant_name = 1, fingerprint = 2, sealed_key = 3 };
enum AnchorTag : unsigned { lines = 1, head = 2 };
enum ToolResultTag : unsigned { tool_call_id = 1, tool = 2, item = 3 };

// Both wrap around instead of overflowing: what is stored may be anything.
UnixMicros later(UnixMicros time, std::int64_t us) {
  return {static_cast<std::int64_t>(static_cast<std::uint64_t>(time.value) +
                                    static_cast<std::uint64_t>(us))};
}
std::int64_t us_between(UnixMicros first, UnixMicros last) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(last.value) -
                                   static_cast<std::uint64_t>(first.value));
}

void begin(RecordKind kind, std::string& out) { out += static_cast<char>(kind); }

void put_if(FieldWriter& fields, unsigned tag, std::int64_t value, std::int64_t usual = 0) {
  if (value != usual) fields.integer(tag, value);
}

std::string to_bytes(const ToolResult& result) {
  std::string bytes;
  FieldWriter fields(bytes);
  fields.text(tool_call_id, result.tool_call_id);
  fields.text(tool, result.tool);
  put_if(fields, item, result.item);
  return bytes;
}

Result<ToolResult> parse_tool_result(std::string_view bytes) {
  ToolResult result;
  FieldReader fields(bytes);
  while (const auto field = TRY(fields.next())) {
    switch (field->tag) {
      case tool_call_id: result.tool_call_id = field->text(); break;
      case tool: result.tool = field->text(); break;
      case item: result.item = static_cast<std::int32_t>(field->integer); break;
      default: break;
    }
  }
  return result;
}

Status read_field(const Field& field, CallRecord& record) {
  Call& call = record.call;
  const auto number = static_cast<std::int32_t>(field.integer);
  switch (field.tag) {
    case id: call.id.value = field.text(); break;
    case parent: call.parent.value = field.text(); break;
    case session: call.session.value = field.text(); break;
    case step: call.step = number; break;
    case source: call.source = field.text(); break;
    case started_at: call.started_at.value = field.integer; break;
    // Both come behind started_at, and count from it.
    case to_first_byte_us: call.first_byte_at = later(call.started_at, field.integer); break;
    case to_end_us: call.ended_at = later(call.started_at, field.integer); break;
    case api:  // what is not written is the usual one, so that nothing stands for nothing
      if (std::string text = field.text(); !text.empty()) call.api = std::move(text);
      break;
    case upstream: call.upstream = field.text(); break;
    case requested_model: call.requested_model = field.text(); break;
    case served_model: call.served_model = field.text(); break;
    case server: call.route.server = field.integer == 1 ? Server::slm : Server::llm; break;
    case task: call.route.task = field.text(); break;
    case artifact: call.route.artifact = field.text(); break;
    case reason: call.route.reason = field.text(); break;
    case confidence: call.route.confidence = field.number; break;
    case tenant_number: record.tenant = static_cast<std::uint64_t>(field.integer); break;
    case new_parts: record.new_parts = static_cast<std::uint64_t>(field.integer); break;
    case user: call.origin.user = field.text(); break;
    case key: call.origin.key = field.text(); break;
    case address: call.origin.address = field.text(); break;
    case human_facing: call.human_facing = field.integer != 0; break;
    case training_forbidden: call.training_allowed = field.integer == 0; break;
    case finish_reason: call.finish_reason = field.text(); break;
    case prompt_tokens: call.usage.prompt_tokens = field.integer; break;
    case completion_tokens: call.usage.completion_tokens = field.integer; break;
    case cached_prompt_tokens: call.usage.cached_prompt_tokens = field.integer; break;
    case usage_estimated: call.usage.estimated = field.integer != 0; break;
    case status:
      if (number < 0 || number > static_cast<std::int32_t>(CallStatus::failed)) {
        return fail(ErrorCode::corrupt, "it names a status that does not exist");
      }
      call.status = static_cast<CallStatus>(number);
      break;
    case http_status: call.http_status = number; break;
    case error: call.error = field.text(); break;
    case retries: call.retries = number; break;
    case reward: call.reward = field.number; break;
    case cost_usd: call.cost_usd = field.number; break;
    case tool_result: call.tool_results.push_back(TRY(parse_tool_result(field.bytes))); break;
    case request_bytes:
      call.content_bytes.request = static_cast<std::uint64_t>(field.integer);
      break;
    case response_bytes:
      call.content_bytes.response = static_cast<std::uint64_t>(field.integer);
      break;
    default: break;
  }
  return {};
}

Status read_field(const Field& field, FeedbackRecord& record) {
  switch (field.tag) {
    case of_call: record.feedback.call.value = field.text(); break;
    case of_session: record.feedback.session.value = field.text(); break;
    case name: record.feedback.name = field.text(); break;
    case score: record.feedback.reward = field.number; break;
    case at: record.feedback.at.value = field.integer; break;
    case of_tenant: record.tenant = static_cast<std::uint64_t>(field.integer); break;
    default: break;
  }
  return {};
}

Status read_field(const Field& field, TenantRecord& record) {
  switch (field.tag) {
    case tenant_name: record.tenant = field.text(); break;
    case fingerprint: record.fingerprint = field.bytes; break;
    case sealed_key: record.sealed_key = field.bytes; break;
    default: break;
  }
  return {};
}

Status read_field(const Field& field, AnchorRecord& record) {
  switch (field.tag) {
    case lines: record.lines = static_cast<std::uint64_t>(field.integer); break;
    case head: record.head = field.bytes; break;
    default: break;
  }
  return {};
}

template <class Record>
Result<Metadata> read_fields(std::string_view bytes) {
  Record record;
  FieldReader fields(bytes);
  while (const auto field = TRY(fields.next())) TRY(read_field(*field, record));
  return Metadata(std::move(record));
}

}  // namespace

void put_metadata(const Call& call, std::string& out) {
  begin(RecordKind::call, out);
  FieldWriter fields(out);
  fields.text(id, call.id.value);
  fields.text(parent, call.parent.value);
  fields.text(session, call.session.value);
  put_if(fields, step, call.step);
  fields.text(source, call.source);
  put_if(fields, started_at, call.started_at.value);
  if (call.first_byte_at.known()) {
    fields.integer(to_first_byte_us, us_between(call.started_at, call.first_byte_at));
  }
  if (call.ended_at.known()) {
    fields.integer(to_end_us, us_between(call.started_at, call.ended_at));
  }
  fields.text(api, call.api);
  fields.text(upstream, call.upstream);
  fields.text(requested_model, call.requested_model);
  fields.text(served_model, call.served_model);
  if (call.route.server == Server::slm) fields.integer(server, 1);
  fields.text(task, call.route.task);
  fields.text(artifact, call.route.artifact);
  fields.text(reason, call.route.reason);
  if (call.route.confidence != -1) fields.number(confidence, call.route.confidence);
  fields.text(user, call.origin.user);
  fields.text(key, call.origin.key);
  fields.text(address, call.origin.address);
  put_if(fields, human_facing, call.human_facing ? 1 : 0);
  put_if(fields, training_forbidden, call.training_allowed ? 0 : 1);
  fields.text(finish_reason, call.finish_reason);
  put_if(fields, prompt_tokens, call.usage.prompt_tokens);
  put_if(fields, completion_tokens, call.usage.completion_tokens);
  put_if(fields, cached_prompt_tokens, call.usage.cached_prompt_tokens);
  put_if(fields, usage_estimated, call.usage.estimated ? 1 : 0);
  put_if(fields, status, static_cast<std::int64_t>(call.status));
  put_if(fields, http_status, call.http_status, 200);
  fields.text(error, call.error);
  put_if(fields, retries, call.retries);
  if (call.reward) fields.number(reward, *call.reward);
  if (call.cost_usd) fields.number(cost_usd, *call.cost_usd);
  for (const ToolResult& result : call.tool_results) fields.bytes(tool_result, to_bytes(result));
  put_if(fields, request_bytes, static_cast<std::int64_t>(call.request.reveal().size()));
  put_if(fields, response_bytes, static_cast<std::int64_t>(call.response.reveal().size()));
}

void put_metadata(const Feedback& feedback, std::string& out) {
  begin(RecordKind::feedback, out);
  FieldWriter fields(out);
  fields.text(of_call, feedback.call.value);
  fields.text(of_session, feedback.session.value);
  fields.text(name, feedback.name);
  if (feedback.reward) fields.number(score, *feedback.reward);
  put_if(fields, at, feedback.at.value);
}

void put_tenant(RecordKind kind, std::uint64_t tenant, std::string& out) {
  FieldWriter fields(out);
  const unsigned tag = kind == RecordKind::call ? unsigned{tenant_number} : unsigned{of_tenant};
  put_if(fields, tag, static_cast<std::int64_t>(tenant));
}

void put_new_parts(std::uint64_t count, std::string& out) {
  FieldWriter fields(out);
  put_if(fields, new_parts, static_cast<std::int64_t>(count));
}

void put_metadata(const TenantRecord& tenant, std::string& out) {
  begin(RecordKind::tenant, out);
  FieldWriter fields(out);
  fields.text(tenant_name, tenant.tenant);
  fields.bytes(fingerprint, tenant.fingerprint);
  fields.bytes(sealed_key, tenant.sealed_key);
}

void put_metadata(const AnchorRecord& anchor, std::string& out) {
  begin(RecordKind::anchor, out);
  FieldWriter fields(out);
  put_if(fields, lines, static_cast<std::int64_t>(anchor.lines));
  fields.bytes(head, anchor.head);
}

void put_metadata(const EndRecord&, std::string& out) { begin(RecordKind::end, out); }

Result<Metadata> parse_metadata(std::string_view bytes) {
  if (bytes.empty()) return fail(ErrorCode::corrupt, "its metadata is empty");
  const auto kind = static_cast<RecordKind>(bytes.front());
  bytes.remove_prefix(1);
  switch (kind) {
    case RecordKind::call: {
      Metadata metadata = TRY(read_fields<CallRecord>(bytes));
      if (std::get<CallRecord>(metadata).call.id.empty()) {
        return fail(ErrorCode::corrupt, "a stored call without an id");
      }
      return metadata;
    }
    case RecordKind::tenant: return read_fields<TenantRecord>(bytes);
    case RecordKind::feedback: return read_fields<FeedbackRecord>(bytes);
    case RecordKind::anchor: return read_fields<AnchorRecord>(bytes);
    case RecordKind::end: return Metadata(EndRecord());
  }
  return fail(ErrorCode::unsupported, "it is of a kind that is not known here",
              "use a newer understudy");
}

}  // namespace understudy::store
