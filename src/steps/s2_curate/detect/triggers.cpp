#include "steps/s2_curate/detect/triggers.hpp"

#include <map>
#include <utility>

#include "steps/s2_curate/detect/characters.hpp"
#include "steps/s2_curate/detect/find_secrets.hpp"

namespace understudy::s2 {

namespace {

class Collector {
 public:
  void add(std::string_view literal, text::LetterCase letter_case, const Trigger& trigger) {
    literals.push_back({.id = static_cast<std::uint32_t>(triggers.size()),
                        .bytes = std::string(literal),
                        .letter_case = letter_case});
    triggers.push_back(trigger);
  }

  std::vector<text::Literal> literals;
  std::vector<Trigger> triggers;
};

// One trigger a word, whatever number of types it announces.
std::map<std::string, TypeSet, std::less<>> context_words() {
  std::map<std::string, TypeSet, std::less<>> words;
  for (const IdContext& context : id_contexts()) {
    std::string_view rest = context.words;
    while (!rest.empty()) {
      const std::size_t bar = rest.find('|');
      words[std::string(rest.substr(0, bar))].set(static_cast<std::size_t>(context.type));
      rest = bar == std::string_view::npos ? std::string_view() : rest.substr(bar + 1);
    }
  }
  return words;
}

// "passportNumber", "tax_id": words with spaces between and around them.
std::string as_words(std::string_view key) {
  std::string words = " ";
  for (std::size_t i = 0; i < key.size(); ++i) {
    const bool camel = is_upper(key[i]) && i > 0 && is_lower(key[i - 1]);
    if (camel) words += ' ';
    words += key[i] == '_' || key[i] == '-' ? ' ' : to_lower(key[i]);
  }
  return words + " ";
}

}  // namespace

Result<Triggers> Triggers::create() {
  using Kind = Trigger::Kind;
  using enum text::LetterCase;
  Collector all;
  for (const SecretFormat& format : secret_formats())
    all.add(format.literal, exact, {.kind = Kind::secret_format, .format = &format});
  for (const std::string_view word : secret_words())
    all.add(word, ignored, {.kind = Kind::assignment});
  for (const NamedFormat& format : named_formats())
    all.add(format.name, ignored, {.kind = Kind::assignment});
  for (const auto& [word, types] : context_words())
    all.add(word, ignored, {.kind = Kind::id_context, .announced = types});
  all.add("-----BEGIN ", exact, {.kind = Kind::private_key});
  all.add("eyJ", exact, {.kind = Kind::jwt});
  all.add("curl", exact, {.kind = Kind::curl});
  all.add("authorization", ignored, {.kind = Kind::authorization});
  all.add("bearer ", ignored, {.kind = Kind::authorization});
  all.add("://", exact, {.kind = Kind::url});
  all.add("www.", ignored, {.kind = Kind::internet_host});
  for (const char* day :
       {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"})
    all.add(day, ignored, {.kind = Kind::date_word});
  for (const char* month : {"January", "February", "March", "April", "May", "June", "July",
                            "August", "September", "October", "November", "December"})
    all.add(month, exact, {.kind = Kind::date_word});
  auto scanner = TRY(text::PatternScanner::compile_literals(all.literals));
  return Triggers(std::move(all.triggers), std::move(scanner));
}

TypeSet Triggers::announced_by(std::string_view key) const {
  TypeSet types;
  const std::string words = as_words(key);
  for (const text::PatternHit& hit : scanner_.scan(words)) {
    if (triggers_[hit.id].kind != Trigger::Kind::id_context) continue;
    if (is_alnum(words[hit.begin - 1]) || is_alnum(words[hit.end])) continue;
    types |= triggers_[hit.id].announced;
  }
  return types;
}

}  // namespace understudy::s2
