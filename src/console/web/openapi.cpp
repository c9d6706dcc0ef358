#include <set>
#include <string>

#include "console/web/api.hpp"

namespace understudy::console {

namespace {

// The names in {..}, as parameters.
std::string parameters_of(std::string_view path) {
  std::string out;
  while (true) {
    const std::size_t begin = path.find('{');
    if (begin == path.npos) return out;
    const std::size_t end = path.find('}', begin);
    out += "        - {name: " + std::string(path.substr(begin + 1, end - begin - 1)) +
           ", in: path, required: true, schema: {type: string}}\n";
    path.remove_prefix(end + 1);
  }
}

std::string roles_of(RoleSet roles) {
  std::string out;
  for (const std::string_view name : roles.names())
    out += (out.empty() ? "" : ", ") + std::string(name);
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& letter : out)
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  return out;
}

}  // namespace

std::string ConsoleApi::openapi(std::string_view version) {
  std::string out = "openapi: 3.1.0\ninfo:\n  title: Understudy console\n  version: \"" +
                    std::string(version) +
                    "\"\n  description: Served by `understudy console`, on loopback by default.\n"
                    "security: [{token: []}]\npaths:\n"
                    "  /health:\n    get:\n      summary: Alive or not, nothing else\n"
                    "      security: []\n      responses:\n        \"200\": {description: alive}\n"
                    "  /api/events:\n    get:\n      summary: Server-sent events, one for each "
                    "change on the disk\n      x-roles: [curator, auditor, admin]\n"
                    "      responses:\n        \"200\": {description: text/event-stream}\n"
                    "        \"401\": {$ref: \"#/components/responses/Refused\"}\n";
  std::set<std::string_view> written;
  for (const Route& first : routes()) {
    if (!written.insert(first.path).second) continue;
    out += "  " + std::string(first.path) + ":\n";
    for (const Route& route : routes()) {
      if (route.path != first.path) continue;
      out += "    " + lower(route.method) + ":\n      summary: " + std::string(route.summary) +
             "\n      x-roles: [" + roles_of(route.roles) + "]\n";
      if (const std::string parameters = parameters_of(route.path); !parameters.empty())
        out += "      parameters:\n" + parameters;
      if (route.method == "POST") {
        out +=
            "      requestBody: {required: true, content: {application/json: {schema: {type: "
            "object}}}}\n";
      }
      out +=
          "      responses:\n        \"200\": {description: done, content: {application/json: "
          "{schema: {type: object}}}}\n"
          "        \"401\": {$ref: \"#/components/responses/Refused\"}\n"
          "        \"403\": {$ref: \"#/components/responses/Refused\"}\n";
    }
  }
  out +=
      "components:\n  securitySchemes:\n    token: {type: http, scheme: bearer}\n"
      "  responses:\n    Refused:\n      description: what is wrong, and what to do next\n"
      "      content:\n        application/json:\n          schema:\n            type: object\n"
      "            properties:\n              error:\n                type: object\n"
      "                properties:\n                  message: {type: string}\n"
      "                  hint: {type: string}\n                  code: {type: string}\n";
  return out;
}

}  // namespace understudy::console
