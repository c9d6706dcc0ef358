#include "steps/s2_curate/surrogates.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <format>
#include <regex>
#include <set>

#include "adapters/text/phone_numbers.hpp"
#include "steps/s2_curate/detect/characters.hpp"
#include "steps/s2_curate/detect/checksums.hpp"

namespace understudy::s2 {
namespace {

const SecretText key(std::string(32, 'k'));

// The surrogate of one value in the writing of `occurrence`.
std::string stand_in(EntityType type, const std::string& value, const std::string& occurrence,
                     const SecretText& with_key = key) {
  Entity entity{.type = type, .value = value, .kind = "api_key"};
  EntityTable table;
  add_to(table, entity);
  return Surrogates::assign(with_key, table)->write(entity, occurrence);
}

TEST(Surrogates, KeepTheFormOfAnEmail) {
  const std::string written =
      stand_in(EntityType::email, "mary.jones42@acme.co.uk", "Mary.Jones42@acme.co.uk");
  EXPECT_TRUE(std::regex_match(
      written, std::regex("[A-Z][a-z]{3}\\.[A-Z][a-z]{4}[0-9]{2}@[a-z]{4}\\.co\\.uk")))
      << written;
  EXPECT_FALSE(lower_ascii(written).contains("mary"));
  EXPECT_FALSE(written.contains("acme"));
  EXPECT_TRUE(
      stand_in(EntityType::email, "mary@gmail.com", "mary@gmail.com").ends_with("@gmail.com"));
}

TEST(Surrogates, KeepNetworkGroupsAndCheckDigitOfACard) {
  const std::string grouped = stand_in(EntityType::card, "4111111111111111", "4111 1111-1111 1111");
  EXPECT_TRUE(std::regex_match(grouped, std::regex("4\\d{3} \\d{4}-\\d{4} \\d{4}"))) << grouped;
  EXPECT_TRUE(passes_luhn(only_digits(grouped)));
  EXPECT_EQ(stand_in(EntityType::card, "4111111111111111", "4111111111111111"),
            only_digits(grouped));
  EXPECT_TRUE(stand_in(EntityType::card, "371449635398431", "371449635398431").starts_with("37"));
}

TEST(Surrogates, KeepCountryAndCheckDigitsOfAnIban) {
  const std::string written =
      stand_in(EntityType::iban, "GB29NWBK60161331926819", "gb29 nwbk 6016 1331 9268 19");
  EXPECT_TRUE(
      std::regex_match(written, std::regex("gb\\d\\d [a-z]{4} \\d{4} \\d{4} \\d{4} \\d\\d")))
      << written;
  EXPECT_TRUE(is_iban(upper_ascii(only_alnum(written))));
}

TEST(Surrogates, KeepCallingCodeAndFormattingOfAPhoneNumber) {
  Entity entity{.type = EntityType::phone, .value = "4155552671", .phone_country = 1};
  EntityTable table;
  add_to(table, entity);
  const auto surrogates = Surrogates::assign(key, table);
  const std::string international = surrogates->write(entity, "+1 (415) 555-2671");
  EXPECT_TRUE(std::regex_match(international, std::regex("\\+1 \\(41\\d\\) \\d{3}-\\d{4}")))
      << international;
  EXPECT_EQ("1" + surrogates->write(entity, "4155552671"), only_digits(international));
  EXPECT_TRUE(text::parse_phone_number(international)->valid);
}

TEST(Surrogates, KeepFamilyAndNetworkOfAnAddress) {
  EXPECT_TRUE(std::regex_match(stand_in(EntityType::ip, "192.168.20.1", "192.168.20.1"),
                               std::regex("192\\.168\\.\\d\\d\\.\\d")));
  EXPECT_TRUE(std::regex_match(stand_in(EntityType::ip, "86.231.85.193", "86.231.85.193"),
                               std::regex("\\d\\d\\.\\d{3}\\.\\d\\d\\.\\d{3}")));
  const std::string v6 = stand_in(EntityType::ip, "2400:c401::fe1b:b031", "2400:C401::FE1B:B031");
  EXPECT_TRUE(std::regex_match(v6, std::regex("2400:[0-9A-F]{4}::[0-9A-F]{4}:[0-9A-F]{4}"))) << v6;
}

TEST(Surrogates, RedactSecretsWithoutATrace) {
  EXPECT_EQ(stand_in(EntityType::secret, "hunter2!", "hunter2!"), "[REDACTED:api_key]");
}

TEST(Surrogates, DependOnTheKeyAndTheValueOnly) {
  const auto mary = [](const SecretText& with) {
    return stand_in(EntityType::email, "mary@acme.com", "mary@acme.com", with);
  };
  EXPECT_EQ(mary(key), mary(key));
  EXPECT_NE(mary(key), mary(SecretText(std::string(32, 'q'))));
}

TEST(Surrogates, OfAHundredThousandValuesAreDistinctAndNoOriginals) {
  EntityTable table;
  const std::vector<EntityType> types = {EntityType::email, EntityType::card, EntityType::phone,
                                         EntityType::ip, EntityType::iban};
  for (int i = 0; i < 20'000; ++i) {
    add_to(table, {.type = EntityType::email, .value = std::format("u{}@acme.com", i)});
    const std::string card = std::format("41111111{:07}", i);
    add_to(table, {.type = EntityType::card, .value = card + luhn_check_digit(card)});
    add_to(table, {.type = EntityType::phone, .value = std::format("41{:08}", i)});
    add_to(table, {.type = EntityType::ip, .value = std::format("8.{}.{}.9", i / 200, i % 200)});
    add_to(table, {.type = EntityType::iban,
                   .value = with_iban_check_digits(std::format("DE00{:018}", i))});
  }
  ASSERT_EQ(table.size(), 100'000U);
  const auto surrogates = Surrogates::assign(key, table);
  ASSERT_TRUE(surrogates.has_value());
  std::set<std::pair<EntityType, std::string>> seen;
  for (const auto& [original, facts] : table) {
    const std::string drawn =
        surrogates->write({.type = original.type, .value = original.value}, original.value);
    EXPECT_TRUE(seen.emplace(original.type, drawn).second) << drawn;
    EXPECT_FALSE(table.contains({.type = original.type, .value = drawn})) << drawn;
  }
}

TEST(Surrogates, KeepADomainThatManyShareAndReplaceARareOne) {
  EntityTable table;
  for (int i = 0; i < 10; ++i)
    add_to(table, {.type = EntityType::email, .value = std::format("mary{}@many.com", i)});
  add_to(table, {.type = EntityType::email, .value = "mary@few.com"});
  const auto surrogates = Surrogates::assign(key, table);
  const auto write = [&](const std::string& email) {
    return surrogates->write({.type = EntityType::email, .value = email}, email);
  };
  EXPECT_TRUE(write("mary3@many.com").ends_with("@many.com"));
  EXPECT_FALSE(write("mary3@many.com").starts_with("mary3"));
  EXPECT_FALSE(write("mary@few.com").ends_with("@few.com"));
}

TEST(Surrogates, GrowLongerWhereAFormRunsOut) {
  EntityTable table;
  for (char c = 'a'; c <= 'z'; ++c)
    add_to(table, {.type = EntityType::email, .value = std::string(1, c) + "@gmail.com"});
  const auto surrogates = Surrogates::assign(key, table);
  ASSERT_TRUE(surrogates.has_value());
  EXPECT_GT(
      surrogates->write({.type = EntityType::email, .value = "a@gmail.com"}, "a@gmail.com").size(),
      std::string("a@gmail.com").size());
}

}  // namespace
}  // namespace understudy::s2
