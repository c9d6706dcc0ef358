#include "steps/s2_curate/detect/detector.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace understudy::s2 {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Detector& detector() {
  static const Detector made = *Detector::create();
  return made;
}

bool is_name_or_date(EntityType type) {
  using enum EntityType;
  return type == person || type == location || type == organization || type == nrp ||
         type == date_time || type == url;
}

// "type:text as written" of each entity but names, dates and links, which have tests of their own.
std::vector<std::string> found(std::string_view text, std::string_view key = "content") {
  std::vector<std::string> all;
  for (const Entity& entity : detector().detect({.text = text, .key = key})) {
    if (is_name_or_date(entity.type)) continue;
    all.push_back(std::string(to_string(entity.type)) + ":" +
                  std::string(text.substr(entity.begin, entity.end - entity.begin)));
  }
  return all;
}

std::vector<std::string> values(std::string_view text, std::string_view key = "content") {
  std::vector<std::string> all;
  for (const Entity& entity : detector().detect({.text = text, .key = key}))
    all.push_back(entity.value);
  return all;
}

TEST(DetectEmail, FindsAddressesWithoutThePunctuationAroundThem) {
  EXPECT_THAT(found("Write to mary.jones+x@mail.acme.co.uk."),
              ElementsAre("email:mary.jones+x@mail.acme.co.uk"));
  EXPECT_THAT(found("<a@b.de>, (O_K@x-y.org)!"), ElementsAre("email:a@b.de", "email:O_K@x-y.org"));
  EXPECT_THAT(found("mailto:info@presidio.site"), ElementsAre("email:info@presidio.site"));
  EXPECT_THAT(found("user@xn--80ak6aa92e.com"), ElementsAre("email:user@xn--80ak6aa92e.com"));
}

TEST(DetectEmail, NormalisesLetterCase) {
  EXPECT_THAT(values("Mary@ACME.com"), ElementsAre("mary@acme.com"));
}

TEST(DetectEmail, KnowsUnicodeAndUnreadEscapesAroundIt) {
  EXPECT_THAT(found("j\xc3\xbcrgen@x.de"), ElementsAre("email:j\xc3\xbcrgen@x.de"));
  EXPECT_THAT(found("\xe9\x82\xae\xe7\xae\xb1mary@x.org\xe3\x80\x82"),
              ElementsAre("email:mary@x.org"));
  EXPECT_THAT(found("\xf0\x9f\x98\x80mary@x.org\xf0\x9f\x98\x80"), ElementsAre("email:mary@x.org"));
  EXPECT_THAT(found("Hello\\nmary@x.org\\n"), ElementsAre("email:mary@x.org"));
}

TEST(DetectEmail, LeavesVersionsDecoratorsAndRemotesAlone) {
  for (const char* text :
       {"vue@2.6.14", "smoothscroll-polyfill@0.4.4", "+@app.route(\"/\")", "n+@app.route",
        "info@presidio.", "git@github.com:a/b.git", "@here", "a@b", "x @y.com"})
    EXPECT_THAT(found(text), IsEmpty()) << text;
}

TEST(DetectPhone, FindsInternationalNumbersWithoutContext) {
  EXPECT_THAT(found("BR: +55 11 98456 5666, thanks"), ElementsAre("phone:+55 11 98456 5666"));
  EXPECT_THAT(found("+49 (0)30 901820"), ElementsAre("phone:+49 (0)30 901820"));
  EXPECT_THAT(found("(+33 1 42 68 53 00)"), ElementsAre("phone:+33 1 42 68 53 00"));
  EXPECT_THAT(found("+1 123-456-7890"), ElementsAre("phone:+1 123-456-7890"));
}

TEST(DetectPhone, FindsNorthAmericanGrouping) {
  EXPECT_THAT(found("at (415) 555-2671 or 415-555-2672x12."),
              ElementsAre("phone:(415) 555-2671", "phone:415-555-2672"));
}

TEST(DetectPhone, TakesBareNumbersOnlyWhereTheWordsOrTheKeySaySo) {
  EXPECT_THAT(found("4155552671"), IsEmpty());
  EXPECT_THAT(found("my phone is 4155552671"), ElementsAre("phone:4155552671"));
  EXPECT_THAT(found("4155552671", "phone_number"), ElementsAre("phone:4155552671"));
  EXPECT_THAT(found("My Israeli mobile is 09-7625400"), ElementsAre("phone:09-7625400"));
  EXPECT_THAT(found("Telefon 0532 123 45 67"), ElementsAre("phone:0532 123 45 67"));
}

TEST(DetectPhone, GivesOneValueForAllFormsOfANumber) {
  EXPECT_THAT(values("+1 (415) 555-2671, 415-555-2671, call 4155552671"),
              ElementsAre("4155552671", "4155552671", "4155552671"));
}

TEST(DetectNumbers, LeavesIdsFlightsPricesDatesAndDecimalsAlone) {
  for (const char* text :
       {"order number 4155552671", "Your order id is 4155552671, call us", "ticket #4155552671",
        "credit_card_4421486", "gift_card_5309492", "flight HAT136 on 2024-05-15 15:00:00",
        "2024-05-15 10:27:09 2024-05-16", "total $1234567890", "0.9992245435714722",
        "call_4155552671", "user_4155552671", "ISBN 978-3-16-148410-0", "20240424153821",
        "123e4567-e89b-12d3-a456-426614174000", "911100008000000000", "0000-0003-4383-6396",
        "3.14159265358979", "10.5 20.25 30.125 40.0625", "timestamp 1745949980281"})
    EXPECT_THAT(found(text), IsEmpty()) << text;
}

TEST(DetectCard, AcceptsPrintedGroupsWithAValidCheckDigit) {
  EXPECT_THAT(found("pay with 4111 1111 1111 1111 12/27"), ElementsAre("card:4111 1111 1111 1111"));
  EXPECT_THAT(found("3714-496353-98431"), ElementsAre("card:3714-496353-98431"));
  EXPECT_THAT(found("4012-8888-8888-1882"), IsEmpty());
}

TEST(DetectCard, NeverTakesABareNumberForItsCheckDigitAlone) {
  EXPECT_THAT(found("4111111111111111"), IsEmpty());
  EXPECT_THAT(found("order 4111111111111111"), IsEmpty());
  EXPECT_THAT(found("my visa card: 4111111111111111"), ElementsAre("card:4111111111111111"));
  EXPECT_THAT(found("4111111111111111", "cardNumber"), ElementsAre("card:4111111111111111"));
  EXPECT_THAT(found("card 9999876022338867"), IsEmpty()) << "no network issues it";
}

TEST(DetectIban, ChecksCountryLengthAndCheckDigits) {
  EXPECT_THAT(found("to DE89 3704 0044 0532 0130 00 please"),
              ElementsAre("iban:DE89 3704 0044 0532 0130 00"));
  EXPECT_THAT(values("gb29nwbk60161331926819"), ElementsAre("GB29NWBK60161331926819"));
  EXPECT_THAT(found("AL47-2121-1009-0000-0002-3569-8741"),
              ElementsAre("iban:AL47-2121-1009-0000-0002-3569-8741"));
  EXPECT_THAT(found("DE89 3704 0044 0532 0130 01"), IsEmpty());
  EXPECT_THAT(found("xDE89370400440532013000"), IsEmpty());
}

TEST(DetectIp, FindsBothFamilies) {
  EXPECT_THAT(found("from 192.168.2.1, and (86.231.85.193)."),
              ElementsAre("ip:192.168.2.1", "ip:86.231.85.193"));
  EXPECT_THAT(found("http://[2400:c401::5054:ff:fe1b:b031]/x"),
              ElementsAre("ip:2400:c401::5054:ff:fe1b:b031"));
  EXPECT_THAT(values("684D:1111:222:3333:4444:5555:6:77"),
              ElementsAre("684d:1111:222:3333:4444:5555:6:77"));
}

TEST(DetectIp, LeavesVersionsTimesNamesAndConstantsAlone) {
  for (const char* text :
       {"opencv-python==4.5.3.56", "version 4.5.1.48", "v1.2.3.4", "1.2.3.4.5", "256.1.2.3",
        "text192.168.1.1", "00:00:00", "12:34:56", "std::vector<int>", "MyClass::toString",
        "::", "127.0.0.1", "0.0.0.0", "::1", "a::b::c", "dead::beef"})
    EXPECT_THAT(found(text), IsEmpty()) << text;
}

// Put together at run time, so that no scanner of this repository takes them for keys.
std::string random_part(std::size_t length) {
  constexpr std::string_view letters = "a8Kd0Zq3Xw7Lm2Rt9Vb4Nc6Pf1Hs5Yj";
  std::string text;
  while (text.size() < length) text += letters[(text.size() * 7 + 3) % letters.size()];
  return text;
}

TEST(DetectSecret, KnowsFormatsOfKeys) {
  for (const std::string& key :
       {"sk-" + random_part(40), "sk-ant-" + random_part(40), "ghp_" + random_part(36),
        "AKIA" + std::string("Q3EGX7ZJ2ABCD4EF"), "xoxb-" + random_part(30),
        "AIza" + random_part(35), "hf_" + random_part(34), "glpat-" + random_part(20),
        "eyJhbGciOiJIUzI1NiJ9" + std::string(".eyJzdWIiOiIxMjM0NTY3ODkwIn0.") + random_part(20)})
    EXPECT_THAT(found("use " + key + " now"), ElementsAre("secret:" + key));
  EXPECT_THAT(found("Authorization: Bearer " + random_part(24)),
              ElementsAre("secret:" + random_part(24)));
}

TEST(DetectSecret, KnowsKeysOfLettersAloneByTheirVeryLength) {
  const std::string letters = "kWzRtLqPxNbVdGfHsJmCyTrQwXzLpKvBnM";
  EXPECT_THAT(found("token hf_" + letters + " end"), ElementsAre("secret:hf_" + letters));
  EXPECT_THAT(found("token hf_" + letters + "q end"), testing::IsEmpty());
  EXPECT_THAT(found("hf_requiredCharacteristicTypesForMetad end"), testing::IsEmpty());
}

TEST(DetectSecret, TakesPrivateKeysToTheirEnd) {
  const std::string pem =
      "-----BEGIN RSA PRIVATE"
      " KEY-----\nMIIEow\n-----END RSA PRIVATE"
      " KEY-----";
  EXPECT_THAT(found("key:\n" + pem + "\nend"), ElementsAre("secret:" + pem));
  EXPECT_THAT(found("-----BEGIN PRIVATE"
                    " KEY-----\nMIIEow"),
              testing::SizeIs(1));
}

TEST(DetectSecret, TakesAssignedValuesThatLookLikeSecrets) {
  EXPECT_THAT(found("password = \"hunter2!x\""), ElementsAre("secret:hunter2!x"));
  EXPECT_THAT(found("{\\\"api_key\\\": \\\"a8Kd0Zq3Xw\\\"}"), ElementsAre("secret:a8Kd0Zq3Xw"));
  EXPECT_THAT(found("DB_PASSWORD=tr0ub4dor&3"), ElementsAre("secret:tr0ub4dor"));
  EXPECT_THAT(found("tr0ub4dor", "password"), ElementsAre("secret:tr0ub4dor"));
  EXPECT_THAT(found("postgres://app:s3cr3tpw@db.internal/x"), ElementsAre("secret:s3cr3tpw"));
}

TEST(DetectSecret, LeavesCodeTypesPlaceholdersAndWordsAlone) {
  for (const char* text :
       {"password = self.generate_password(length,", "password = \"\"", "api_key: Optional[str]",
        "SECRET = \"change_this\"", "api_key = api_key", "token: def", "api_key=os.environ[\"X1\"]",
        "password: your_password_123", "the password is required", "max_tokens: 4096000000",
        "risk-sk-boosts-lung-cancer-portfolio-with-10-6-billion", "password = getpass()",
        "sk-boosts-lung-cancer-portfolio-with-10-6-billion", "https://{user}:{password}@host.com",
        "password=[REDACTED:password]", "tokens == 1234567890123456789"})
    EXPECT_THAT(found(text), IsEmpty()) << text;
}

TEST(Detector, SurvivesInvalidBytesAndLongInput) {
  EXPECT_THAT(found("\xff\xfe@\xff.com +\xff"), IsEmpty());
  const std::string digits(200'000, '7');
  EXPECT_THAT(found(digits), IsEmpty());
  std::string ats;
  for (int i = 0; i < 50'000; ++i) ats += "a@";
  EXPECT_THAT(found(ats), IsEmpty());
  std::string groups;
  for (int i = 0; i < 50'000; ++i) groups += "123 ";
  EXPECT_THAT(found(groups), IsEmpty());
}

}  // namespace
}  // namespace understudy::s2
