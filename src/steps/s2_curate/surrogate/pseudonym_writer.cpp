#include "steps/s2_curate/surrogate/pseudonym_writer.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "adapters/text/hashing.hpp"
#include "steps/s2_curate/surrogate/call_values.hpp"
#include "steps/s2_curate/surrogate/json_rewriter.hpp"

namespace understudy::s2 {

namespace {

constexpr std::size_t memo_bytes_max = std::size_t{12} << 20U;
constexpr std::size_t clean_objects_max = 65'536;
constexpr std::size_t scanned_strings_max = 4096;
constexpr std::size_t entry_bytes = 128;  // of a memo without its text

struct Replaced {
  EntityType type;
  std::string path;
};

// An image or a sound as a data URL: its letters mean nothing, but look like keys.
bool is_binary(std::string_view text) {
  return text.starts_with("data:") && text.substr(0, 128).contains(";base64,");
}

// Who asked, as the caller's own name or number: request fields that no answer depends on.
bool names_the_caller(const JsonLeaf& leaf) {
  return leaf.depth == 1 && leaf.kind != JsonLeaf::Kind::key &&
         (leaf.key == "user" || leaf.key == "safety_identifier");
}

// A key of an object is no value of a key.
Leaf as_leaf(const JsonLeaf& leaf) {
  return {.text = leaf.text, .key = leaf.kind == JsonLeaf::Kind::key ? "" : leaf.key};
}

// What the result of an object depends on besides the object.
std::uint64_t seed_of(const Treatment& treatment, const CallValues& own) {
  const std::uint64_t parts[] = {treatment.scope, treatment.actions_id, own.id()};
  return text::hash64({reinterpret_cast<const char*>(parts), sizeof parts});
}

std::uint64_t hash_of(const JsonObject& object, std::uint64_t context, std::size_t nesting = 0) {
  const std::uint64_t seed = text::hash64(object.key, context + (nesting > 0 ? 1 : 0));
  return text::hash64(object.text, seed + 1);
}

class Memo : public RewriteMemo {
 public:
  // Without recall every leaf is met.
  void begin(std::uint64_t context, bool recalls) {
    context_ = context;
    recalls_ = recalls;
    starts_.clear();
    replaced.clear();
  }
  const std::optional<std::string>* recall(const JsonObject& object) override {
    const auto known = entries_.find(hash_of(object, context_));
    if (!recalls_ || known == entries_.end() || known->second.bytes != object.text.size()) {
      starts_.push_back(replaced.size());
      return nullptr;
    }
    replaced.insert(replaced.end(), known->second.replaced.begin(), known->second.replaced.end());
    return &known->second.changed;
  }
  void remember(const JsonObject& object, std::optional<std::string> changed) override {
    const auto first = replaced.begin() + static_cast<std::ptrdiff_t>(starts_.back());
    starts_.pop_back();
    if (!recalls_) return;
    Entry entry{.bytes = object.text.size(),
                .changed = std::move(changed),
                .replaced = {first, replaced.end()}};
    const std::size_t size =
        entry_bytes * (1 + entry.replaced.size()) + (entry.changed ? entry.changed->size() : 0);
    if (bytes_ + size > memo_bytes_max) {
      entries_.clear();
      bytes_ = 0;
    }
    bytes_ += size;
    entries_.insert_or_assign(hash_of(object, context_), std::move(entry));
  }

  std::vector<Replaced> replaced;  // in the body that is being written

 private:
  struct Entry {
    std::size_t bytes = 0;
    std::optional<std::string> changed;
    std::vector<Replaced> replaced;
  };
  std::uint64_t context_ = 0;
  bool recalls_ = true;
  std::unordered_map<std::uint64_t, Entry> entries_;
  std::size_t bytes_ = 0;
  std::vector<std::size_t> starts_;
};

}  // namespace

struct PseudonymWriter::State {
  const Pseudonymiser& shared;
  TextScanner scanner;
  CallValues own;  // of the call that is being written
  Memo memo;
  std::unordered_set<std::uint64_t> clean_objects;
  std::unique_ptr<VariedCall> varied = {};  // null: numbers stay
  VariedCall::Side side = VariedCall::Side::prompt;
  ByteSpans messages = {};  // of the body that is being written

  [[nodiscard]] std::vector<VariedCall::Change> vary(const JsonLeaf& leaf,
                                                     const std::vector<Entity>& entities);
  std::optional<std::string> write_leaf(const JsonLeaf& leaf, const Treatment& treatment);
  bool is_clean(std::string_view body, const Treatment& treatment);
};

namespace {

// Looks for originals in all leaves; objects that are known to be clean are not walked again.
class Inspection : public JsonVisitor {
 public:
  using HasOriginal = std::function<bool(const Leaf&)>;
  Inspection(const HasOriginal& has_original, std::unordered_set<std::uint64_t>& clean_objects,
             std::uint64_t context, std::size_t nesting)
      : has_original_(has_original),
        clean_objects_(clean_objects),
        context_(context),
        nesting_(nesting) {}

  void leaf(const JsonLeaf& leaf) override {
    if (clean && !is_binary(leaf.text)) clean = !has_original_(as_leaf(leaf));
  }
  bool nested(const JsonNested& nested) override {
    if (nesting_ >= nested_texts_max || !clean) return !clean;
    if (nested.encoded != nullptr && !looks_like_json(nested.text)) {
      clean = !has_original_({.text = nested.text, .key = nested.key});
      return false;
    }
    Inspection inside(has_original_, clean_objects_, context_, nesting_ + 1);
    if (!walk_json(nested.text, inside, nested.key, nested.depth)) return false;
    clean = inside.clean;
    return nested.encoded == nullptr;
  }
  bool entered(const JsonObject& object) override {
    if (!clean) return true;
    if (!clean_objects_.contains(hash_of(object, context_, nesting_))) return false;
    if (nesting_ == 0) known.emplace_back(object.begin, object.begin + object.text.size());
    return true;
  }
  void left(const JsonObject& object) override {
    // As it stands, whatever it is part of.
    if (clean && nesting_ == 0) clean = !has_original_({.text = object.text, .key = {}});
    if (!clean) return;
    if (nesting_ == 0) {
      while (!known.empty() && known.back().first >= object.begin) known.pop_back();
      known.emplace_back(object.begin, object.begin + object.text.size());
    }
    if (clean_objects_.size() >= clean_objects_max) clean_objects_.clear();
    clean_objects_.insert(hash_of(object, context_, nesting_));
  }

  bool clean = true;
  std::vector<std::pair<std::size_t, std::size_t>> known;  // places that were looked at as they are

 private:
  const HasOriginal& has_original_;
  std::unordered_set<std::uint64_t>& clean_objects_;
  std::uint64_t context_;
  std::size_t nesting_;
};

}  // namespace

PseudonymWriter::PseudonymWriter(const Pseudonymiser& pseudonymiser)
    : state_(new State{.shared = pseudonymiser,
                       .scanner = TextScanner(pseudonymiser.detector_, scanned_strings_max),
                       .own = {},
                       .memo = {},
                       .clean_objects = {}}) {}
PseudonymWriter::~PseudonymWriter() = default;
PseudonymWriter::PseudonymWriter(PseudonymWriter&&) noexcept = default;

std::vector<VariedCall::Change> PseudonymWriter::State::vary(const JsonLeaf& leaf,
                                                             const std::vector<Entity>& entities) {
  if (!varied || leaf.kind == JsonLeaf::Kind::key || !in_any(messages, leaf.outermost)) return {};
  ByteSpans taken;
  for (const Entity& entity : entities) taken.emplace_back(entity.begin, entity.end);
  if (leaf.kind == JsonLeaf::Kind::text) {  // what stays is no number either: a date, an address
    for (const Entity& entity : shared.detector_.detect(as_leaf(leaf)))
      taken.emplace_back(entity.begin, entity.end);
  }
  return varied->vary(leaf.text, taken, side);
}

std::optional<std::string> PseudonymWriter::State::write_leaf(const JsonLeaf& leaf,
                                                              const Treatment& treatment) {
  if (is_binary(leaf.text)) return std::nullopt;
  if (names_the_caller(leaf)) return "[REDACTED:" + std::string(leaf.key) + "]";
  const std::vector<Entity> entities = leaf.kind == JsonLeaf::Kind::small_number
                                           ? std::vector<Entity>()
                                           : shared.entities_of(as_leaf(leaf), treatment, own);
  std::vector<VariedCall::Change> changes = vary(leaf, entities);
  memo.replaced.insert(memo.replaced.end(), changes.size(),
                       {.type = EntityType::plain_number, .path = std::string(leaf.key)});
  for (const Entity& entity : entities) {
    const bool masked = entity.type != EntityType::secret &&
                        action_of(treatment.actions, entity.type) == Action::mask;
    changes.push_back(
        {.begin = entity.begin,
         .end = entity.end,
         .text = masked ? mask_of(entity.type)
                        : shared.surrogates_.write(
                              entity, treatment.scope,
                              leaf.text.substr(entity.begin, entity.end - entity.begin))});
    memo.replaced.push_back({.type = entity.type, .path = std::string(leaf.key)});
  }
  if (changes.empty()) return std::nullopt;
  std::ranges::sort(changes, {}, &VariedCall::Change::begin);
  std::string out;
  std::size_t copied_to = 0;
  for (const VariedCall::Change& change : changes) {
    out += leaf.text.substr(copied_to, change.begin - copied_to);
    out += change.text;
    copied_to = change.end;
  }
  return out + std::string(leaf.text.substr(copied_to));
}

bool PseudonymWriter::State::is_clean(std::string_view body, const Treatment& treatment) {
  const Inspection::HasOriginal has_original = [&](const Leaf& leaf) {
    return leaf.key.empty() && looks_like_json(leaf.text)
               ? shared.has_known(leaf.text, treatment, own)
               : shared.has_original(leaf, treatment, own);
  };
  Inspection inspection(has_original, clean_objects, seed_of(treatment, own), 0);
  if (!walk_json(body, inspection) || !inspection.clean) return false;
  std::ranges::sort(inspection.known);
  std::size_t begin = 0;
  for (const auto& [from, to] : inspection.known) {
    if (from > begin && shared.has_known(body.substr(begin, from - begin), treatment, own))
      return false;
    begin = std::max(begin, to);
  }
  return !shared.has_known(body.substr(begin), treatment, own);
}

Result<PseudonymWriter::Rewritten> PseudonymWriter::rewrite(std::string_view request,
                                                            std::string_view response,
                                                            const Treatment& treatment) {
  State& state = *state_;
  std::vector<Entity> found = state.scanner.scan(request);
  for (Entity& entity : state.scanner.scan(response)) found.push_back(std::move(entity));
  state.own = CallValues(found, state.shared.known_, treatment);
  const LeafRewrite write = [&](const JsonLeaf& leaf) { return state.write_leaf(leaf, treatment); };
  Rewritten result;
  result.clean = true;
  state.varied = treatment.numbers ? std::make_unique<VariedCall>(*treatment.numbers) : nullptr;
  for (const auto& [body, out] :
       {std::pair(request, &result.request), std::pair(response, &result.response)}) {
    if (treatment.numbers) {
      state.side = out == &result.request ? VariedCall::Side::prompt : VariedCall::Side::answer;
      state.messages = message_spans(body);
    }
    state.memo.begin(seed_of(treatment, state.own), !treatment.numbers.has_value());
    auto changed = TRY(rewrite_json(body, write, &state.memo));
    *out = changed ? std::move(*changed) : std::string(body);
    for (Replaced& replaced : state.memo.replaced)
      ++result.replaced[{replaced.type, std::move(replaced.path)}];
    result.clean = result.clean && state.is_clean(*out, treatment);
  }
  if (state.varied) result.numbers = state.varied->outcome();
  return result;
}

}  // namespace understudy::s2
