#include "steps/s2_curate/detector.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "steps/s2_curate/find_secrets.hpp"

namespace understudy::s2 {

namespace {

constexpr std::size_t number_digits_min = 7;  // of the shortest local phone number

enum PatternId : std::uint32_t { at_sign, iban, ipv4, ipv6, assignment, first_secret_format };

std::vector<text::Pattern> patterns() {
  std::vector<text::Pattern> all = {
      {.id = at_sign, .expression = "[A-Za-z0-9_%+\\x80-\\xff:-]@[A-Za-z0-9\\x80-\\xff]"},
      {.id = iban, .expression = "[A-Za-z]{2}[0-9]{2}[ -]?[A-Za-z0-9]{4}[ -]?[A-Za-z0-9]{3}"},
      {.id = ipv4, .expression = "[0-9]\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]"},
      {.id = ipv6, .expression = "[0-9A-Fa-f]{1,4}:[0-9A-Fa-f]{1,4}:[0-9A-Fa-f]{1,4}:"},
      {.id = ipv6, .expression = "::"},
      {.id = assignment,
       .expression = std::string(assignment_expression()),
       .letter_case = text::LetterCase::ignored}};
  std::uint32_t id = first_secret_format;
  for (const SecretFormat& format : secret_formats())
    all.push_back({.id = id++, .expression = std::string(format.expression)});
  return all;
}

std::optional<Entity> examine(const Leaf& leaf, std::uint32_t pattern, Place place) {
  switch (pattern) {
    case at_sign: {
      auto email = find_email(leaf, place);
      return email ? std::move(email) : find_url_password(leaf, place);
    }
    case iban: return find_iban(leaf, place);
    case ipv4: return find_ipv4(leaf, place);
    case ipv6: return find_ipv6(leaf, place);
    case assignment: return find_assigned_secret(leaf, place);
    default:
      return find_formatted_secret(leaf, place, secret_formats()[pattern - first_secret_format]);
  }
}

}  // namespace

Result<Detector> Detector::create() {
  return Detector(TRY(text::PatternScanner::compile(patterns())));
}

std::vector<Entity> Detector::detect(const Leaf& leaf) const {
  std::vector<Entity> found;
  // A found entity usually matches again at each of its bytes: look behind it only.
  std::array<std::size_t, first_secret_format + 1> examined_to{};
  for (const text::PatternHit& hit : scanner_.scan(leaf.text)) {
    std::size_t& seen = examined_to[std::min<std::size_t>(hit.id, first_secret_format)];
    if (hit.begin < seen) continue;
    if (auto entity = examine(leaf, hit.id, {.begin = hit.begin, .end = hit.end})) {
      seen = std::max(seen, entity->end);
      found.push_back(std::move(*entity));
    }
  }
  for (const DigitRun& run : find_digit_runs(leaf.text, number_digits_min)) {
    find_cards(leaf, run, found);
    find_phones(leaf, run, found);
  }
  if (auto secret = find_keyed_secret(leaf)) found.push_back(std::move(*secret));
  return without_overlaps(std::move(found));
}

}  // namespace understudy::s2
