#include "steps/s5_tune/torch/model_card.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace understudy::s5 {
namespace {

using testing::HasSubstr;
using testing::Not;

json::object card_with(const json::value& metrics) {
  return {{"kind", "lora"},
          {"base", "base.gguf"},
          {"base_name", "a\n# b <script>`c`"},
          {"base_hash", "00ff"},
          {"architecture", "llama"},
          {"data", json::object{{"training", 9}, {"validation", 1}, {"left_out", 0}}},
          {"teacher", nullptr},
          {"rank", 16},
          {"alpha", 32.0},
          {"rank_scale", "rank"},
          {"dropout", 0.0},
          {"targets", json::array{"attn_q"}},
          {"computed_in", "bf16"},
          {"made_by", "somebody"},
          {"made_at", "today"},
          {"metrics", metrics}};
}

TEST(ModelCard, NamesOfFilesWriteNoMarkdown) {
  const std::string text = card_text(card_with(json::object{{"served", nullptr}}));
  EXPECT_THAT(text, HasSubstr("# An adapter (lora) for a # b  script  c \n"));
  EXPECT_THAT(text, Not(HasSubstr("<script>")));
  EXPECT_THAT(text, Not(HasSubstr("To serve it")));
  EXPECT_THAT(text, Not(HasSubstr("llama-server")));
}

TEST(ModelCard, TellsFiguresBeforeAndAfterAndWhatServersMustBeTold) {
  const auto served = [](int agreed, double perplexity) {
    return json::object{{"answers", 10}, {"agreed", agreed}, {"perplexity", perplexity}};
  };
  const std::string text =
      card_text(card_with(json::object{{"validation_loss_before", 2.5},
                                       {"validation_loss", 0.25},
                                       {"validation_exact", 0.75},
                                       {"served_before", served(1, 30)},
                                       {"served", served(9, 1.5)},
                                       {"warnings", json::array{"Say --this."}}}));
  EXPECT_THAT(text, HasSubstr("| loss, nats a token | 2.5 | 0.25 |"));
  EXPECT_THAT(text, HasSubstr("75.0 %"));
  EXPECT_THAT(text, HasSubstr("| 1 of 10 | 9 of 10 |"));
  EXPECT_THAT(text, HasSubstr("| 30 | 1.5 |"));
  EXPECT_THAT(text, HasSubstr("## To serve it\n\n* Say --this.\n"));
}

}  // namespace
}  // namespace understudy::s5
