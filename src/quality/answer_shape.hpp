// What a request demands of its answer's shape: the tools that it offers, with the schemas of their
// arguments, and the schema of its response format. Read from the request as the client sent it,
// a chat completion's or Anthropic's. Pure.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/json.hpp"

namespace understudy::quality {

struct AnswerShape {
  std::map<std::string, json::value, std::less<>> tools = {};  // by name; null: no schema
  json::value text = nullptr;  // schema of an answer in JSON; null: none
};

AnswerShape answer_shape(const json::value& request);

}  // namespace understudy::quality
