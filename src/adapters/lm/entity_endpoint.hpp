// Named entities from an endpoint that speaks Presidio's analyzer API (POST {"text","language"},
// answer [{"start","end","entity_type","score"}] in code points): a model of the user's choice that
// knows names which no list has. Blocking; thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace understudy::lm {

struct NamedSpan {
  std::size_t begin = 0;  // bytes [begin, end) of the text
  std::size_t end = 0;
  std::string type = {};  // "PERSON"
  double score = 0;
};

// Of the answer's body for `text`, which is UTF-8. corrupt: no such answer, or places that the text
// does not have.
Result<std::vector<NamedSpan>> parse_named_spans(std::string_view body, std::string_view text);

struct EntityEndpoint {
  std::string url;  // "http://127.0.0.1:5002/analyze"
  std::string language = "en";
};

// Errors name the URL, never the text.
Result<std::vector<NamedSpan>> ask_entities(const EntityEndpoint& endpoint, std::string_view text);

}  // namespace understudy::lm
