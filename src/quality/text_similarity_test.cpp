#include "quality/text_similarity.hpp"

#include <gtest/gtest.h>

#include <string>

namespace understudy::quality {
namespace {

TEST(Chrf, HasTheValuesOfSacrebleu) {
  // Sentence pairs of sacreBLEU's test_chrf.py; scores of its metrics/chrf.py in its default mode
  // (the test there smooths: 39.14078509, 31.22557079, 57.15704367).
  EXPECT_NEAR(
      chrf("Nejvíce smutní jsme z toho, že musíme rozhodovat o tom, kdo bude žít a kdo zemře.",
           "Co nás nejvíc trápí, protože lékaři si vybírají, kdo bude žít a kdo zemře."),
      0.3914081690, 1e-9);
  EXPECT_NEAR(chrf("A někdy nemáme ani potřebný materiál, abychom jim pomohli, popsali lékaři.",
                   "Nebo prostě nemají vybavení, které by jim pomohlo, uvedli lékaři."),
              0.3122564147, 1e-9);
  EXPECT_NEAR(
      chrf(
          "Lapali po dechu a pak jejich život skončil - dřív, než skutečně mohl začít, připomněli.",
          "Lapali po dechu, jejich životy skončily dřív, než skutečně začaly."),
      0.5715742751, 1e-9);
}

TEST(Chrf, OrdersThatAShortTextCannotHaveAreLeftOut) {
  EXPECT_DOUBLE_EQ(chrf("a", "a"), 1);
  EXPECT_DOUBLE_EQ(chrf("a b c", "abc"), 1);
  EXPECT_NEAR(chrf("ab", "aa"), 0.25, 1e-12);
  EXPECT_DOUBLE_EQ(chrf("reference", ""), 0);
}

TEST(RougeL, HasTheValuesOfRougeScore) {
  // Of rouge_score 0.1.2's algorithm: RougeScorer(["rougeL"], use_stemmer=False).
  EXPECT_NEAR(rouge_l("testing one two", "testing"), 0.5, 1e-12);
  EXPECT_NEAR(rouge_l("The cat sat on the mat.", "A cat is sitting on a mat!"), 0.4615384615, 1e-9);
  EXPECT_NEAR(rouge_l("the quick brown fox jumps over the lazy dog",
                      "the fast brown fox leaped over a sleepy dog"),
              0.5555555556, 1e-9);
  EXPECT_NEAR(rouge_l("Write the function, then test it; do not forget the edge cases.",
                      "Test the function after writing it. Remember edge cases, too."),
              0.4545454545, 1e-9);
  EXPECT_DOUBLE_EQ(rouge_l("yes", "no"), 0);
}

TEST(TextSimilarity, TakesBytesThatAreNoText) {
  const std::string odd = "\xff\xfe\xe2\x82 ok \xf0\x9f";
  EXPECT_DOUBLE_EQ(chrf(odd, odd), 1);
  EXPECT_DOUBLE_EQ(rouge_l(odd, odd), 1);
}

}  // namespace
}  // namespace understudy::quality
