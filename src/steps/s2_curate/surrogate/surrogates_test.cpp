#include "steps/s2_curate/surrogate/surrogates.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <format>
#include <regex>
#include <set>

#include "adapters/text/phone_numbers.hpp"
#include "steps/s2_curate/detect/characters.hpp"
#include "steps/s2_curate/detect/checksums.hpp"
#include "steps/s2_curate/detect/id_finder.hpp"

namespace understudy::s2 {
namespace {

const SecretText key(std::string(32, 'k'));

// The surrogate of one value in the writing of `occurrence`.
std::string stand_in(EntityType type, const std::string& value, const std::string& occurrence,
                     const SecretText& with_key = key) {
  Entity entity{.type = type, .value = value, .kind = "api_key"};
  EntityTable table;
  add_to(table, entity, 0);
  return Surrogates::assign(with_key, table)->write(entity, 0, occurrence);
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
  add_to(table, entity, 0);
  const auto surrogates = Surrogates::assign(key, table);
  const std::string international = surrogates->write(entity, 0, "+1 (415) 555-2671");
  EXPECT_TRUE(std::regex_match(international, std::regex("\\+1 \\(41\\d\\) \\d{3}-\\d{4}")))
      << international;
  EXPECT_EQ("1" + surrogates->write(entity, 0, "4155552671"), only_digits(international));
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
    add_to(table, {.type = EntityType::email, .value = std::format("u{}@acme.com", i)}, 0);
    const std::string card = std::format("41111111{:07}", i);
    add_to(table, {.type = EntityType::card, .value = card + luhn_check_digit(card)}, 0);
    add_to(table, {.type = EntityType::phone, .value = std::format("41{:08}", i)}, 0);
    add_to(table, {.type = EntityType::ip, .value = std::format("8.{}.{}.9", i / 200, i % 200)}, 0);
    add_to(
        table,
        {.type = EntityType::iban, .value = with_iban_check_digits(std::format("DE00{:018}", i))},
        0);
  }
  ASSERT_EQ(table.size(), 100'000U);
  const auto surrogates = Surrogates::assign(key, table);
  ASSERT_TRUE(surrogates.has_value());
  std::set<std::pair<EntityType, std::string>> seen;
  for (const auto& [original, facts] : table) {
    const std::string drawn =
        surrogates->write({.type = original.type, .value = original.value}, 0, original.value);
    EXPECT_TRUE(seen.emplace(original.type, drawn).second) << drawn;
    EXPECT_FALSE(table.contains({.type = original.type, .value = drawn})) << drawn;
  }
}

TEST(Surrogates, KeepADomainThatManyShareAndReplaceARareOne) {
  EntityTable table;
  for (int i = 0; i < 10; ++i)
    add_to(table, {.type = EntityType::email, .value = std::format("mary{}@many.com", i)}, 0);
  add_to(table, {.type = EntityType::email, .value = "mary@few.com"}, 0);
  const auto surrogates = Surrogates::assign(key, table);
  const auto write = [&](const std::string& email) {
    return surrogates->write({.type = EntityType::email, .value = email}, 0, email);
  };
  EXPECT_TRUE(write("mary3@many.com").ends_with("@many.com"));
  EXPECT_FALSE(write("mary3@many.com").starts_with("mary3"));
  EXPECT_FALSE(write("mary@few.com").ends_with("@few.com"));
}

TEST(Surrogates, GrowLongerWhereAFormRunsOut) {
  EntityTable table;
  for (char c = 'a'; c <= 'z'; ++c)
    add_to(table, {.type = EntityType::email, .value = std::string(1, c) + "@gmail.com"}, 0);
  const auto surrogates = Surrogates::assign(key, table);
  ASSERT_TRUE(surrogates.has_value());
  EXPECT_GT(surrogates->write({.type = EntityType::email, .value = "a@gmail.com"}, 0, "a@gmail.com")
                .size(),
            std::string("a@gmail.com").size());
}

TEST(Surrogates, OfOnePersonAgreeInNamesUserIdsAndAddresses) {
  EntityTable table;
  add_to(table, {.type = EntityType::person, .value = "Jane van Doe"}, 0);
  for (const char* email : {"jane.doe@acme.com", "jdoe7@acme.com", "janed@acme.com"})
    add_to(table, {.type = EntityType::email, .value = email}, 0);
  const auto surrogates = Surrogates::assign(key, table);
  ASSERT_TRUE(surrogates.has_value());
  const auto name = [&](const std::string& written) {
    return surrogates->write({.type = EntityType::person, .value = written}, 0, written);
  };
  const auto local = [&](const std::string& email) {
    const std::string drawn =
        surrogates->write({.type = EntityType::email, .value = email}, 0, email);
    return drawn.substr(0, drawn.find('@'));
  };
  const std::string jane = name("Jane");
  const std::string doe = name("Doe");
  EXPECT_EQ(name("Jane van Doe"), jane + " van " + doe);
  EXPECT_EQ(name("JANE DOE"), upper_ascii(jane + " " + doe));
  EXPECT_EQ(name("jane_doe"), lower_ascii(jane + "_" + doe));
  EXPECT_EQ(local("jane.doe@acme.com"), lower_ascii(jane + "." + doe));
  EXPECT_EQ(local("jdoe7@acme.com").substr(0, 1 + doe.size()),
            lower_ascii(jane.substr(0, 1) + doe));
  EXPECT_EQ(local("janed@acme.com"), lower_ascii(jane + doe.substr(0, 1)));
}

TEST(Surrogates, ReplaceNamesOfOtherScripts) {
  for (const char* name : {"王小明", "Иван", "김민수", "Zoë"}) {
    const std::string drawn = stand_in(EntityType::person, name, name);
    EXPECT_NE(drawn, name);
    EXPECT_EQ(drawn.size(), std::string(name).size());
  }
}

TEST(Surrogates, OfIdsHaveRightCheckDigitsInEveryWriting) {
  const auto rules = IdFinder::create();
  ASSERT_TRUE(rules.has_value());
  struct Sample {
    EntityType type;
    std::string written;
  };
  for (const Sample& sample :
       std::vector<Sample>{{EntityType::us_ssn, "536-22-1234"},
                           {EntityType::uk_nhs, "943 476 5919"},
                           {EntityType::de_tax_id, "65929970489"},
                           {EntityType::es_nif, "12345678Z"},
                           {EntityType::pl_pesel, "44051401359"},
                           {EntityType::br_cpf, "529.982.247-25"},
                           {EntityType::fr_nir, "255081416802538"},
                           {EntityType::nl_bsn, "111222333"},
                           {EntityType::in_aadhaar, "2341 2341 2346"},
                           {EntityType::au_abn, "51 824 753 556"},
                           {EntityType::ch_ahv, "756.9217.0769.85"},
                           {EntityType::it_fiscal_code, "RSSMRA85T10A562S"}}) {
    const Verdict before = rules->verify(sample.type, sample.written);
    EXPECT_EQ(before, Verdict::yes) << sample.written;
    const std::string drawn = stand_in(sample.type, sample.written, sample.written);
    EXPECT_NE(drawn, sample.written);
    EXPECT_EQ(rules->verify(sample.type, drawn), before) << sample.written << " -> " << drawn;
    EXPECT_EQ(only_alnum(drawn).size(), only_alnum(sample.written).size());
  }
}

TEST(Surrogates, OfSpacedAndCompactFormsOfOneIdAgree) {
  EntityTable table;
  add_to(table, {.type = EntityType::uk_nhs, .value = "943 476 5919"}, 0);
  add_to(table, {.type = EntityType::uk_nhs, .value = "9434765919"}, 0);
  ASSERT_EQ(table.size(), 1U);
  const auto surrogates = Surrogates::assign(key, table);
  const auto write = [&](const std::string& written) {
    return surrogates->write({.type = EntityType::uk_nhs, .value = written}, 0, written);
  };
  EXPECT_EQ(only_digits(write("943 476 5919")), write("9434765919"));
}

TEST(Surrogates, DifferFromScopeToScope) {
  EntityTable table;
  const Entity email{.type = EntityType::email, .value = "mary@acme.com"};
  const Entity person{.type = EntityType::person, .value = "Jane Doe"};
  for (const Scope scope : {1U, 2U}) {
    add_to(table, email, scope);
    add_to(table, person, scope);
  }
  const auto surrogates = Surrogates::assign(key, table);
  EXPECT_NE(surrogates->write(email, 1, "mary@acme.com"),
            surrogates->write(email, 2, "mary@acme.com"));
  EXPECT_NE(surrogates->write(person, 1, "Jane Doe"), surrogates->write(person, 2, "Jane Doe"));
}

TEST(Surrogates, ShiftAllDatesOfAScopeByTheSameDays) {
  EntityTable table;
  for (const char* date : {"2024-02-28", "2024-03-01", "28/02/2024"})
    add_to(table, {.type = EntityType::date_time, .value = date}, 0);
  const auto surrogates = Surrogates::assign(key, table);
  const auto days = [&](const std::string& date) {
    const std::string drawn =
        surrogates->write({.type = EntityType::date_time, .value = date}, 0, date);
    EXPECT_NE(drawn, date);
    const auto number = [&](std::size_t at, std::size_t count) {
      return std::stoi(drawn.substr(at, count));
    };
    using namespace std::chrono;
    const bool iso = drawn[4] == '-';
    return sys_days(year(iso ? number(0, 4) : number(6, 4)) /
                    month(static_cast<unsigned>(iso ? number(5, 2) : number(3, 2))) /
                    day(static_cast<unsigned>(iso ? number(8, 2) : number(0, 2))));
  };
  EXPECT_EQ((days("2024-03-01") - days("2024-02-28")).count(), 2);
  EXPECT_EQ(days("28/02/2024"), days("2024-02-28"));
}

}  // namespace
}  // namespace understudy::s2
