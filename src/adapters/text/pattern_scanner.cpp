#include "adapters/text/pattern_scanner.hpp"

#include <hs.h>

#include <algorithm>
#include <limits>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "base/check.hpp"

namespace understudy::text {

namespace {

struct FreeDatabase {
  void operator()(hs_database_t* database) const { hs_free_database(database); }
};
struct FreeScratch {
  void operator()(hs_scratch_t* scratch) const { hs_free_scratch(scratch); }
};
using Database = std::unique_ptr<hs_database_t, FreeDatabase>;
using Scratch = std::unique_ptr<hs_scratch_t, FreeScratch>;

// What vectorscan's compilers want: parallel arrays.
struct Columns {
  std::vector<const char*> expressions;
  std::vector<unsigned> flags;
  std::vector<unsigned> ids;
  std::vector<std::size_t> lengths;

  void add(const std::string& expression, unsigned id, LetterCase letter_case, unsigned more) {
    expressions.push_back(expression.c_str());
    flags.push_back(more | (letter_case == LetterCase::ignored ? HS_FLAG_CASELESS : 0U));
    ids.push_back(id);
    lengths.push_back(expression.size());
  }
  [[nodiscard]] unsigned size() const { return static_cast<unsigned>(expressions.size()); }
};

std::unexpected<Error> compile_failed(hs_compile_error_t* error, const Columns& columns) {
  std::string message = "the pattern scanner does not compile";
  if (error != nullptr) {
    if (error->expression >= 0)
      message += " \"" +
                 std::string(columns.expressions[static_cast<std::size_t>(error->expression)]) +
                 "\"";
    message += std::string(": ") + error->message;
    hs_free_compile_error(error);
  }
  return fail(ErrorCode::invalid_input, std::move(message));
}

struct Found {
  std::vector<PatternHit>* hits;
  const std::unordered_map<std::uint32_t, std::size_t>* literal_bytes;
};

int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned, void* context) {
  const auto* found = static_cast<Found*>(context);
  std::size_t begin = static_cast<std::size_t>(from);
  if (!found->literal_bytes->empty())
    begin = static_cast<std::size_t>(to) - found->literal_bytes->at(id);
  found->hits->push_back({.id = id, .begin = begin, .end = static_cast<std::size_t>(to)});
  return 0;
}

}  // namespace

struct PatternScanner::State {
  Database database;  // null: no patterns
  std::unordered_map<std::uint32_t, std::size_t> literal_bytes;
  Scratch prototype;
  std::mutex mutex;
  std::vector<Scratch> idle;

  Scratch borrow() {
    {
      const std::scoped_lock lock(mutex);
      if (!idle.empty()) {
        Scratch scratch = std::move(idle.back());
        idle.pop_back();
        return scratch;
      }
    }
    hs_scratch_t* copy = nullptr;
    CHECK(hs_clone_scratch(prototype.get(), &copy) == HS_SUCCESS, "memory for a scratch space");
    return Scratch(copy);
  }

  void give_back(Scratch scratch) {
    const std::scoped_lock lock(mutex);
    idle.push_back(std::move(scratch));
  }

  Status make_scratch() {
    hs_scratch_t* scratch = nullptr;
    if (hs_alloc_scratch(database.get(), &scratch) != HS_SUCCESS)
      return fail(ErrorCode::exhausted, "no memory for the pattern scanner");
    prototype.reset(scratch);
    return {};
  }
};

PatternScanner::PatternScanner(std::unique_ptr<State> state) : state_(std::move(state)) {}
PatternScanner::~PatternScanner() = default;
PatternScanner::PatternScanner(PatternScanner&&) noexcept = default;
PatternScanner& PatternScanner::operator=(PatternScanner&&) noexcept = default;

Result<PatternScanner> PatternScanner::compile(std::span<const Pattern> patterns) {
  auto state = std::make_unique<State>();
  if (patterns.empty()) return PatternScanner(std::move(state));
  Columns columns;
  for (const Pattern& pattern : patterns)
    columns.add(pattern.expression, pattern.id, pattern.letter_case, HS_FLAG_SOM_LEFTMOST);
  hs_database_t* database = nullptr;
  hs_compile_error_t* error = nullptr;
  if (hs_compile_multi(columns.expressions.data(), columns.flags.data(), columns.ids.data(),
                       columns.size(), HS_MODE_BLOCK, nullptr, &database, &error) != HS_SUCCESS)
    return compile_failed(error, columns);
  state->database.reset(database);
  TRY(state->make_scratch());
  return PatternScanner(std::move(state));
}

Result<PatternScanner> PatternScanner::compile_literals(std::span<const Literal> literals) {
  auto state = std::make_unique<State>();
  if (literals.empty()) return PatternScanner(std::move(state));
  Columns columns;
  for (const Literal& literal : literals) {
    CHECK(!literal.bytes.empty(), "an empty literal is everywhere");
    columns.add(literal.bytes, literal.id, literal.letter_case, 0);
    state->literal_bytes[literal.id] = literal.bytes.size();
  }
  hs_database_t* database = nullptr;
  hs_compile_error_t* error = nullptr;
  if (hs_compile_lit_multi(columns.expressions.data(), columns.flags.data(), columns.ids.data(),
                           columns.lengths.data(), columns.size(), HS_MODE_BLOCK, nullptr,
                           &database, &error) != HS_SUCCESS)
    return compile_failed(error, columns);
  state->database.reset(database);
  TRY(state->make_scratch());
  return PatternScanner(std::move(state));
}

std::vector<PatternHit> PatternScanner::scan(std::string_view bytes) const {
  std::vector<PatternHit> hits;
  if (!state_->database || bytes.empty()) return hits;
  CHECK(bytes.size() <= std::numeric_limits<unsigned>::max(), "a text below 4 GiB");
  Scratch scratch = state_->borrow();
  Found found{.hits = &hits, .literal_bytes = &state_->literal_bytes};
  const hs_error_t status =
      hs_scan(state_->database.get(), bytes.data(), static_cast<unsigned>(bytes.size()), 0,
              scratch.get(), on_match, &found);
  CHECK(status == HS_SUCCESS, "a scan with valid arguments succeeds");
  state_->give_back(std::move(scratch));
  std::ranges::sort(hits, {}, [](const PatternHit& hit) {
    return std::pair(hit.begin, std::pair(hit.end, hit.id));
  });
  return hits;
}

}  // namespace understudy::text
