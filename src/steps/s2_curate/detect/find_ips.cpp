#include <algorithm>

#include "steps/s2_curate/detect/characters.hpp"
#include "steps/s2_curate/detect/context.hpp"
#include "steps/s2_curate/detect/finders.hpp"
#include "steps/s2_curate/detect/ip_address.hpp"

namespace understudy::s2 {

namespace {

constexpr std::size_t ip_bytes_max = 45;  // eight groups, or six and a dotted quad
constexpr std::size_t mac_bytes = 17;
constexpr std::size_t hex_digits_without_context_min = 5;
constexpr double doubtful = 0.2;  // a version, a loopback, "::" in code

Entity address(Place place, std::string value, double score) {
  return {.type = EntityType::ip,
          .begin = place.begin,
          .end = place.end,
          .value = std::move(value),
          .score = score};
}

}  // namespace

std::optional<Entity> find_ipv4(const Leaf& leaf, std::size_t at) {
  const std::string_view text = leaf.text;
  const auto dotted = [&](std::size_t i) { return is_digit(text[i]) || text[i] == '.'; };
  std::size_t begin = at;
  std::size_t end = at;
  while (begin > 0 && at - begin <= ip_bytes_max && dotted(begin - 1)) --begin;
  while (end < text.size() && end - begin <= ip_bytes_max && dotted(end)) ++end;
  while (end > begin && text[end - 1] == '.') --end;
  if (continues_word_before(text, begin) || continues_word_after(text, end)) return std::nullopt;
  if (begin > 0 && (text[begin - 1] == ':' || text[begin - 1] == '-')) {
    // "::ffff:10.0.0.1" is an IPv6 address; "key:10.0.0.1" is none.
    if (begin > 1 && (is_hex(text[begin - 2]) || text[begin - 2] == ':') &&
        text[begin - 1] == ':' && text.substr(0, begin).rfind("::") != std::string_view::npos)
      return std::nullopt;
    if (text[begin - 1] == '-') return std::nullopt;
  }
  const std::string value(text.substr(begin, end - begin));
  if (!is_ipv4(value)) return std::nullopt;
  const bool weak = is_nobodys_address(value) || is_version_place(text, begin, leaf.key);
  return address({begin, end}, value, weak ? doubtful : 1);
}

std::optional<Entity> find_ipv6(const Leaf& leaf, std::size_t at) {
  const std::string_view text = leaf.text;
  const auto coloned = [&](std::size_t i) {
    return is_hex(text[i]) || text[i] == ':' || text[i] == '.';
  };
  std::size_t begin = at;
  std::size_t end = at;
  while (begin > 0 && at - begin <= ip_bytes_max && coloned(begin - 1)) --begin;
  while (end < text.size() && end - begin <= ip_bytes_max && coloned(end)) ++end;
  while (end > begin && text[end - 1] == '.') --end;
  if (end > begin && text[end - 1] == ':' && !text.substr(begin, end - begin).ends_with("::"))
    --end;
  const std::string_view written = text.substr(begin, end - begin);
  if (continues_word_before(text, begin) || continues_word_after(text, end)) return std::nullopt;
  const auto value = normalise_ipv6(written);
  if (!value) return std::nullopt;
  const auto digits = static_cast<std::size_t>(std::ranges::count_if(written, is_hex));
  const bool telling =
      digits >= hex_digits_without_context_min && std::ranges::any_of(written, is_digit);
  const bool weak =
      is_nobodys_address(*value) || (!telling && !is_network_place(text, begin, leaf.key));
  return address({begin, end}, *value, weak ? doubtful : 1);
}

std::optional<Entity> find_mac(const Leaf& leaf, std::size_t at) {
  const std::string_view text = leaf.text;
  if (at < 2 || at - 2 + mac_bytes > text.size()) return std::nullopt;
  const Place place{.begin = at - 2, .end = at - 2 + mac_bytes};
  const std::string_view written = text.substr(place.begin, mac_bytes);
  const char separator = text[at];
  for (std::size_t i = 0; i < mac_bytes; ++i) {
    if (i % 3 == 2 ? written[i] != separator : !is_hex(written[i])) return std::nullopt;
  }
  const auto goes_on = [&](std::size_t i) {
    return i < text.size() && (is_alnum(text[i]) || text[i] == separator);
  };
  if (goes_on(place.begin - 1) || goes_on(place.end)) return std::nullopt;
  const std::string value = lower_ascii(written);
  const auto alike = [&](char c) { return c == value[0] || c == separator; };
  if (std::ranges::all_of(value, alike)) return std::nullopt;  // "any" and broadcast
  return Entity{.type = EntityType::mac,
                .begin = place.begin,
                .end = place.end,
                .value = value,
                .score = 0.9};
}

}  // namespace understudy::s2
