// What one tenant's examples can tell of another tenant: nothing. The strongest form of that is
// that they are the same, byte for byte, whether the other's calls are in the log or not.
#include <gtest/gtest.h>

#include <array>
#include <format>
#include <map>

#include "steps/s2_curate/curate_calls.hpp"

namespace understudy::s2 {
namespace {

const SecretText key(std::string(32, 'k'));
constexpr std::array<std::string_view, 8> first_names = {"Mary", "Ahmed", "Ingrid",  "Wei",
                                                         "Olga", "Pablo", "Chidera", "Tomasz"};
constexpr std::array<std::string_view, 8> last_names = {"Whitcombe", "Albaqarah", "Sandström",
                                                        "Zhangsun",  "Petrovna",  "Quijano",
                                                        "Okonkwo",   "Wisniewski"};

struct Person {
  std::string first, last, mail, phone, card;
};

// No two tenants know the same person; the last one is known to both, with the same data.
Person person(std::size_t tenant, std::size_t number) {
  const std::string first(first_names[number % 8]);
  const std::string last(last_names[(number + tenant) % 8]);
  const bool shared = number % 8 == 7;
  const std::size_t serial = shared ? 7 : tenant * 100 + number;
  return {.first = first,
          .last = shared ? std::string(last_names[7]) : last,
          .mail = shared ? "tomasz.w@shared.example"
                         : std::format("p{}@tenant{}.example", number, tenant),
          .phone = std::format("+1 415 555 {:04}", 2000 + serial),
          .card = shared ? "4111111111111111" : ""};
}

Call call_of(std::size_t tenant, std::size_t number, std::string_view text) {
  Call call;
  call.id = {std::format("t{}-{}", tenant, number)};
  call.session = {std::format("t{}-s{}", tenant, number)};
  call.origin.tenant = std::format("tenant-{}", tenant);
  call.request = SecretText(json::to_text(
      json::object{{"model", "m"},
                   {"messages", json::array{json::object{{"role", "user"}, {"content", text}}}}}));
  call.response =
      SecretText(R"({"choices":[{"index":0,"message":{"role":"assistant","content":"noted"}}]})");
  return call;
}

// Each person is met once with the context that gives the value away, and once without.
std::vector<Call> calls_of(std::size_t tenant) {
  std::vector<Call> calls;
  for (std::size_t i = 0; i < 40; ++i) {
    const Person who = person(tenant, i);
    const std::string card = who.card.empty() ? "" : ", my card is " + who.card;
    calls.push_back(
        call_of(tenant, 2 * i,
                std::format("I am {} {}, mail {}, my phone is {}{}. Order {}-{}.", who.first,
                            who.last, who.mail, who.phone, card, tenant, i)));
    calls.push_back(
        call_of(tenant, 2 * i + 1,
                std::format("{} of case {} called again about {}", who.last, 7000 + i, tenant)));
  }
  return calls;
}

std::map<std::string, std::string> examples_of(const std::vector<Call>& calls,
                                               std::string_view tenant_prefix) {
  const auto curated = curate_calls(calls, key, {.threads = 2});
  EXPECT_TRUE(curated.has_value());
  std::map<std::string, std::string> texts;
  for (const Example& example : curated->examples) {
    if (example.call.value.starts_with(tenant_prefix))
      texts[example.call.value] = example.request.reveal() + example.response.reveal();
  }
  return texts;
}

std::vector<Call> joined(std::vector<Call> calls, const std::vector<Call>& more) {
  calls.insert(calls.end(), more.begin(), more.end());
  return calls;
}

TEST(CrossTenant, ATenantsExamplesDoNotDependOnWhoElseIsInTheLog) {
  const auto alone = examples_of(calls_of(1), "t1-");
  const auto among_others =
      examples_of(joined(joined(calls_of(1), calls_of(2)), calls_of(3)), "t1-");
  EXPECT_GT(alone.size(), 70U);
  EXPECT_EQ(alone, among_others);
}

TEST(CrossTenant, NoOriginalOfATenantStandsInAnExampleOfAnyTenant) {
  const std::vector<Call> calls = joined(calls_of(1), calls_of(2));
  const auto examples = examples_of(calls, "t");
  for (std::size_t tenant = 1; tenant <= 2; ++tenant) {
    for (std::size_t i = 0; i < 40; ++i) {
      const Person who = person(tenant, i);
      for (const auto& [id, text] : examples) {
        for (const std::string& original : {who.mail, who.phone, who.first + " " + who.last})
          EXPECT_FALSE(text.contains(original)) << original << " in " << id;
      }
    }
  }
}

TEST(CrossTenant, AValueThatTwoTenantsKnowHasTwoSurrogates) {
  const auto examples = examples_of(joined(calls_of(1), calls_of(2)), "t");
  const auto mail_in = [&](const std::string& id) {
    const std::string& text = examples.at(id);
    const std::size_t begin = text.find("mail ") + 5;
    return text.substr(begin, text.find(',', begin) - begin);
  };
  EXPECT_TRUE(mail_in("t1-14").contains('@'));
  EXPECT_NE(mail_in("t1-14"), mail_in("t2-14"));
  EXPECT_EQ(mail_in("t1-14"), mail_in("t1-30"));  // the same person, later
}

}  // namespace
}  // namespace understudy::s2
