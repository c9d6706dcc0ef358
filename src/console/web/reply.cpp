#include "console/web/reply.hpp"

#include <string>
#include <utility>

namespace understudy::console {

Reply refusal(unsigned status, const Error& error) {
  return {
      .status = status,
      .body = json::to_text(json::object{
          {"error",
           {{"message", error.message}, {"hint", error.hint}, {"code", to_string(error.code)}}}})};
}

Reply failure(const Error& error) { return refusal(net::status_of(error.code), error); }

Reply reply_of(Result<json::value> result) {
  if (!result) return failure(result.error());
  return {.body = json::to_text(*result)};
}

void put_or_problem(json::object& out, std::string_view name, Result<json::value> part) {
  if (part) {
    out[name] = std::move(*part);
    return;
  }
  out[name] = nullptr;
  out[std::string(name) + "_problem"] = part.error().to_line();
}

}  // namespace understudy::console
