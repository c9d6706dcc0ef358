// Curation of calls that real agents made, where those lie beside the project; skipped elsewhere.
#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <regex>
#include <set>

#include "adapters/store/line_reader.hpp"
#include "adapters/wire/chat.hpp"
#include "base/clock.hpp"
#include "quality/valid_answer.hpp"
#include "steps/s2_curate/curate_calls.hpp"
#include "steps/s2_curate/detect/characters.hpp"

namespace understudy::s2 {
namespace {

namespace fs = std::filesystem;

const SecretText pseudonym_key(std::string(32, 'k'));

fs::path recorded_calls() {
  for (fs::path at = fs::current_path();; at = at.parent_path()) {
    if (fs::exists(at / "shared/data/calls")) return at / "shared/data/calls";
    if (at == at.root_path()) return {};
  }
}

std::vector<Call> read_recorded(const fs::path& path) {
  std::vector<Call> calls;
  auto reader = store::LineReader::open(path);
  while (reader) {
    const auto line = reader->next();
    if (!line || !*line) break;
    const json::value record = *json::parse(**line);
    Call call;
    call.id = {json::string_or(record, "id")};
    call.session = {call.id.value.substr(0, call.id.value.find_last_of("/-"))};
    call.request = SecretText(json::to_text(record.at("request")));
    if (const json::value* response = json::find(record, "response"))
      call.response = SecretText(json::to_text(*response));
    calls.push_back(std::move(call));
  }
  return calls;
}

std::multiset<std::string> matches(const std::string& text, const char* expression) {
  const std::regex regex(expression);
  std::multiset<std::string> found;
  for (auto it = std::sregex_iterator(text.begin(), text.end(), regex);
       it != std::sregex_iterator(); ++it)
    found.insert(it->str());
  return found;
}

TEST(CurateRecorded, LeavesTheIdsFlightsPricesAndDatesOfAnAirlineAlone) {
  const fs::path folder = recorded_calls();
  if (folder.empty()) GTEST_SKIP() << "there is no shared/data/calls beside this checkout";
  std::vector<Call> calls = read_recorded(folder / "tau_airline_gpt4o.jsonl.gz");
  ASSERT_GT(calls.size(), 2000U);
  calls.resize(500);
  const auto curated = curate_calls(calls, pseudonym_key, {});
  ASSERT_TRUE(curated.has_value());
  EXPECT_GT(curated->report.examples, 450U);
  EXPECT_GT(curated->report.entities.at("email"), 0U);
  EXPECT_GT(curated->report.entities.at("person"), 0U);
  EXPECT_EQ(curated->report.entities.size(), 2U) << "names and addresses are all that is personal";
  EXPECT_FALSE(curated->report.places.at("person").contains("origin")) << "MIA is an airport";

  std::size_t compared = 0;
  std::map<std::string, const Call*> by_id;
  for (const Call& call : calls) by_id[call.id.value] = &call;
  for (std::size_t i = 0; i < curated->examples.size(); i += 10) {
    const Example& example = curated->examples[i];
    const std::string& before = by_id.at(example.call.value)->request.reveal();
    const std::string& after = example.request.reveal();
    for (const char* literal :
         {"(credit_card|gift_card|certificate)_[0-9]+", "HAT[0-9]{3}", "\\$[0-9]+",
          "[0-9]{4}-[0-9]{2}-[0-9]{2}", "[0-9]{2}:[0-9]{2}:[0-9]{2}", "\"[A-Z0-9]{6}\""}) {
      const auto expected = matches(before, literal);
      compared += expected.size();
      ASSERT_EQ(matches(after, literal), expected) << literal << " in " << example.call.value;
    }
  }
  EXPECT_GT(compared, 1000U);
}

TEST(CurateRecorded, ReplacesOneAddressByOneSurrogateInAllCalls) {
  const fs::path folder = recorded_calls();
  if (folder.empty()) GTEST_SKIP() << "there is no shared/data/calls beside this checkout";
  std::vector<Call> calls = read_recorded(folder / "tau_airline_gpt4o.jsonl.gz");
  calls.resize(300);
  const auto curated = curate_calls(calls, pseudonym_key, {});
  ASSERT_TRUE(curated.has_value());
  const char* address = "[A-Za-z0-9._]+@[a-z]+\\.com";
  std::map<std::string, const Call*> by_id;
  for (const Call& call : calls) by_id[call.id.value] = &call;
  std::map<std::string, std::string> stand_in;
  for (const Example& example : curated->examples) {
    const auto in_order = [&](const std::string& text) {
      std::vector<std::string> all;
      const std::regex regex(address);
      for (auto it = std::sregex_iterator(text.begin(), text.end(), regex);
           it != std::sregex_iterator(); ++it)
        all.push_back(it->str());
      return all;
    };
    const auto before = in_order(by_id.at(example.call.value)->request.reveal());
    const auto after = in_order(example.request.reveal());
    ASSERT_EQ(before.size(), after.size());
    for (std::size_t i = 0; i < before.size(); ++i) {
      const auto [place, is_new] = stand_in.try_emplace(before[i], after[i]);
      EXPECT_EQ(place->second, after[i]);
      EXPECT_NE(before[i], after[i]);
    }
  }
  EXPECT_GT(stand_in.size(), 3U);
  std::set<std::string> distinct;
  for (const auto& [original, surrogate] : stand_in) distinct.insert(surrogate);
  EXPECT_EQ(distinct.size(), stand_in.size());
}

// Text of every e-mail address of a body, in order; by hand, because std::regex takes minutes.
std::vector<std::string> addresses_in(std::string_view text) {
  const auto in_name = [](char c) { return is_alnum(c) || c == '.' || c == '_'; };
  std::vector<std::string> all;
  for (std::size_t at = text.find('@'); at != std::string_view::npos; at = text.find('@', at + 1)) {
    std::size_t begin = at;
    while (begin > 0 && in_name(text[begin - 1])) --begin;
    std::size_t end = at + 1;
    while (end < text.size() && (is_alnum(text[end]) || text[end] == '-')) ++end;
    const bool dot = end > at + 1 && end + 2 < text.size() && text[end] == '.' &&
                     is_lower(text[end + 1]) && is_lower(text[end + 2]);
    if (begin == at || !dot) continue;
    while (end + 1 < text.size() && is_lower(text[end + 1])) ++end;
    all.emplace_back(text.substr(begin, end + 1 - begin));
  }
  return all;
}

// Strings of four bytes and more anywhere in a tree, in order.
void collect_strings(const json::value& tree, std::vector<std::string>& strings) {
  if (tree.is_string() && tree.get_string().size() >= 4) strings.emplace_back(tree.get_string());
  if (tree.is_array()) {
    for (const json::value& item : tree.get_array()) collect_strings(item, strings);
  }
  if (tree.is_object()) {
    for (const auto& member : tree.get_object()) collect_strings(member.value(), strings);
  }
}

std::vector<std::string> argument_strings(const Answer& answer) {
  std::vector<std::string> strings;
  for (const ToolCall& call : answer.tool_calls) {
    if (const auto tree = json::parse(call.arguments)) collect_strings(*tree, strings);
  }
  return strings;
}

std::vector<Call> read_all_recorded(const fs::path& folder) {
  std::vector<Call> calls;
  for (const auto& file : fs::directory_iterator(folder)) {
    if (!file.path().string().ends_with(".jsonl.gz")) continue;
    for (Call& call : read_recorded(file.path())) calls.push_back(std::move(call));
  }
  return calls;
}

// Whole sessions: every `nth` of them.
std::vector<Call> every_session(std::vector<Call> calls, std::uint64_t nth) {
  std::erase_if(calls, [&](const Call& call) {
    return std::hash<std::string>{}(call.session.value) % nth != 0;
  });
  return calls;
}

constexpr std::uint64_t sampled_sessions = 8;

// A sample of the sessions of all files; all of them with UNDERSTUDY_ALL_CALLS, as `./dev bench
// curate` asks for: 8 seconds of CPU.
TEST(CurateRecorded, IsConsistentOverAllFiles) {
  const fs::path folder = recorded_calls();
  if (folder.empty()) GTEST_SKIP() << "there is no shared/data/calls beside this checkout";
  const bool all = std::getenv("UNDERSTUDY_ALL_CALLS") != nullptr;
  const std::vector<Call> calls =
      every_session(read_all_recorded(folder), all ? 1 : sampled_sessions);
  const auto curated = curate_calls(calls, pseudonym_key, {});
  ASSERT_TRUE(curated.has_value());
  EXPECT_FALSE(curated->report.dropped.contains("pii_left"));
  std::map<std::string, const Call*> by_id;
  for (const Call& call : calls) by_id.try_emplace(call.id.value, &call);
  std::map<std::string, std::string> surrogate_of;  // of e-mail addresses
  std::size_t answers_with_tools = 0;
  std::size_t occurrences = 0;
  std::size_t copied = 0;
  std::size_t copies_kept = 0;
  for (const Example& example : curated->examples) {
    const Call& call = *by_id.at(example.call.value);
    for (const auto& [before, after] : {std::pair(&call.request, &example.request),
                                        std::pair(&call.response, &example.response)}) {
      const auto originals = addresses_in(before->reveal());
      const auto drawn = addresses_in(after->reveal());
      if (originals.size() != drawn.size()) continue;  // letters of other scripts in one of them
      occurrences += originals.size();
      for (std::size_t i = 0; i < originals.size(); ++i)
        EXPECT_EQ(surrogate_of.try_emplace(originals[i], drawn[i]).first->second, drawn[i]);
    }
    const auto answer = wire::parse_answer(*json::parse(example.response.reveal()));
    ASSERT_TRUE(answer.has_value());
    if (answer->tool_calls.empty()) continue;
    ++answers_with_tools;
    const json::value request = *json::parse(example.request.reveal());
    EXPECT_TRUE(quality::fits_tools(*answer, quality::answer_shape(request))) << example.call.value;
    // What the answer copied from the prompt, it copies still.
    const auto before = argument_strings(*wire::parse_answer(*json::parse(call.response.reveal())));
    const auto after = argument_strings(*answer);
    ASSERT_EQ(before.size(), after.size());
    const std::string prompt_before = wire::prompt_text(*json::parse(call.request.reveal()));
    const std::string prompt_after = wire::prompt_text(request);
    for (std::size_t i = 0; i < before.size(); ++i) {
      if (!prompt_before.contains(before[i])) continue;
      ++copied;
      copies_kept += prompt_after.contains(after[i]) ? 1U : 0U;
    }
  }
  std::set<std::string> distinct;
  for (const auto& [original, drawn] : surrogate_of) {
    if (drawn == original) continue;  // no address of a person: an example of a prompt, a decorator
    distinct.insert(drawn);
    EXPECT_FALSE(surrogate_of.contains(drawn)) << "a surrogate is an original";
  }
  EXPECT_GT(distinct.size(), all ? 30U : 3U);
  EXPECT_GT(copied, all ? 1000U : 100U);
  std::cout << "consistency: " << distinct.size() << " addresses in " << occurrences
            << " places have one surrogate each and none is an original; " << answers_with_tools
            << " answers with tool calls fit their schemas; " << copies_kept << " of " << copied
            << " copied arguments are copies still\n";
  EXPECT_GE(static_cast<double>(copies_kept), (all ? 0.999 : 0.99) * static_cast<double>(copied));
}

// Takes tens of seconds; prints what `curate` makes of every recorded file.
TEST(CurateRecorded, CuratesAllFiles) {
  const fs::path folder = recorded_calls();
  if (std::getenv("UNDERSTUDY_ALL_CALLS") == nullptr) GTEST_SKIP() << "UNDERSTUDY_ALL_CALLS unset";
  const std::vector<Call> calls = read_all_recorded(folder);
  const std::size_t count = calls.size();
  const Stopwatch watch;
  const auto curated = curate_calls(calls, pseudonym_key, {});
  ASSERT_TRUE(curated.has_value());
  std::cout << json::to_text(to_json(curated->report)) << "\n" << watch.elapsed_s() << " s\n";
  std::uint64_t accounted = curated->report.calls_kept;
  for (const auto& [reason, dropped] : curated->report.dropped) accounted += dropped;
  EXPECT_EQ(accounted, count);
}

}  // namespace
}  // namespace understudy::s2
