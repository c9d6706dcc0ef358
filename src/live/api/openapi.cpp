#include "live/api/openapi.hpp"

#include <format>
#include <set>

#include "base/ascii.hpp"
#include "live/api/routes.hpp"

namespace understudy::live {

namespace {

constexpr std::string_view gateway_head = R"yaml(servers: [{url: "http://127.0.0.1:8080"}]
security: [{}, {key: []}]
)yaml";
constexpr std::string_view gateway_about =
    "Served by `understudy serve`. Requests and answers are those of the LLM's API and pass "
    "through "
    "byte for byte; what is written here is what the gateway adds. Anything else below /v1/ is "
    "passed on and not recorded.";
constexpr std::string_view gateway_components = R"yaml(components:
  securitySchemes:
    key: {type: http, scheme: bearer, description: "a virtual key (us-...), or the API's own key where none is needed"}
  parameters:
    Session: {name: x-understudy-session, in: header, schema: {type: string, maxLength: 256}, description: names the run}
    Human: {name: x-understudy-human, in: header, schema: {enum: ["1"]}, description: "a person waits: recorded, not learned from"}
  responses:
    Answer:
      description: the API's own answer
      headers:
        x-understudy-call: {description: the call's id in the log, schema: {type: string}}
        x-understudy-served-by: {schema: {enum: [llm, slm]}}
        x-understudy-reason: {description: why it was answered there, schema: {type: string}}
        x-understudy-task: {schema: {type: string}}
        x-understudy-model: {schema: {type: string}}
        x-understudy-confidence: {schema: {type: number}}
    Refused: {description: "an error in the shape of the API that was asked: no virtual key where one is needed (401), a limit (429), no upstream gave an answer (502)"}
)yaml";
constexpr std::string_view admin_about =
    "Served by `understudy serve` on the listener of [admin] in understudy.toml; off without it. "
    "No answer shows what a call said. `understudy access token --role ...` issues tokens.";
constexpr std::string_view admin_components = R"yaml(components:
  securitySchemes:
    token: {type: http, scheme: bearer, description: "a role's token (ut-...)"}
  responses:
    Refused:
      description: what is wrong, and what to do next
      content: {application/json: {schema: {type: object, properties: {error: {type: object, properties: {message: {type: string}, code: {type: string}}}}}}}
)yaml";

std::string head(std::string_view title, std::string_view version, std::string_view about) {
  return std::format(
      "openapi: 3.1.0\ninfo:\n  title: {}\n  version: \"{}\"\n  description: \"{}\"\n", title,
      version, about);
}

std::string body_of(std::span<const BodyMember> members) {
  std::string out =
      "      requestBody:\n        required: true\n        content:\n"
      "          application/json:\n            schema:\n"
      "              type: object\n";
  if (members.empty()) return out;
  out += "              properties:\n";
  for (const BodyMember& member : members)
    out += std::format("                {}: {{type: {}}}\n", member.name, member.type);
  return out;
}

std::string responses_of(const GatewayRoute& route) {
  switch (route.job) {
    case GatewayJob::call:
      return "        \"200\": {$ref: \"#/components/responses/Answer\"}\n"
             "        default: {$ref: \"#/components/responses/Refused\"}\n";
    case GatewayJob::feedback:
      return "        \"202\": {description: on its way into the log}\n"
             "        \"400\": {description: names the member}\n"
             "        \"409\": {description: nothing is recorded here}\n";
    case GatewayJob::models:
      return "        \"200\": {description: ok}\n"
             "        default: {$ref: \"#/components/responses/Refused\"}\n";
    case GatewayJob::health: return "        \"200\": {description: ok}\n";
  }
  return {};
}

std::string operation(const GatewayRoute& route) {
  std::string out =
      std::format("    {}:\n      summary: {}\n", lower_ascii(route.method), route.summary);
  if (route.job == GatewayJob::health) out += "      security: []\n";
  if (route.job == GatewayJob::call) {
    out +=
        "      description: recorded, and answered by a small model where one is proven\n"
        "      parameters:\n        - {$ref: \"#/components/parameters/Session\"}\n"
        "        - {$ref: \"#/components/parameters/Human\"}\n";
  }
  if (route.method == "POST") out += body_of(route.body);
  return out + "      responses:\n" + responses_of(route);
}

std::string operation(const AdminRoute& route) {
  std::string out =
      std::format("    {}:\n      summary: \"{}\"\n", lower_ascii(route.method), route.summary);
  if (!route.least) {
    out += "      security: []\n";
  } else if (*route.least == AccessRole::admin) {
    out += "      x-roles: [admin]\n";
  } else {
    out += std::format("      x-roles: [{}, admin]\n", to_string(*route.least));
  }
  if (route.path.contains("{name}")) {
    out +=
        "      parameters:\n        - {name: name, in: path, required: true, schema: {type: "
        "string}}\n";
  }
  if (!route.body.empty()) out += body_of(route.body);
  out += std::format("      responses:\n        \"{}\": {{description: done}}\n",
                     route.job == AdminJob::issue_key ? 201 : 200);
  if (!route.least) return out;
  for (const int status : {401, 403, 429})
    out += std::format("        \"{}\": {{$ref: \"#/components/responses/Refused\"}}\n", status);
  return out;
}

// Each path once, with all its methods.
template <class Route>
std::string paths(std::span<const Route> routes) {
  std::string out = "paths:\n";
  std::set<std::string_view> written;
  for (const Route& first : routes) {
    if (!written.insert(first.path).second) continue;
    out += std::format("  {}:\n", first.path);
    for (const Route& route : routes)
      if (route.path == first.path) out += operation(route);
  }
  return out;
}

}  // namespace

std::string gateway_openapi(std::string_view version) {
  return head("Understudy gateway", version, gateway_about) + std::string(gateway_head) +
         paths(gateway_routes()) + std::string(gateway_components);
}

std::string admin_openapi(std::string_view version) {
  return head("Understudy gateway, admin API", version, admin_about) + "security: [{token: []}]\n" +
         paths(admin_routes()) + std::string(admin_components);
}

}  // namespace understudy::live
