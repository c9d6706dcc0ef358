// Which words are names, and of what. The lists (gazetteer/*.txt) are embedded; they were written
// from general knowledge, never from data that detectors are measured on. Immutable once made and
// thread-safe.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace understudy::s2 {

enum NameFlag : std::uint32_t {
  given_name = 1U << 0,
  surname = 1U << 1,
  country = 1U << 2,  // or a state or region
  city = 1U << 3,
  organization = 1U << 4,
  nationality = 1U << 5,
  common_word = 1U << 6,     // frequent in English: alone it names nothing
  doubtful_given = 1U << 7,  // these names are words too ("Grace", "Brown", "Reading", "Shell")
  doubtful_surname = 1U << 8,
  doubtful_place = 1U << 9,
  doubtful_organization = 1U << 10,
  begins_phrase = 1U << 11,     // "New" of "New York"
  title = 1U << 12,             // "Mr"
  particle = 1U << 13,          // "van", "de"
  organization_end = 1U << 14,  // "Ltd", "University"
  street_end = 1U << 15,        // "Street", "Lane"
  street_begin = 1U << 16,      // "Rue", "Via", "Calle"
  unit_word = 1U << 17,         // "Apt", "Suite"
};

class Gazetteer {
 public:
  Gazetteer();

  // Flags of a word in lower case; 0 for an unknown one.
  [[nodiscard]] std::uint32_t word(std::string_view lower) const { return words_.find(lower); }
  // Of several words with single spaces between them.
  [[nodiscard]] std::uint32_t phrase(std::string_view lower) const { return phrases_.find(lower); }

 private:
  // Open addressing over 64-bit hashes; the words themselves are not kept. Among six thousand
  // entries a word that nobody entered meets one by chance once in 10^15.
  class Table {
   public:
    Table() : slots_(slot_count) {}
    std::uint32_t& operator[](std::string_view word);
    [[nodiscard]] std::uint32_t find(std::string_view word) const;

   private:
    static constexpr std::size_t slot_count = 32'768;  // a quarter full
    struct Slot {
      std::uint64_t hash = 0;  // 0: free
      std::uint32_t flags = 0;
    };
    std::vector<Slot> slots_;
  };

  void add_list(std::string_view list, std::uint32_t flag, std::uint32_t doubtful);
  void add_words(std::string_view words, std::uint32_t flag);

  Table words_;
  Table phrases_;
};

inline constexpr std::size_t phrase_words_max = 6;

}  // namespace understudy::s2
