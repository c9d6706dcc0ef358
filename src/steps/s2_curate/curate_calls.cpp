#include "steps/s2_curate/curate_calls.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>

#include "adapters/wire/chat.hpp"
#include "base/pool.hpp"
#include "base/progress.hpp"
#include "steps/s2_curate/canonical_call.hpp"
#include "steps/s2_curate/chat_call.hpp"
#include "steps/s2_curate/filters.hpp"
#include "steps/s2_curate/pseudonymiser.hpp"
#include "steps/s2_curate/splits.hpp"

namespace understudy::s2 {

namespace {

constexpr std::size_t calls_per_piece = 64;  // of work: enough to forget the cost of handing it out

// What the first pass knows of a call.
struct Examined {
  std::optional<std::string_view> drop_reason;
  std::string request_hash;
  std::string answer_hash;
};

// A call that stays, standing for its duplicates.
struct Kept {
  std::size_t call = 0;
  std::int64_t repeats = 1;
};

struct SecondPass {
  std::optional<Example> example;  // nothing: an original value was left
  EntityCounts replaced{};
};

void for_each_piece(Pool& pool, std::size_t count,
                    const std::function<void(std::size_t, std::size_t)>& body) {
  const std::size_t pieces = (count + calls_per_piece - 1) / calls_per_piece;
  pool.for_each(pieces, [&](std::size_t piece) {
    body(piece * calls_per_piece, std::min((piece + 1) * calls_per_piece, count));
  });
}

// A call that stays leaves this function as a chat completion, whatever its API was.
Examined examine(Call& call, const Detector& detector, EntityTable& table) {
  Examined examined{.drop_reason = reason_to_drop(call), .request_hash = {}, .answer_hash = {}};
  if (examined.drop_reason) return examined;
  if (!to_chat_form(call)) {
    examined.drop_reason = dropped_unparsable;
    return examined;
  }
  const auto request = json::parse(call.request.reveal());
  const auto response = json::parse(call.response.reveal());
  if (!request || !response || !wire::parse_chat_request(*request)) {
    examined.drop_reason = dropped_unparsable;
    return examined;
  }
  const auto answer = wire::parse_answer(*response);
  if (!answer) {
    examined.drop_reason = dropped_no_answer;
    return examined;
  }
  if (!collect_entities(detector, call.request.reveal(), table) ||
      !collect_entities(detector, call.response.reveal(), table)) {
    examined.drop_reason = dropped_unparsable;
    return examined;
  }
  examined.request_hash = request_hash(*request);
  examined.answer_hash = answer_hash(*answer);
  return examined;
}

std::vector<Examined> first_pass(Pool& pool, std::vector<Call>& calls, const Detector& detector,
                                 EntityTable& table) {
  std::vector<Examined> examined(calls.size());
  std::vector<EntityTable> tables((calls.size() + calls_per_piece - 1) / calls_per_piece);
  Progress progress("curate: looking for personal data", calls.size(), "calls");
  for_each_piece(pool, calls.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i)
      examined[i] = examine(calls[i], detector, tables[begin / calls_per_piece]);
    progress.advance(end - begin);
  });
  for (const EntityTable& part : tables) {
    for (const auto& [key, facts] : part) {
      const auto [place, is_new] = table.try_emplace(key, facts);
      if (is_new) continue;
      place->second.kind = std::min(place->second.kind, facts.kind);
      place->second.phone_countries.insert(facts.phone_countries.begin(),
                                           facts.phone_countries.end());
    }
  }
  return examined;
}

// The first call of each set of equal ones stays.
std::vector<Kept> without_duplicates(const std::vector<Examined>& examined) {
  std::vector<Kept> kept;
  std::unordered_map<std::string, std::size_t> first_of;
  for (std::size_t i = 0; i < examined.size(); ++i) {
    if (examined[i].drop_reason) continue;
    const auto [place, is_new] =
        first_of.try_emplace(examined[i].request_hash + examined[i].answer_hash, kept.size());
    if (is_new) {
      kept.push_back({.call = i});
    } else {
      ++kept[place->second].repeats;
    }
  }
  return kept;
}

SecondPass to_example(const Call& call, const Kept& kept, Split split,
                      const Pseudonymiser& pseudonymiser) {
  SecondPass result;
  auto request = pseudonymiser.rewrite(call.request.reveal());
  auto response = pseudonymiser.rewrite(call.response.reveal());
  if (!request || !response || !request->clean || !response->clean) return result;
  for (std::size_t type = 0; type < result.replaced.size(); ++type)
    result.replaced[type] = request->replaced[type] + response->replaced[type];
  result.example =
      Example{.call = call.id,
              .session = call.session,
              .started_at = call.started_at,
              .split = split,
              .model = call.served_model.empty() ? call.requested_model : call.served_model,
              .request = SecretText(std::move(request->body)),
              .response = SecretText(std::move(response->body)),
              .usage = call.usage,
              .latency_us = call.latency_us(),
              .repeats = kept.repeats};
  return result;
}

std::vector<SecondPass> second_pass(Pool& pool, const std::vector<Call>& calls,
                                    const std::vector<Kept>& kept, const std::vector<Split>& splits,
                                    const Pseudonymiser& pseudonymiser) {
  std::vector<SecondPass> results(kept.size());
  Progress progress("curate: replacing personal data", kept.size(), "examples");
  for_each_piece(pool, kept.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i)
      results[i] = to_example(calls[kept[i].call], kept[i], splits[kept[i].call], pseudonymiser);
    progress.advance(end - begin);
  });
  return results;
}

std::vector<Split> splits_of(const std::vector<Call>& calls, const std::vector<Examined>& examined,
                             const SecretText& key) {
  std::vector<SessionRequest> requests;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (examined[i].drop_reason) continue;
    requests.push_back({.session = calls[i].session, .request_hash = examined[i].request_hash});
    places.push_back(i);
  }
  const std::vector<Split> assigned = assign_splits(requests, key);
  std::vector<Split> splits(calls.size(), Split::train);
  for (std::size_t i = 0; i < places.size(); ++i) splits[places[i]] = assigned[i];
  return splits;
}

void count_examples(const std::vector<Kept>& kept, std::vector<SecondPass>& results,
                    CuratedCalls& curated) {
  std::set<std::string> sessions;
  CurateReport& report = curated.report;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const auto repeats = static_cast<std::uint64_t>(kept[i].repeats);
    if (!results[i].example) {
      report.dropped[std::string(dropped_pii_left)] += repeats;
      continue;
    }
    Example& example = *results[i].example;
    report.calls_kept += repeats;
    report.duplicates += repeats - 1;
    ++report.splits[std::string(to_string(example.split))];
    sessions.insert(example.session.value);
    for (std::size_t type = 0; type < results[i].replaced.size(); ++type) {
      if (results[i].replaced[type] > 0)
        report.entities[std::string(to_string(static_cast<EntityType>(type)))] +=
            results[i].replaced[type];
    }
    curated.examples.push_back(std::move(example));
  }
  report.examples = curated.examples.size();
  report.sessions = sessions.size();
}

}  // namespace

Result<CuratedCalls> curate_calls(std::vector<Call> calls, const SecretText& pseudonym_key,
                                  const CurateOptions& options) {
  const std::size_t cores = std::max(std::thread::hardware_concurrency(), 1U);
  Pool pool(options.threads > 0 ? options.threads : cores);
  const Detector detector = TRY(Detector::create({.rules = options.rules}));

  EntityTable originals;
  const std::vector<Examined> examined = first_pass(pool, calls, detector, originals);
  const std::vector<Split> splits = splits_of(calls, examined, pseudonym_key);
  const std::vector<Kept> kept = without_duplicates(examined);
  const Pseudonymiser pseudonymiser =
      TRY(Pseudonymiser::create(detector, originals, pseudonym_key));
  std::vector<SecondPass> results = second_pass(pool, calls, kept, splits, pseudonymiser);

  CuratedCalls curated;
  curated.report.calls_read = calls.size();
  for (const Examined& call : examined) {
    if (call.drop_reason) ++curated.report.dropped[std::string(*call.drop_reason)];
  }
  for (const auto& [key, facts] : originals)
    ++curated.report.distinct_values[std::string(to_string(key.type))];
  count_examples(kept, results, curated);
  return curated;
}

}  // namespace understudy::s2
