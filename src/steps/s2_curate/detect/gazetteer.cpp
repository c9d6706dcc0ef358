#include "steps/s2_curate/detect/gazetteer.hpp"

#include <algorithm>

#include "adapters/text/hashing.hpp"
#include "steps/s2_curate/detect/words.hpp"

namespace understudy::s2 {

namespace {

constexpr unsigned char given_names[] = {
#embed "gazetteer/given_names.txt"
};
constexpr unsigned char surnames[] = {
#embed "gazetteer/surnames.txt"
};
constexpr unsigned char countries[] = {
#embed "gazetteer/countries.txt"
};
constexpr unsigned char cities[] = {
#embed "gazetteer/cities.txt"
};
constexpr unsigned char organizations[] = {
#embed "gazetteer/organizations.txt"
};
constexpr unsigned char nationalities[] = {
#embed "gazetteer/nationalities.txt"
};
constexpr unsigned char common_words[] = {
#embed "gazetteer/common_words.txt"
};

template <std::size_t size>
std::string_view as_text(const unsigned char (&list)[size]) {
  return {reinterpret_cast<const char*>(list), size};
}

constexpr std::string_view titles =
    "mr mrs ms miss mx dr prof professor sir madam madame mme mlle monsieur herr frau "
    "fr\xc3\xa4ulein se\xc3\xb1or "
    "se\xc3\xb1ora se\xc3\xb1orita sr sra signor signora senhor senhora lord lady dame rev "
    "reverend father sister brother "
    "captain capt lt lieutenant col colonel gen general sgt sergeant major president senator judge "
    "justice governor mayor minister chancellor king queen prince princess pope bishop saint uncle "
    "aunt";
constexpr std::string_view particles =
    "van von de der den del della di da du la le los las el al bin ibn ben ter ten te af av zu zum "
    "dos das do e y st mc mac o";
constexpr std::string_view organization_ends =
    "inc inc. incorporated ltd ltd. limited llc l.l.c llp plc gmbh ag kg ohg ug mbh corp corp. "
    "corporation co co. "
    "company companies group holding holdings partners associates ventures capital bank insurance "
    "university college institute school academy foundation association society federation union "
    "council committee agency ministry department commission authority laboratories labs "
    "technologies "
    "technology tech systems solutions services software consulting consultants analytics networks "
    "industries enterprises international logistics airlines airways motors pharma pharmaceuticals "
    "energy media studios records entertainment publishing press news times journal magazine "
    "restaurant cafe hotel hospital clinic church museum library theater theatre orchestra club bv "
    "b.v nv "
    "sa s.a sas sarl srl s.r.l spa s.p.a ab oy oyj as a/s aps kft zrt pty reports ratings "
    "resources advisors "
    "securities trust fund markets exchange board bureau center centre helix maintenance";
constexpr std::string_view street_ends =
    "street st str avenue ave av road rd lane ln drive dr boulevard blvd court ct place pl square "
    "sq "
    "terrace ter way close crescent cres parkway pkwy highway hwy circle cir trail trl alley row "
    "mews "
    "gardens grove hill heights plaza loop walk wharf quay rise vale view green path pike bridge "
    "crossing ridge run esplanade parade turnpike expressway freeway utca \xc3\xbat u u. "
    "t\xc3\xa9r k\xc3\xb6r\xc3\xbat tie katu sokak "
    "caddesi ulica g\xc3\xb6tu";
constexpr std::string_view street_begins =
    "rue via calle c/ avenida avda rua plaza pla\xc3\xa7"
    "a piazza piazzale corso viale strada vicolo largo "
    "boulevard bd place quai impasse all\xc3\xa9"
    "e chemin route cours camino carrera carretera paseo ronda "
    "travessa pra\xc3\xa7"
    "a estrada alameda ulica ul ul. aleja al. plac osiedle os. trg cesta jalan jl "
    "urbanizaci\xc3\xb3n pol\xc3\xadgono callej\xc3\xb3n";
constexpr std::string_view unit_words =
    "apt apt. apartment suite ste unit flat room floor building bldg box psc fpo apo dpo ap "
    "appartement "
    "wohnung piso lok. m.";

}  // namespace

std::uint32_t& Gazetteer::Table::operator[](std::string_view word) {
  const std::uint64_t hash = text::hash64(word);
  std::size_t slot = hash % slot_count;
  while (slots_[slot].hash != 0 && slots_[slot].hash != hash) slot = (slot + 1) % slot_count;
  slots_[slot].hash = hash;
  return slots_[slot].flags;
}

std::uint32_t Gazetteer::Table::find(std::string_view word) const {
  const std::uint64_t hash = text::hash64(word);
  std::size_t slot = hash % slot_count;
  while (slots_[slot].hash != 0) {
    if (slots_[slot].hash == hash) return slots_[slot].flags;
    slot = (slot + 1) % slot_count;
  }
  return 0;
}

Gazetteer::Gazetteer() {
  add_list(as_text(given_names), given_name, doubtful_given);
  add_list(as_text(surnames), surname, doubtful_surname);
  add_list(as_text(countries), country, doubtful_place);
  add_list(as_text(cities), city, doubtful_place);
  add_list(as_text(organizations), organization, doubtful_organization);
  add_list(as_text(nationalities), nationality, 0);
  add_words(as_text(common_words), common_word);
  add_words(titles, title);
  add_words(particles, particle);
  add_words(organization_ends, organization_end);
  add_words(street_ends, street_end);
  add_words(street_begins, street_begin);
  add_words(unit_words, unit_word);
}

// "#" begins a comment line, "_" stands for a space, "?" behind a name says that it is a word too.
void Gazetteer::add_list(std::string_view list, std::uint32_t flag, std::uint32_t doubtful) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find('\n'), list.size());
    std::string_view line = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    if (line.starts_with('#')) continue;
    while (!line.empty()) {
      const std::size_t space = std::min(line.find(' '), line.size());
      std::string name = lower_unicode(line.substr(0, space));
      line.remove_prefix(std::min(space + 1, line.size()));
      const bool is_doubtful = name.ends_with('?');
      if (is_doubtful) name.pop_back();
      if (name.empty()) continue;
      const std::uint32_t flags = flag | (is_doubtful ? doubtful : 0U);
      const std::size_t gap = name.find('_');
      if (gap == std::string::npos) {
        words_[name] |= flags;
        continue;
      }
      words_[std::string_view(name).substr(0, gap)] |= begins_phrase;
      for (char& c : name) c = c == '_' ? ' ' : c;
      phrases_[name] |= flags;
    }
  }
}

void Gazetteer::add_words(std::string_view words, std::uint32_t flag) {
  while (!words.empty()) {
    const std::size_t end = std::min(words.find_first_of(" \n"), words.size());
    const std::string_view word = words.substr(0, end);
    if (!word.empty() && word != "#") words_[word] |= flag;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
}

}  // namespace understudy::s2
