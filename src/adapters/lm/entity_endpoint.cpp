#include "adapters/lm/entity_endpoint.hpp"

#include <algorithm>

#include "adapters/lm/json_post.hpp"
#include "base/json.hpp"

namespace understudy::lm {

namespace {

constexpr std::size_t spans_max = 100'000;
constexpr long timeout_s = 60;
constexpr std::size_t response_bytes_max = std::size_t{16} << 20U;

std::unexpected<Error> broken(std::string_view what) {
  return fail(ErrorCode::corrupt, "the answer of the entity endpoint " + std::string(what),
              "it must speak Presidio's analyzer API: docs/formats/curate.md");
}

// Byte offsets of every code point, and of the end.
std::vector<std::size_t> code_points_of(std::string_view text) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U) places.push_back(i);
  }
  places.push_back(text.size());
  return places;
}

}  // namespace

Result<std::vector<NamedSpan>> parse_named_spans(std::string_view body, std::string_view text) {
  const json::value tree = TRY(json::parse(body));
  if (!tree.is_array() || tree.get_array().size() > spans_max) return broken("is no list of spans");
  const std::vector<std::size_t> places = code_points_of(text);
  std::vector<NamedSpan> spans;
  for (const json::value& entry : tree.get_array()) {
    const auto begin = json::find_integer(entry, "start");
    const auto end = json::find_integer(entry, "end");
    const auto type = json::find_string(entry, "entity_type");
    if (!begin || !end || !type) return broken("has a span without start, end or entity_type");
    if (*begin < 0 || *end <= *begin || *end >= static_cast<std::int64_t>(places.size()))
      return broken("has a span that the text does not have");
    spans.push_back({.begin = places[static_cast<std::size_t>(*begin)],
                     .end = places[static_cast<std::size_t>(*end)],
                     .type = std::string(*type),
                     .score = std::clamp(json::find_number(entry, "score").value_or(1), 0.0, 1.0)});
  }
  return spans;
}

Result<std::vector<NamedSpan>> ask_entities(const EntityEndpoint& endpoint, std::string_view text) {
  const std::string body =
      json::to_text(json::object{{"text", text}, {"language", endpoint.language}});
  return parse_named_spans(TRY(post_json({.url = endpoint.url,
                                          .api_key = {},
                                          .body = body,
                                          .timeout_s = timeout_s,
                                          .response_bytes_max = response_bytes_max})),
                           text);
}

}  // namespace understudy::lm
