#include "adapters/text/classifier.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <random>
#include <set>
#include <thread>

#include "adapters/text/classifier_file.hpp"
#include "adapters/text/test_word_vectors.hpp"
#include "base/clock.hpp"
#include "base/files.hpp"

namespace understudy::text {
namespace {

struct Intent {
  std::string label;
  std::vector<std::string> openings;
  std::vector<std::string> objects;
};

const std::vector<Intent> intents = {
    {"refund",
     {"I want my money back for", "please refund", "return the payment of"},
     {"the shoes", "order 4711", "a broken lamp", "my last invoice"}},
    {"track",
     {"where is", "when will I get", "follow the delivery of"},
     {"my parcel", "order 99", "the package", "the shipment"}},
    {"cancel",
     {"please cancel", "I no longer need", "stop"},
     {"my subscription", "the order", "the booking for Friday", "the newsletter"}},
    {"hours",
     {"when do you open", "what are your hours", "until when is open"},
     {"on Sunday", "the shop in town", "during holidays", "tomorrow"}},
};

std::vector<LabelledText> utterances(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<LabelledText> texts;
  for (std::size_t i = 0; i < count; ++i) {
    const Intent& intent = intents[random() % intents.size()];
    texts.push_back({.text = intent.openings[random() % intent.openings.size()] + " " +
                             intent.objects[random() % intent.objects.size()] +
                             (random() % 2 == 0 ? ", thanks" : ""),
                     .label = intent.label});
  }
  return texts;
}

class ClassifierTest : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(path_); }
  std::filesystem::path path_ = std::filesystem::temp_directory_path() /
                                ("classifier_test." + std::to_string(::getpid()) + ".bin");
};

TEST_F(ClassifierTest, LearnsFewLabelsFromFewHundredTexts) {
  const auto classifier = Classifier::train(utterances(300, 1), {.hash_bits = 16});
  ASSERT_TRUE(classifier);
  EXPECT_EQ(classifier->labels(), (std::vector<std::string>{"cancel", "hours", "refund", "track"}));
  int right = 0;
  const auto fresh = utterances(400, 2);
  for (const LabelledText& example : fresh)
    right += classifier->classify(example.text).label == example.label ? 1 : 0;
  EXPECT_GE(right, 392);
}

TEST_F(ClassifierTest, IsLessSureOfTextsOfAnotherKind) {
  const auto classifier = Classifier::train(utterances(300, 1), {.hash_bits = 16});
  ASSERT_TRUE(classifier);
  double surest_stranger = 0;
  for (const char* text : {"how do fish sleep", "define photosynthesis", "zwölf Boxkämpfer", ""})
    surest_stranger = std::max(surest_stranger, classifier->classify(text).confidence);
  double least_sure = 1;
  for (const LabelledText& example : utterances(100, 3))
    least_sure = std::min(least_sure, classifier->classify(example.text).confidence);
  EXPECT_LT(surest_stranger, least_sure);
}

TEST_F(ClassifierTest, ConfidenceIsBetweenZeroAndOne) {
  const auto classifier = Classifier::train(utterances(100, 1), {.hash_bits = 12});
  ASSERT_TRUE(classifier);
  for (const char* text : {"", " ", "\xff\xfe broken utf-8", "please refund", "\xf0\x9f\x98\x80"}) {
    const Classification classification = classifier->classify(text);
    EXPECT_GE(classification.confidence, 0) << text;
    EXPECT_LE(classification.confidence, 1) << text;
  }
}

TEST_F(ClassifierTest, TrainingIsDeterministicToTheByte) {
  const auto examples = utterances(200, 4);
  std::set<std::string> files;
  for (int round = 0; round < 2; ++round) {
    const auto classifier = Classifier::train(examples, {.hash_bits = 16, .voters_from = 0});
    ASSERT_TRUE(classifier && classifier->save(path_));
    files.insert(*read_file(path_));
  }
  EXPECT_EQ(files.size(), 1);
}

TEST_F(ClassifierTest, ALoadedFileClassifiesAsTheTrainedOne) {
  const auto trained = Classifier::train(utterances(200, 5), {.hash_bits = 16, .voters_from = 0});
  ASSERT_TRUE(trained && trained->save(path_));
  const auto loaded = Classifier::load(path_);
  ASSERT_TRUE(loaded);
  for (const LabelledText& example : utterances(50, 6)) {
    EXPECT_EQ(trained->classify(example.text).label, loaded->classify(example.text).label);
    EXPECT_EQ(trained->classify(example.text).confidence,
              loaded->classify(example.text).confidence);
  }
}

TEST_F(ClassifierTest, FewExamplesAreLogisticRegressionsAlone) {
  const auto few = Classifier::train(utterances(300, 1), {.hash_bits = 12});
  ASSERT_TRUE(few && few->save(path_));
  EXPECT_FALSE(parse_classifier_file(*read_file(path_))->has_voters());
  const auto enough = Classifier::train(utterances(300, 1), {.hash_bits = 12, .voters_from = 300});
  ASSERT_TRUE(enough && enough->save(path_));
  EXPECT_TRUE(parse_classifier_file(*read_file(path_))->has_voters());
}

// "animal" and "tool" words, of which the examples have one half and the questions the other.
const TestWords kinds = {{u"cat", {90, 5}},    {u"saw", {5, 90}},   {u"dog", {95, 9}},
                         {u"drill", {9, 95}},  {u"horse", {85, 1}}, {u"hammer", {1, 85}},
                         {u"rabbit", {99, 3}}, {u"wrench", {3, 99}}};

std::vector<LabelledText> about(std::size_t first, std::size_t count) {
  std::vector<LabelledText> texts;
  for (std::size_t i = 0; i < count; ++i) {
    const std::u16string& word = kinds[first + i % 4].first;
    texts.push_back({.text = "is a " + std::string(word.begin(), word.end()) + " here, number " +
                             std::to_string(i),
                     .label = i % 2 == 0 ? "animal" : "tool"});
  }
  return texts;
}

TEST_F(ClassifierTest, WordVectorsTellWhatWordsMeanThatNoExampleHas) {
  const WordVectors words = word_vectors(kinds);
  for (const std::size_t voters_from : {0U, 5'000U}) {
    const auto with = Classifier::train(
        about(0, 80), {.hash_bits = 12, .voters_from = voters_from, .words = &words});
    ASSERT_TRUE(with && with->save(path_));
    const auto loaded = Classifier::load(path_);
    ASSERT_TRUE(loaded) << loaded.error().message;
    for (const LabelledText& example : about(4, 4)) {
      EXPECT_EQ(with->classify(example.text).label, example.label) << example.text;
      EXPECT_EQ(with->classify(example.text).confidence, loaded->classify(example.text).confidence);
    }
    const auto without = Classifier::train(about(0, 80), {.hash_bits = 12});
    ASSERT_TRUE(without);
    EXPECT_LT(without->classify("rabbit").confidence, with->classify("rabbit").confidence);
  }
}

TEST_F(ClassifierTest, WhereNoExampleHasAKnownWordThereAreNoVectors) {
  const WordVectors words = word_vectors(kinds);
  const auto trained = Classifier::train(utterances(60, 1), {.hash_bits = 10, .words = &words});
  ASSERT_TRUE(trained && trained->save(path_));
  EXPECT_FALSE(parse_classifier_file(*read_file(path_))->has_vectors());
}

TEST_F(ClassifierTest, DamagedWordVectorsAreNoticed) {
  const WordVectors words = word_vectors(kinds);
  for (const std::size_t voters_from : {0U, 5'000U}) {
    const auto trained = Classifier::train(
        about(0, 8), {.hash_bits = 6, .voters_from = voters_from, .words = &words});
    ASSERT_TRUE(trained && trained->save(path_));
    const std::string good = *read_file(path_);
    const ClassifierWeights model = *parse_classifier_file(good);
    EXPECT_EQ(to_bytes(model), good);
    const auto refused = [&](auto&& damage) {
      ClassifierWeights bad = model;
      damage(bad);
      return !parse_classifier_file(to_bytes(bad));
    };
    EXPECT_TRUE(refused([](ClassifierWeights& m) { std::swap(m.words.keys[0], m.words.keys[1]); }));
    EXPECT_TRUE(refused([](ClassifierWeights& m) { m.words.scales[0] = INFINITY; }));
    EXPECT_TRUE(refused([](ClassifierWeights& m) { m.word_weights.pop_back(); }));
    EXPECT_TRUE(refused([](ClassifierWeights& m) { m.vector_network.width = 0; }));
    EXPECT_TRUE(refused([](ClassifierWeights& m) { m.vector_network.hidden[3] = NAN; }));
    for (std::size_t cut = 0; cut < good.size(); cut += 7)
      EXPECT_FALSE(parse_classifier_file(good.substr(0, cut)));
  }
}

TEST_F(ClassifierTest, OneLabelIsRefused) {
  const auto classifier = Classifier::train({{"a", "x"}, {"b", "x"}}, {});
  ASSERT_FALSE(classifier);
  EXPECT_EQ(classifier.error().code, ErrorCode::invalid_input);
  EXPECT_FALSE(classifier.error().hint.empty());
}

TEST_F(ClassifierTest, EveryDamagedByteIsNoticed) {
  const auto trained =
      Classifier::train({{"yes sure", "y"}, {"no never", "n"}}, {.hash_bits = 8, .voters_from = 0});
  ASSERT_TRUE(trained && trained->save(path_));
  const std::string good = *read_file(path_);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    EXPECT_FALSE(parse_classifier_file(bad)) << "byte " << i;
    EXPECT_FALSE(parse_classifier_file(good.substr(0, i))) << "cut at " << i;
  }
  EXPECT_TRUE(parse_classifier_file(good));
}

TEST_F(ClassifierTest, WrongContentBehindARightChecksumIsNoticed) {
  const auto trained =
      Classifier::train({{"yes sure", "y"}, {"no never", "n"}}, {.hash_bits = 8, .voters_from = 0});
  ASSERT_TRUE(trained && trained->save(path_));
  ClassifierWeights model = *parse_classifier_file(*read_file(path_));
  const auto refused = [&](auto&& damage) {
    ClassifierWeights bad = model;
    damage(bad);
    return !parse_classifier_file(to_bytes(bad));
  };
  EXPECT_TRUE(refused([](ClassifierWeights& m) { m.labels = {"y", "n"}; }));
  EXPECT_TRUE(refused([](ClassifierWeights& m) { m.labels = {"y", "y"}; }));
  EXPECT_TRUE(refused([](ClassifierWeights& m) { m.indices.back() = 1U << 9; }));
  EXPECT_TRUE(refused([](ClassifierWeights& m) { std::swap(m.indices[0], m.indices[1]); }));
  EXPECT_TRUE(refused([](ClassifierWeights& m) { m.bias[0] = NAN; }));
  EXPECT_TRUE(refused([](ClassifierWeights& m) { m.weights.pop_back(); }));
  EXPECT_TRUE(refused([](ClassifierWeights& m) { m.features.hash_bits = 40; }));
  EXPECT_TRUE(refused([](ClassifierWeights& m) { m.count_weights.pop_back(); }));
  EXPECT_TRUE(refused([](ClassifierWeights& m) { m.count_bias[1] = INFINITY; }));
  EXPECT_TRUE(refused([](ClassifierWeights& m) { m.network.width *= 2; }));
  EXPECT_TRUE(refused([](ClassifierWeights& m) { m.network.output[0] = NAN; }));
}

// Its threshold was certified for the confidences of then.
TEST_F(ClassifierTest, AFileOfVersionOneIsReadAndIsAsSureAsItWas) {
  const auto trained =
      Classifier::train({{"yes sure", "y"}, {"no never", "n"}}, {.hash_bits = 8, .voters_from = 0});
  ASSERT_TRUE(trained && trained->save(path_));
  ClassifierWeights model = *parse_classifier_file(*read_file(path_));
  model.count_bias.clear();
  model.count_weights.clear();
  model.network = {};
  model.bias = {-2, 1};
  ASSERT_TRUE(write_file_atomically(path_, to_bytes(model)));
  const auto old = Classifier::load(path_);
  ASSERT_TRUE(old);
  const auto sigmoid = [](double score) { return 1 / (1 + std::exp(-score)); };
  const Classification of_nothing = old->classify("");
  EXPECT_EQ(of_nothing.label, "y");
  EXPECT_NEAR(of_nothing.confidence, sigmoid(1) * sigmoid(1) / (sigmoid(1) + sigmoid(-2)), 1e-6);
}

// Naive Bayes tells from the first text, where logistic regression still waits for more.
TEST_F(ClassifierTest, IsSurerWhereBothModelsAgree) {
  const auto both = Classifier::train(utterances(300, 1), {.hash_bits = 16, .voters_from = 0});
  ASSERT_TRUE(both && both->save(path_));
  ClassifierWeights model = *parse_classifier_file(*read_file(path_));
  const std::string text = "please refund my last invoice";
  const double agreeing = both->classify(text).confidence;
  // The other labels' counts, one place on: the two models no longer agree.
  const std::size_t labels = model.labels.size();
  for (std::size_t row = 0; row < model.indices.size(); ++row) {
    const auto begin = model.count_weights.begin() + static_cast<std::ptrdiff_t>(row * labels);
    std::rotate(begin, begin + 1, begin + static_cast<std::ptrdiff_t>(labels));
  }
  ASSERT_TRUE(write_file_atomically(path_, to_bytes(model)));
  const auto differing = Classifier::load(path_);
  ASSERT_TRUE(differing);
  EXPECT_EQ(differing->classify(text).label, both->classify(text).label);
  EXPECT_LT(differing->classify(text).confidence, agreeing);
}

TEST_F(ClassifierTest, AMissingFileIsNotFoundAndADamagedOneNamesItself) {
  EXPECT_EQ(Classifier::load(path_).error().code, ErrorCode::not_found);
  std::ofstream(path_) << "USLINEAR but not really";
  const auto loaded = Classifier::load(path_);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, ErrorCode::corrupt);
  EXPECT_NE(loaded.error().message.find(path_.filename()), std::string::npos);
}

TEST_F(ClassifierTest, ManyThreadsMayAskAtOnce) {
  const auto classifier = Classifier::train(utterances(200, 7), {.hash_bits = 14});
  ASSERT_TRUE(classifier);
  const auto texts = utterances(100, 8);
  std::vector<std::string> alone;
  for (const auto& text : texts) alone.push_back(classifier->classify(text.text).label);
  std::vector<std::vector<std::string>> together(4);
  {
    std::vector<std::jthread> threads;
    for (auto& answers : together) {
      threads.emplace_back([&] {
        for (const auto& text : texts) answers.push_back(classifier->classify(text.text).label);
      });
    }
  }
  for (const auto& answers : together) EXPECT_EQ(answers, alone);
}

}  // namespace
}  // namespace understudy::text
