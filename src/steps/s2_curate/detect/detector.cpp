#include "steps/s2_curate/detect/detector.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "steps/s2_curate/detect/characters.hpp"
#include "steps/s2_curate/detect/find_names.hpp"
#include "steps/s2_curate/detect/find_secrets.hpp"
#include "steps/s2_curate/detect/triggers.hpp"

namespace understudy::s2 {

namespace {

constexpr std::size_t number_digits_min = 6;    // of the shortest local phone number
constexpr std::size_t short_text_bytes = 128;   // a value of its key, no prose
constexpr std::size_t context_reach = 72;       // from the word that announces an id to its end
constexpr std::size_t context_reach_back = 40;  // "A123 is my passport number"
constexpr std::size_t id_token_bytes_min = 8;   // letters and digits mixed
constexpr std::size_t id_token_bytes_max = 20;
constexpr std::size_t id_digits_min = 9;  // with separators
constexpr std::size_t id_digits_max = 18;
constexpr std::size_t id_margin = 14;         // of the window around such a token
constexpr std::size_t card_bytes_before = 2;  // of an IBAN's country code

// What mail addresses, hardware addresses and network addresses have.
constexpr auto is_telling = [] {
  std::array<bool, 256> telling{};
  for (const char c : {'@', ':', '-'}) telling[static_cast<unsigned char>(c)] = true;
  return telling;
}();

// What one text is searched with. Found entities usually match again at each of their bytes, so
// each kind looks behind what it has found only.
class Search {
 public:
  Search(const Leaf& leaf, double score_min, const Triggers& triggers, const IdFinder& ids)
      : leaf_(leaf), text_(leaf.text), score_min_(score_min), triggers_(triggers), ids_(ids) {}

  std::vector<Entity> run(const NameFinder& names) {
    for (const text::PatternHit& hit : triggers_.scan(text_)) follow(hit);
    scan_bytes();
    DigitRuns runs(text_);
    while (const DigitRun* run = runs.next(1)) look_at_number(*run);
    add(find_keyed_secret(leaf_));
    if (text_.size() <= short_text_bytes && !leaf_.key.empty()) announced_by_key();
    if (score_min_ <= 0)
      ids_.find(text_, {.begin = 0, .end = text_.size()}, {}, score_min_, found_);
    names.find(leaf_, score_min_, found_);
    return std::move(found_);
  }

 private:
  void add(std::optional<Entity> entity) {
    if (entity && entity->score >= score_min_) found_.push_back(std::move(*entity));
  }

  void follow(const text::PatternHit& hit) {
    const Trigger& trigger = triggers_.at(hit.id);
    const Place place{.begin = hit.begin, .end = hit.end};
    switch (trigger.kind) {
      case Trigger::Kind::secret_format:
        return add(find_formatted_secret(leaf_, place, *trigger.format));
      case Trigger::Kind::assignment:
        if (hit.begin < assigned_to_) return;
        if (auto entity = find_assigned_secret(leaf_, place)) {
          assigned_to_ = entity->end;
          add(std::move(entity));
        }
        return;
      case Trigger::Kind::id_context: return follow_context(place, trigger.announced);
      case Trigger::Kind::private_key: return add(find_private_key(text_, hit.begin));
      case Trigger::Kind::jwt: return add(find_jwt(text_, hit.begin));
      case Trigger::Kind::curl: return add(find_curl_password(text_, hit.end));
      case Trigger::Kind::authorization:
        if (text_[hit.end - 1] == ' ') return add(find_authorization(text_, hit.begin));
        return add(find_authorization(text_, hit.end));
      case Trigger::Kind::date_word: return add_named_date(place);
      case Trigger::Kind::url: return add_url(hit.begin);
      case Trigger::Kind::internet_host: return add_url(hit.end - 1);
    }
  }

  void add_url(std::size_t at) {
    if (at < url_to_) return;
    if (auto url = find_url(text_, at)) {
      url_to_ = url->end;
      add(std::move(url));
    }
  }

  void add_named_date(Place word) {
    if (continues_word_before(text_, word.begin) || continues_word_after(text_, word.end)) return;
    add(find_named_date(text_, word));
  }

  void follow_context(Place word, const TypeSet& announced) {
    if (continues_word_before(text_, word.begin)) return;
    std::size_t end = word.end;
    if (end < text_.size() && text_[end] == 's') ++end;
    if (end < text_.size() && is_alnum(text_[end])) return;
    const std::size_t begin = word.begin > context_reach_back ? word.begin - context_reach_back : 0;
    const Place around{.begin = begin, .end = std::min(text_.size(), word.end + context_reach)};
    if (!has_digits(around)) return;
    ids_.find(text_, around, announced, std::max(score_min_, 0.01), found_);
  }

  [[nodiscard]] bool has_digits(Place place) const {
    return std::ranges::count_if(text_.substr(place.begin, place.end - place.begin), is_digit) >= 3;
  }

  void announced_by_key() {
    if (!has_digits({.begin = 0, .end = text_.size()})) return;
    const TypeSet announced = triggers_.announced_by(leaf_.key);
    if (announced.any())
      ids_.find(text_, {.begin = 0, .end = text_.size()}, announced, score_min_, found_);
  }

  void scan_bytes() {
    const char* const bytes = text_.data();
    const std::size_t size = text_.size();
    for (std::size_t i = 0; i < size; ++i) {
      const char c = bytes[i];
      if (!is_telling[static_cast<unsigned char>(c)]) continue;
      if (c == '@') {
        if (i >= email_to_) at_sign(i);
      } else if (c == ':' || c == '-') {
        separator(i);
      }
    }
  }

  void at_sign(std::size_t at) {
    if (at == 0 || at + 1 >= text_.size()) return;
    auto email = find_email(leaf_, at);
    if (email) email_to_ = email->end;
    add(email ? std::move(email) : find_url_password(leaf_, at));
  }

  void separator(std::size_t at) {
    if (at + 3 >= text_.size() + (text_[at] == ':' ? 2 : 0) || at < address_to_) return;
    const bool pair = text_[at] == ':' && at + 1 < text_.size() && text_[at + 1] == ':';
    const bool hex_group = at >= 2 && at + 3 < text_.size() && is_hex(text_[at - 1]) &&
                           is_hex(text_[at + 1]) && is_hex(text_[at - 2]);
    if (hex_group && text_[at + 3] == text_[at]) {
      if (auto mac = find_mac(leaf_, at)) {
        address_to_ = mac->end;
        return add(std::move(mac));
      }
    }
    if (text_[at] == '-' || !(pair || another_group_follows(at))) return;
    if (auto ip = find_ipv6(leaf_, at)) {
      address_to_ = ip->end;
      add(std::move(ip));
    }
  }

  // "2001:db8:": a hex group between two colons.
  [[nodiscard]] bool another_group_follows(std::size_t at) const {
    if (at == 0 || !is_hex(text_[at - 1])) return false;
    std::size_t end = at + 1;
    while (end < text_.size() && end - at <= 4 && is_hex(text_[end])) ++end;
    return end > at + 1 && end < text_.size() && text_[end] == ':';
  }

  void look_at_number(const DigitRun& run) {
    std::size_t digits = 0;
    for (const DigitGroup& group : run.groups) {
      digits += group.size();
      look_at_word(group);
    }
    find_dates(text_, run, dates_);
    for (Entity& entity : dates_) add(std::move(entity));
    dates_.clear();
    if (run.groups.size() >= 4 && run.groups[0].size() <= 3) look_for_ipv4(run);
    if (digits < number_digits_min) return;
    const std::size_t before = found_.size();
    find_cards(leaf_, run, found_);
    find_phones(leaf_, run, found_);
    for (std::size_t i = before; i < found_.size();) {
      if (found_[i].score < score_min_) {
        found_.erase(found_.begin() + static_cast<std::ptrdiff_t>(i));
      } else {
        ++i;
      }
    }
    const bool separated = run.groups.size() > 1 || digits == 18;
    if (separated && digits >= id_digits_min && digits <= id_digits_max)
      look_for_id(run.begin, run.end());
  }

  void look_for_ipv4(const DigitRun& run) {
    for (std::size_t i = 0; i + 3 < run.groups.size(); ++i) {
      if (run.groups[i].begin < ipv4_to_) continue;
      if (text_[run.groups[i].end] != '.' || run.groups[i + 1].begin != run.groups[i].end + 1)
        continue;
      if (auto ip = find_ipv4(leaf_, run.groups[i + 1].begin)) {
        ipv4_to_ = ip->end;
        add(std::move(ip));
      }
    }
  }

  // The word of letters and digits that a group of digits stands in: an IBAN, a coin's address, a
  // document's number.
  void look_at_word(DigitGroup group) {
    if (group.begin < word_to_) return;
    std::size_t begin = group.begin;
    while (begin > 0 && is_alnum(text_[begin - 1])) --begin;
    std::size_t end = group.end;
    while (end < text_.size() && is_alnum(text_[end])) ++end;
    word_to_ = end;
    const Place word{.begin = begin, .end = end};
    if (group.size() >= 2 && group.begin - begin == card_bytes_before && is_letter(text_[begin]) &&
        group.begin >= iban_to_) {
      if (auto iban = find_iban(leaf_, begin)) {
        iban_to_ = iban->end;
        add(std::move(iban));
      }
    }
    const std::size_t bytes = end - begin;
    if (bytes >= 20) {
      add(find_crypto_address(text_, word));
      add(find_bot_token(text_, word));
    }
    const bool mixed = bytes > group.size();
    const bool goes_on = end + 1 < text_.size() && (text_[end] == '-' || text_[end] == '+') &&
                         is_alnum(text_[end + 1]);
    if ((mixed && bytes >= id_token_bytes_min && bytes <= id_token_bytes_max) ||
        (mixed && goes_on && bytes >= 4 && bytes < id_token_bytes_min))
      look_for_id(begin, end);
  }

  void look_for_id(std::size_t begin, std::size_t end) {
    if (score_min_ <= 0 || begin < id_to_) return;
    id_to_ = end;
    const Place around{.begin = begin > id_margin ? begin - id_margin : 0,
                       .end = std::min(text_.size(), end + id_margin)};
    ids_.find(text_, around, {}, score_min_, found_);
  }

  const Leaf& leaf_;
  std::string_view text_;
  double score_min_;
  const Triggers& triggers_;
  const IdFinder& ids_;
  std::vector<Entity> found_;
  std::vector<Entity> dates_;
  std::size_t email_to_ = 0;
  std::size_t assigned_to_ = 0;
  std::size_t url_to_ = 0;
  std::size_t address_to_ = 0;
  std::size_t ipv4_to_ = 0;
  std::size_t word_to_ = 0;
  std::size_t iban_to_ = 0;
  std::size_t id_to_ = 0;
};

void without_repeats(std::vector<Entity>& found) {
  const auto key = [](const Entity& entity) {
    return std::tuple(entity.begin, entity.end, entity.type, -entity.score);
  };
  std::ranges::sort(found, {}, key);
  const auto same = [](const Entity& left, const Entity& right) {
    return left.begin == right.begin && left.end == right.end && left.type == right.type;
  };
  found.erase(std::unique(found.begin(), found.end(), same), found.end());
}

}  // namespace

struct Detector::State {
  double score_min = 0;
  Triggers triggers;
  IdFinder ids;
  NameFinder names;
  CustomRules rules;
  std::shared_ptr<const Recogniser> recogniser;
};

Detector::Detector(std::unique_ptr<const State> state) : state_(std::move(state)) {}
Detector::~Detector() = default;
Detector::Detector(Detector&&) noexcept = default;
Detector& Detector::operator=(Detector&&) noexcept = default;

Result<Detector> Detector::create(const DetectorOptions& options) {
  return Detector(
      std::unique_ptr<const State>(new State{.score_min = options.score_min,
                                             .triggers = TRY(Triggers::create()),
                                             .ids = TRY(IdFinder::create()),
                                             .names = NameFinder(),
                                             .rules = TRY(CustomRules::compile(options.rules)),
                                             .recogniser = options.recogniser}));
}

std::vector<Entity> Detector::detect(const Leaf& leaf) const {
  const State& state = *state_;
  std::vector<Entity> found =
      Search(leaf, state.score_min, state.triggers, state.ids).run(state.names);
  state.rules.apply(leaf.text, found);
  if (state.recogniser) {
    for (Entity& entity : state.recogniser->find(leaf.text)) {
      if (entity.score >= state.score_min) found.push_back(std::move(entity));
    }
  }
  if (state.score_min > 0) return without_overlaps(std::move(found));
  without_repeats(found);
  return found;
}

}  // namespace understudy::s2
