#include "records/confidence_model.hpp"

#include <gtest/gtest.h>

#include "records/self_consistency.hpp"

namespace understudy {
namespace {

TEST(ConfidenceModel, IsReadAsItWasWritten) {
  const ConfidenceModel model{.weights = {0.1, -2.5, 3},
                              .curve = {{.score = -1, .value = 0.2}, {.score = 4, .value = 1}},
                              .calls = 120,
                              .disagreements = 9};
  const auto read = confidence_model_from_json(*json::parse(json::to_text(to_json(model))));
  ASSERT_TRUE(read) << read.error().to_text();
  EXPECT_EQ(*read, model);
}

TEST(ConfidenceModel, RefusesWhatNoConfidenceCanBeMadeOf) {
  for (const char* text :
       {"{}", "[]", R"({"weights":[],"curve":[[0,1]]})", R"({"weights":[1],"curve":[]})",
        R"({"weights":["a"],"curve":[[0,1]]})", R"({"weights":[1],"curve":[[0,1.5]]})",
        R"({"weights":[1],"curve":[[0,0.5],[1,0.4]]})",
        R"({"weights":[1],"curve":[[1,0.5],[0,0.6]]})", R"({"weights":[1],"curve":[[0]]})",
        R"({"weights":[1],"curve":[7]})"}) {
    EXPECT_FALSE(confidence_model_from_json(*json::parse(text))) << text;
  }
}

TEST(SelfConsistency, RecordsOfBeforeAskedOnce) {
  EXPECT_EQ(self_consistency_of(json::object{})->samples, 1);
  const SelfConsistency five{.samples = 5, .temperature = 0.9};
  EXPECT_EQ(*self_consistency_of(json::object{{"self_consistency", to_json(five)}}), five);
}

TEST(SelfConsistency, IsBounded) {
  for (const SelfConsistency wrong : {SelfConsistency{.samples = 0}, SelfConsistency{.samples = 17},
                                      SelfConsistency{.samples = 2, .temperature = 0},
                                      SelfConsistency{.samples = 2, .temperature = 3}}) {
    EXPECT_FALSE(check(wrong));
    EXPECT_FALSE(self_consistency_of(json::object{{"self_consistency", to_json(wrong)}}));
  }
}

}  // namespace
}  // namespace understudy
