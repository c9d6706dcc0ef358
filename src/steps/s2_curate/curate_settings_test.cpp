#include "steps/s2_curate/curate_settings.hpp"

#include <gmock/gmock.h>

namespace understudy::s2 {
namespace {

using ::testing::HasSubstr;

std::string error_of(std::string_view text) {
  const auto settings = parse_curate_settings(text);
  return settings ? "" : settings.error().message;
}

TEST(CurateSettings, HaveDefaultsWithoutATable) {
  const auto settings = parse_curate_settings("");
  ASSERT_TRUE(settings.has_value());
  EXPECT_EQ(action_of(settings->actions, EntityType::person), Action::surrogate);
  EXPECT_EQ(action_of(settings->actions, EntityType::date_time), Action::keep);
  EXPECT_EQ(action_of(settings->actions, EntityType::secret), Action::mask);
  EXPECT_FALSE(settings->needs_tasks());
}

TEST(CurateSettings, TakeActionsByTypeAndByTask) {
  const auto settings = parse_curate_settings(R"(
    [curate]
    scope = "project"
    reward_above = false
    [curate.actions]
    person = "keep"
    EMAIL_ADDRESS = "mask"
    [curate.task."t-1".actions]
    date_time = "surrogate")");
  ASSERT_TRUE(settings.has_value()) << settings.error().to_text();
  EXPECT_EQ(settings->scope, SurrogateScope::project);
  EXPECT_FALSE(settings->filters.reward_above.has_value());
  EXPECT_EQ(action_of(settings->actions, EntityType::person), Action::keep);
  const Actions& task = settings->task_actions.at("t-1");
  EXPECT_EQ(action_of(task, EntityType::email), Action::mask) << "as for all tasks";
  EXPECT_EQ(action_of(task, EntityType::date_time), Action::surrogate);
}

TEST(CurateSettings, NameTheLineOfWhatIsWrong) {
  EXPECT_THAT(error_of("[curate]\nscop = \"tenant\""), HasSubstr(":2: there is no setting"));
  EXPECT_THAT(error_of("[curate.actions]\npersson = \"keep\""), HasSubstr(":2: there is no type"));
  EXPECT_THAT(error_of("[curate.actions]\nperson = \"hide\""), HasSubstr("keep, mask, drop"));
  EXPECT_THAT(error_of("[curate]\ncalls_per_task_max = -1"), HasSubstr("number of calls"));
}

TEST(CurateSettings, ParaphraseWhatIsNobodysAlone) {
  const auto settings = parse_curate_settings(R"(
    [curate.task."t-1".actions]
    number = "paraphrase"
    LOCATION = "paraphrase")");
  ASSERT_TRUE(settings.has_value()) << settings.error().to_text();
  const Actions& task = settings->task_actions.at("t-1");
  EXPECT_EQ(action_of(task, EntityType::plain_number), Action::paraphrase);
  EXPECT_EQ(action_of(task, EntityType::location), Action::paraphrase);
  EXPECT_TRUE(parse_curate_settings("[curate.actions]\nnumber = \"paraphrase\"")->needs_tasks());
  EXPECT_THAT(error_of("[curate.actions]\nperson = \"paraphrase\""),
              HasSubstr(":2: paraphrase is for number, date_time"));
  EXPECT_THAT(error_of("[curate.actions]\nsecret = \"paraphrase\""), HasSubstr("redacted"));
  EXPECT_THAT(error_of("[curate.actions]\nnumber = \"mask\""), HasSubstr("kept or paraphrased"));
}

TEST(CurateSettings, NeverKeepSecrets) {
  EXPECT_THAT(error_of("[curate.actions]\nsecret = \"keep\""), HasSubstr("redacted"));
  EXPECT_THAT(error_of("[curate.actions]\nsecret = \"surrogate\""), HasSubstr("redacted"));
  EXPECT_EQ(error_of("[curate.actions]\nsecret = \"drop\""), "");
}

}  // namespace
}  // namespace understudy::s2
