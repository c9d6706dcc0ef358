// Names, places, organisations and dates, as a detector reports them.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "steps/s2_curate/detect/detector.hpp"

namespace understudy::s2 {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

std::vector<std::string> found(std::string_view text, std::string_view key = {}) {
  static const Detector detector = *Detector::create();
  std::vector<std::string> all;
  for (const Entity& entity : detector.detect({.text = text, .key = key}))
    all.push_back(std::string(to_string(entity.type)) + ":" +
                  std::string(text.substr(entity.begin, entity.end - entity.begin)));
  return all;
}

TEST(DetectPerson, TakesGivenNamesWithWhatFollows) {
  EXPECT_THAT(found("yesterday Margaret Ashworth wrote"), ElementsAre("person:Margaret Ashworth"));
  EXPECT_THAT(found("we met Jan van der Berg there"), ElementsAre("person:Jan van der Berg"));
  EXPECT_THAT(found("signed by Richard M. Nixon"), ElementsAre("person:Richard M. Nixon"));
}

TEST(DetectPerson, TakesUnknownNamesBehindTitlesAndCues) {
  EXPECT_THAT(found("ask Mr. Quillfeather about it"), ElementsAre("person:Quillfeather"));
  EXPECT_THAT(found("My name is Zorblax Quendi"), ElementsAre("person:Zorblax Quendi"));
  EXPECT_THAT(found("Zorblax", "first_name"), ElementsAre("person:Zorblax"));
}

TEST(DetectPerson, FindsAPartOfANameGivenInFullBefore) {
  EXPECT_THAT(found("Margaret Ashworth called. Give Ashworth a discount."),
              ElementsAre("person:Margaret Ashworth", "person:Ashworth"));
}

TEST(DetectPerson, LeavesSeveralThingsInCapitalsAlone) {
  EXPECT_THAT(found("I want to cancel the reservations with IDs IFOYYZ and NQNU5R."),
              testing::IsEmpty());
}

TEST(DetectPerson, LeavesWordsThatAreNamesTooAlone) {
  for (const char* text : {"Will you do it?", "Grace period ends", "In May we go", "Mark the box",
                           "The quick Brown fox", "Please Bill me later"})
    EXPECT_THAT(found(text), testing::Not(Contains(testing::StartsWith("person")))) << text;
}

TEST(DetectPlace, KnowsCountriesCitiesAndCues) {
  EXPECT_THAT(found("flights from Costa Rica to New York City"),
              ElementsAre("location:Costa Rica", "location:New York City"));
  EXPECT_THAT(found("I grew up in Kleinpuffelbach"), ElementsAre("location:Kleinpuffelbach"));
  EXPECT_THAT(found("Reading is fun"), IsEmpty());
}

TEST(DetectPlace, TakesAnAddressAsOne) {
  EXPECT_THAT(found("Ship it to 12 Elm Street, Apt. 4, Springfield, IL 62704, please"),
              ElementsAre("location:12 Elm Street, Apt. 4, Springfield, IL 62704"));
  EXPECT_THAT(found("Gartenstrasse 31 ist frei"), Contains("location:Gartenstrasse 31"));
}

TEST(DetectOrganization, KnowsEndsNamesAndCues) {
  EXPECT_THAT(found("a contract with Acme Widgets Ltd. today"),
              ElementsAre("organization:Acme Widgets Ltd"));
  EXPECT_THAT(found("data from Microsoft came in"), ElementsAre("organization:Microsoft"));
  EXPECT_THAT(found("she works at Blorptronics now"), ElementsAre("organization:Blorptronics"));
}

TEST(DetectOrganization, KnowsWhatOnlyOrganizationsDo) {
  EXPECT_THAT(found("During the crisis, Blorptronics Systems invested heavily in chips"),
              ElementsAre("organization:Blorptronics Systems"));
  EXPECT_THAT(found("The Blorptronics office is closed"), ElementsAre("organization:Blorptronics"));
  EXPECT_THAT(found("The new office is closed. She invested in it"), IsEmpty());
  EXPECT_THAT(found("Last week Jane invested her savings"), Not(Contains("organization:Jane")));
}

TEST(DetectDate, TakesFullDatesWithTheirTime) {
  EXPECT_THAT(found("at 2024-03-15T14:30Z sharp"), ElementsAre("date_time:2024-03-15T14:30Z"));
  EXPECT_THAT(found("due 5-MAY-2021 or 3/23/1940"),
              ElementsAre("date_time:5-MAY-2021", "date_time:3/23/1940"));
  EXPECT_THAT(found("release 2.6.14, 05/21, 1972"), IsEmpty());
}

TEST(DetectUrl, EndsBeforeTheSentenceDoes) {
  EXPECT_THAT(found("see https://example.org/a?b=1, or www.example.net."),
              ElementsAre("url:https://example.org/a?b=1", "url:www.example.net"));
}

}  // namespace
}  // namespace understudy::s2
