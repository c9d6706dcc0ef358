#include "steps/s2_curate/surrogate/name_surrogates.hpp"

#include <algorithm>
#include <format>
#include <set>

#include "steps/s2_curate/detect/characters.hpp"
#include "steps/s2_curate/detect/words.hpp"
#include "steps/s2_curate/surrogate/keyed_stream.hpp"
#include "steps/s2_curate/surrogate/surrogate_forms.hpp"

namespace understudy::s2 {

namespace {

constexpr std::size_t token_part_bytes_min = 3;  // of a known name within "jdoe"
constexpr std::string_view vowels = "aeiou";
constexpr std::string_view consonants = "bcdfghjklmnpqrstvwxyz";

}  // namespace

NameSurrogates NameSurrogates::assign(const SecretText& key, const EntityTable& originals) {
  NameSurrogates names(key);
  std::set<std::string, std::less<>> own;
  for (const auto& [original, facts] : originals) {
    if (original.type != EntityType::person) continue;
    for (const std::string_view part : name_parts(original.value)) {
      own.emplace(part);
      names.parts_.try_emplace({original.scope, std::string(part)});
    }
  }
  std::set<std::pair<Scope, std::string>> taken;
  for (auto& [place, surrogate] : names.parts_) {
    const auto& [scope, part] = place;
    if (part.size() == 1 || (names.gazetteer_.word(part) & (particle | title)) != 0) {
      surrogate = part.size() == 1 ? std::string(1, names.initial(part[0], scope)) : part;
      continue;
    }
    std::uint32_t attempt = 0;
    do surrogate = names.draw(part, scope, attempt++);
    while (own.contains(surrogate) || !taken.emplace(scope, surrogate).second);
  }
  return names;
}

// Every 64 attempts it becomes a letter longer: it ends.
std::string NameSurrogates::draw(std::string_view part, Scope scope, std::uint32_t attempt) const {
  const EntityKey whole{.type = EntityType::person, .value = std::string(part), .scope = scope};
  std::string drawn = draw_surrogate(*key_, whole, {.attempt = attempt});
  if (is_letter(part.front())) drawn.front() = initial(part.front(), scope);
  return drawn;
}

// A permutation of the vowels and of the consonants, keyed.
char NameSurrogates::initial(char letter, Scope scope) const {
  const std::string_view kind = vowels.contains(letter) ? vowels : consonants;
  const std::size_t at = kind.find(letter);
  if (at == std::string_view::npos) return letter;
  std::string shuffled(kind);
  KeyedStream stream(*key_, std::format("initials/{}@{:016x}", kind.size(), scope));
  for (std::size_t i = shuffled.size() - 1; i > 0; --i)
    std::swap(shuffled[i], shuffled[stream.below(static_cast<std::uint32_t>(i + 1))]);
  return shuffled[at];
}

const std::string* NameSurrogates::find(std::string_view part, Scope scope) const {
  const auto found = parts_.find({scope, std::string(part)});
  return found == parts_.end() ? nullptr : &found->second;
}

std::optional<std::string> NameSurrogates::write(std::string_view occurrence, Scope scope) const {
  std::string out;
  std::size_t copied_to = 0;
  for (const std::string_view part : name_parts(occurrence)) {
    const std::string* known = find(lower_unicode(part), scope);
    if (known == nullptr) return std::nullopt;
    const auto begin = static_cast<std::size_t>(part.data() - occurrence.data());
    out += occurrence.substr(copied_to, begin - copied_to);
    const bool all_upper = part.size() > 1 && std::ranges::none_of(part, is_lower);
    out += all_upper ? upper_ascii(*known) : with_case_of(*known, part);
    copied_to = begin + part.size();
  }
  out += occurrence.substr(copied_to);
  if (out == occurrence) return std::nullopt;
  return out;
}

// "jane", "jdoe", "janed", "janedoe".
std::optional<std::string> NameSurrogates::token(std::string_view letters, Scope scope) const {
  if (const std::string* known = find(letters, scope)) return *known;
  if (letters.size() <= token_part_bytes_min) return std::nullopt;
  if (const std::string* last = find(letters.substr(1), scope))
    return initial(letters.front(), scope) + *last;
  if (const std::string* first = find(letters.substr(0, letters.size() - 1), scope))
    return *first + initial(letters.back(), scope);
  for (std::size_t cut = token_part_bytes_min; cut + token_part_bytes_min <= letters.size();
       ++cut) {
    const std::string* first = find(letters.substr(0, cut), scope);
    const std::string* last = find(letters.substr(cut), scope);
    if (first != nullptr && last != nullptr) return *first + *last;
  }
  return std::nullopt;
}

std::optional<std::string> NameSurrogates::email_local(std::string_view local, Scope scope) const {
  bool any = false;
  std::string out;
  KeyedStream stream(*key_, std::format("local/{}@{:016x}", local, scope));
  for (std::size_t i = 0; i < local.size();) {
    std::size_t end = i;
    while (end < local.size() && is_letter(local[end])) ++end;
    if (end > i) {
      const auto known = token(local.substr(i, end - i), scope);
      any = any || known.has_value();
      out += known ? *known : stand_in(local.substr(i, end - i), stream);
    } else {
      // Digits stay, as in a user's id that is made of the same name.
      while (end < local.size() && !is_letter(local[end])) ++end;
      out += local.substr(i, end - i);
    }
    i = end;
  }
  if (!any) return std::nullopt;
  return out;
}

}  // namespace understudy::s2
