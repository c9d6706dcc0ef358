// All personal values that the detector found anywhere in a data set, and a search for them in any
// way of writing. A value found once by its context ("my phone is ...") is thereby found wherever
// its scope repeats it without one, as in a tool call's arguments; and what is left after rewriting
// is found again, so that curation can fail closed. A name is found with other separators
// ("jane_doe"), its parts alone where they are no words of the language. One look-up per word of a
// text, whatever the number of values. Immutable once made and thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "steps/s2_curate/detect/gazetteer.hpp"
#include "steps/s2_curate/surrogate/entity_table.hpp"

namespace understudy::s2 {

class KnownValues {
 public:
  // Keeps references into the table.
  explicit KnownValues(const EntityTable& table);

  // Occurrences in any letter case (but secrets), numbers also with other separators or
  // prefixes. May overlap.
  [[nodiscard]] std::vector<Entity> find(std::string_view text, Scope scope) const;

  // Is this value, once known, found wherever its scope repeats it? Single names that are words of
  // the language, and secrets that are as short as words, are not.
  [[nodiscard]] bool repeats_everywhere(const Entity& entity) const;

 private:
  enum class Match : std::uint8_t { exact, any_case, name, name_part };
  struct Form {
    const EntityTable::value_type* entry = nullptr;
    std::string_view bytes;
    std::uint32_t lead = 0;  // bytes before its first word
    std::uint32_t next = 0;  // of the same first word, and one; 0: none
    Match match = Match::exact;
  };
  struct Slot {
    std::uint64_t hash = 0;
    std::uint32_t first = 0;  // form, and one; 0: free
  };

  void add(const EntityTable::value_type& entry);
  void add_name(const EntityTable::value_type& entry);
  void add_form(const EntityTable::value_type& entry, std::string_view bytes, Match match);
  void index();
  [[nodiscard]] bool names_alone(std::string_view part) const;
  void find_at(std::string_view text, std::size_t word, std::uint64_t hash, Scope scope,
               std::vector<Entity>& found) const;
  void find_numbers(std::string_view text, Scope scope, std::vector<Entity>& found) const;

  Gazetteer gazetteer_;
  std::vector<Form> forms_;
  std::vector<Slot> slots_;  // a power of two of them, at least half free
  std::unordered_map<std::string_view, std::vector<const EntityTable::value_type*>> numbers_;
};

}  // namespace understudy::s2
