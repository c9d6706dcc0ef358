#include "steps/s3_cluster/slot_facts.hpp"

#include <gtest/gtest.h>

#include <format>
#include <string>

namespace understudy::s3 {
namespace {

TEST(SlotFacts, TellsValuesApart) {
  EXPECT_EQ(slot_type_of(" \n"), SlotType::empty);
  EXPECT_EQ(slot_type_of("1,204.50 EUR"), SlotType::number);
  EXPECT_EQ(slot_type_of("2024-05-01T10:30:00Z"), SlotType::date);
  EXPECT_EQ(slot_type_of("ORD-2041"), SlotType::identifier);
  EXPECT_EQ(slot_type_of(R"({"a": [1, 2]})"), SlotType::json);
  EXPECT_EQ(slot_type_of("[not, json"), SlotType::line);
  EXPECT_EQ(slot_type_of("- milk\n- bread\n- salt"), SlotType::list);
  EXPECT_EQ(slot_type_of("import os\n\ndef f(x):\n    return x"), SlotType::code);
  EXPECT_EQ(slot_type_of("Please call me back."), SlotType::line);
  EXPECT_EQ(slot_type_of("First paragraph.\n\nSecond one."), SlotType::text);
}

TEST(SlotFacts, OfATemplateKnowChoicesFromLines) {
  const auto shape = PromptTemplate::create({"Tone: ", "\nText: ", "\n"}).value();
  std::vector<std::string> prompts;
  for (int i = 0; i < 60; ++i) {
    prompts.push_back(std::format("Tone: {}\nText: the {}. thing that was said\n",
                                  i % 2 == 0 ? "warm" : "dry", i));
  }
  prompts.push_back("something else");
  const auto facts = slot_facts(shape, {prompts.begin(), prompts.end()});
  ASSERT_EQ(facts.size(), 2U);
  EXPECT_EQ(facts[0].type, SlotType::choice);
  EXPECT_EQ(facts[0].distinct, 2);
  EXPECT_EQ(facts[1].type, SlotType::line);
  EXPECT_EQ(facts[1].distinct, 60);
  EXPECT_GE(facts[1].bytes_max, facts[1].bytes_median);
}

TEST(SlotFacts, OfNoPromptsAreThere) {
  EXPECT_EQ(slot_facts(PromptTemplate::create({"a", "b"}).value(), {}).size(), 1U);
}

}  // namespace
}  // namespace understudy::s3
