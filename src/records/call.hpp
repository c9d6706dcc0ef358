// One LLM call as step S1 records it: who asked (pseudonyms), when, what, what came back, how it
// ended. Content (request, response) is Secret; the rest is metadata that an auditor may see.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "base/units.hpp"

namespace understudy {

enum class CallStatus {
  ok,
  upstream_error,  // the upstream answered with an error
  truncated,       // the stream broke, or the model ran into its token limit
  cancelled,       // the client went away
  failed,          // no answer at all: refused, timed out
};

enum class Server { llm, slm };  // who gave the answer that the client got

struct Usage {
  std::int64_t prompt_tokens = 0;
  std::int64_t completion_tokens = 0;
  std::int64_t cached_prompt_tokens = 0;  // of prompt_tokens: read from the provider's cache
  bool estimated = false;                 // true: counted by us because the wire had none
};

// Why the call went where it went. `task` and `artifact` are empty for calls that no task claimed.
struct RouteDecision {
  Server server = Server::llm;
  std::string task;
  std::string artifact;
  std::string reason;  // "no_task", "accepted", "low_confidence", "slm_error", "off", "imported"
  double confidence = -1;  // of the small model; -1 where none was asked
};

// Origin as keyed pseudonyms (HMAC with the project key); never names, addresses or credentials.
struct Origin {
  std::string tenant;
  std::string user;
  std::string key;
  std::string address;
};

// A tool's answer to a tool call of an earlier answer; its text is a message of this call's
// request.
struct ToolResult {
  std::string tool_call_id;
  std::string tool;       // the tool's name, where the conversation names it
  std::int32_t item = 0;  // index into the request's messages (Responses API: input)
};

// Bytes of a text that other texts repeat: [begin, begin + bytes).
struct TextRange {
  std::size_t begin = 0;
  std::size_t bytes = 0;
};

// Whether a call that was read from the log came with its request and response.
enum class ContentState {
  whole,
  withheld,  // the reader's keys open metadata only, or not this tenant's content
  erased,    // the tenant's key was destroyed: nobody can read it any more
};

struct ContentBytes {
  std::uint64_t request = 0;
  std::uint64_t response = 0;
};

struct Call {
  CallId id;
  SessionId session;
  CallId parent;          // the call whose answer this conversation goes on from
  std::int32_t step = 0;  // of the session, from 0: the parent's and one
  std::string source;     // "gateway", or "import:FILE"
  UnixMicros started_at;
  UnixMicros first_byte_at;
  UnixMicros ended_at;
  std::string api = "chat.completions";  // completions, responses, embeddings, messages (Anthropic)
  std::string upstream;                  // its name in the configuration
  std::string requested_model;
  std::string served_model;
  RouteDecision route;
  Origin origin;
  bool human_facing = false;  // S1 converts calls between agents and tools, not chats with people
  bool training_allowed = true;  // consent, and the teacher's terms
  SecretText request;            // the request's body as the client sent it, JSON text of that API
  SecretText response;  // the response's body (streams reassembled), of the same API; may be empty
  // Parts of `request` that the next call of the conversation sends again (messages, tools): the
  // call log stores equal ones once. Ascending, without overlap. Not stored as such.
  std::vector<TextRange> repeated;
  std::vector<ToolResult> tool_results;
  std::string finish_reason;
  Usage usage;
  CallStatus status = CallStatus::ok;
  std::int32_t http_status = 200;
  std::string error;  // the error's type and code, never content
  std::int32_t retries = 0;
  std::optional<double> reward;  // task success, where someone said so
  std::optional<double> cost_usd;
  ContentState content = ContentState::whole;  // these two are set by the log's readers
  ContentBytes content_bytes;                  // known also where the content is not

  [[nodiscard]] std::int64_t latency_us() const { return ended_at.value - started_at.value; }
};

std::string_view to_string(CallStatus status);
std::string_view to_string(Server server);
std::string_view to_string(ContentState state);

json::value to_json(const Call& call);
Result<Call> call_from_json(const json::value& tree);

}  // namespace understudy
