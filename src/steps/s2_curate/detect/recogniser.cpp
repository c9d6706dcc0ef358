#include "steps/s2_curate/detect/recogniser.hpp"

#include <algorithm>
#include <utility>

#include "steps/s2_curate/detect/characters.hpp"

namespace understudy::s2 {

namespace {

// Models have a context; longer texts are asked about piece by piece, cut between words.
constexpr std::size_t piece_bytes_max = 4096;

std::optional<EntityType> named_type(std::string_view name) {
  const auto type = parse_presidio_name(name);
  if (!type) return std::nullopt;
  switch (*type) {
    case EntityType::person:
    case EntityType::location:
    case EntityType::organization:
    case EntityType::nrp: return type;
    default: return std::nullopt;
  }
}

std::string_view first_piece(std::string_view text) {
  if (text.size() <= piece_bytes_max) return text;
  std::size_t end = text.find_last_of(" \n\t", piece_bytes_max);
  if (end == std::string_view::npos || end == 0) end = piece_bytes_max;
  while (end < text.size() && is_continuation(text[end])) ++end;
  return text.substr(0, end);
}

}  // namespace

std::vector<Entity> Recogniser::find(std::string_view text) const {
  std::vector<Entity> found;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view piece = first_piece(text.substr(at));
    if (std::ranges::any_of(piece, [](char c) { return is_upper(c) || is_latin_lead(c); })) {
      if (failure()) return {};
      auto spans = lm::ask_entities(endpoint_, piece);
      if (!spans) {
        const std::scoped_lock lock(mutex_);
        failure_ = std::move(spans).error();
        return {};
      }
      for (const lm::NamedSpan& span : *spans) {
        if (const auto type = named_type(span.type)) {
          found.push_back({.type = *type,
                           .begin = at + span.begin,
                           .end = at + span.end,
                           .value = std::string(piece.substr(span.begin, span.end - span.begin)),
                           .score = span.score});
        }
      }
    }
    at += piece.size();
  }
  return found;
}

std::optional<Error> Recogniser::failure() const {
  const std::scoped_lock lock(mutex_);
  return failure_;
}

}  // namespace understudy::s2
