#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "adapters/text/adam.hpp"
#include "adapters/text/bag_network.hpp"
#include "adapters/text/bag_rows.hpp"

namespace understudy::text {

namespace {

// Chosen on CLINC150's `val`; widths of 128 and 256, 8 and 12 epochs, rates of 0.05 and 0.1 keep
// within 1 % of each other's calls.
constexpr std::size_t width_min = 32;
constexpr std::size_t width_a_label = 4;
constexpr std::size_t batch_texts = 32;
constexpr std::size_t epochs_usual = 12;
constexpr std::size_t epochs_max = 60;
constexpr std::size_t steps_min = 300;   // of few texts
constexpr double operations_max = 3e11;  // one or two minutes of one core
constexpr float embedding_rate = 0.05F;
constexpr float output_rate = 0.002F;
constexpr float rate_floor = 0.02F;  // of the rate, which falls on a line
constexpr float kept_scale = 2;      // for the half that stays
constexpr float tiny = 1e-8F;
constexpr std::uint32_t no_slot = std::numeric_limits<std::uint32_t>::max();

std::size_t width_for(const BagTrainingSet& set) {
  std::size_t width =
      std::clamp<std::size_t>(std::bit_ceil(width_a_label * set.labels), width_min, bag_width_max);
  while (width > width_min && set.rows * width > set.embedding_values_max) width /= 2;
  return width;
}

std::size_t epochs_for(const BagTrainingSet& set, std::size_t width) {
  double features = 0;
  for (const SparseVector& text : set.texts) features += static_cast<double>(text.size());
  const auto texts = static_cast<double>(set.texts.size());
  const double epoch =
      static_cast<double>(width) * (5 * features + 2 * texts * static_cast<double>(set.labels));
  const auto affordable = static_cast<std::size_t>(operations_max / std::max(1.0, epoch));
  const std::size_t batches = (set.texts.size() + batch_texts - 1) / batch_texts;
  const std::size_t wanted =
      std::clamp((steps_min + batches - 1) / batches, epochs_usual, epochs_max);
  return std::clamp<std::size_t>(affordable, 1, wanted);
}

// Fair coins, 64 a draw.
class Coins {
 public:
  explicit Coins(std::mt19937_64& random) : random_(random) {}
  bool next() {
    if (left_ == 0) {
      bits_ = random_();
      left_ = 64;
    }
    --left_;
    const bool heads = (bits_ & 1) != 0;
    bits_ >>= 1;
    return heads;
  }

 private:
  std::mt19937_64& random_;
  std::uint64_t bits_ = 0;
  int left_ = 0;
};

class Training {
 public:
  Training(const BagTrainingSet& set, std::uint64_t seed)
      : set_(set),
        random_(seed),
        coins_(random_),
        width_(width_for(set)),
        squares_(set.rows * width_),
        slot_of_(set.rows, no_slot),
        output_gradient_(width_ * set.labels),
        bias_gradient_(set.labels),
        output_steps_(output_gradient_.size()),
        bias_steps_(bias_gradient_.size()),
        hidden_(width_),
        hidden_gradient_(width_) {
    network_.width = static_cast<std::uint32_t>(width_);
    const float spread = 1 / std::sqrt(static_cast<float>(width_));
    std::normal_distribution<float> normal(0, spread);
    std::uniform_real_distribution<float> uniform(-spread, spread);
    network_.embedding.resize(set.rows * width_);
    for (float& value : network_.embedding) value = normal(random_);
    network_.output.resize(width_ * set.labels);
    for (float& value : network_.output) value = uniform(random_);
    network_.bias.assign(set.labels, 0);
  }

  BagNetwork run() {
    std::vector<std::uint32_t> order(set_.texts.size());
    std::iota(order.begin(), order.end(), 0U);
    const std::size_t epochs = epochs_for(set_, width_);
    const std::size_t batches = (order.size() + batch_texts - 1) / batch_texts;
    const auto steps = static_cast<float>(epochs * batches);
    float done = 0;
    for (std::size_t epoch = 0; epoch < epochs; ++epoch) {
      std::ranges::shuffle(order, random_);
      for (std::size_t begin = 0; begin < order.size(); begin += batch_texts) {
        const std::size_t count = std::min(batch_texts, order.size() - begin);
        step(std::span(order).subspan(begin, count), std::max(rate_floor, 1 - done / steps));
        ++done;
      }
    }
    return std::move(network_);
  }

 private:
  void step(std::span<const std::uint32_t> batch, float rate) {
    for (const std::uint32_t text : batch)
      learn(set_.texts[text], set_.label_of[text], 1 / static_cast<float>(batch.size()));
    output_steps_.step(network_.output, output_gradient_, rate * output_rate);
    bias_steps_.step(network_.bias, bias_gradient_, rate * output_rate);
    update_embedding(rate * embedding_rate);
  }

  // Adds the gradient of one text's loss, times its share of the batch.
  void learn(const SparseVector& text, std::uint32_t label, float share) {
    shown_.clear();
    std::ranges::fill(hidden_, 0.0F);
    for (const Feature& feature : text) {
      if (coins_.next()) continue;
      shown_.push_back(feature);
      add_scaled(feature.value, row_of(network_.embedding, feature.index, width_), hidden_);
    }
    const float scale = inverse_rms(hidden_);
    for (float& value : hidden_) value *= scale;
    active_.clear();
    logits_ = network_.bias;
    for (std::uint32_t i = 0; i < width_; ++i) {
      if (hidden_[i] <= 0 || coins_.next()) continue;
      active_.push_back(i);
      add_scaled(kept_scale * hidden_[i], row_of(network_.output, i, set_.labels), logits_);
    }
    to_loss_gradient(label, share);
    add_scaled(1, logits_, bias_gradient_);
    std::ranges::fill(hidden_gradient_, 0.0F);
    for (const std::uint32_t i : active_) {
      add_scaled(kept_scale * hidden_[i], logits_, row_of(output_gradient_, i, set_.labels));
      hidden_gradient_[i] = kept_scale * product(row_of(network_.output, i, set_.labels), logits_);
    }
    // Through the normalisation: what lies along the hidden vector changes nothing.
    const float along = product(hidden_gradient_, hidden_) / static_cast<float>(width_);
    for (std::size_t i = 0; i < width_; ++i)
      hidden_gradient_[i] = scale * (hidden_gradient_[i] - along * hidden_[i]);
    for (const Feature& feature : shown_)
      add_scaled(feature.value, hidden_gradient_, gradient_of(feature.index));
  }

  // logits_ becomes the cross-entropy's gradient for them.
  void to_loss_gradient(std::uint32_t label, float share) {
    const float top = *std::ranges::max_element(logits_);
    float all = 0;
    for (float& logit : logits_) all += logit = std::exp(logit - top);
    for (float& logit : logits_) logit *= share / all;
    logits_[label] -= share;
  }

  std::span<float> gradient_of(std::uint32_t row) {
    if (slot_of_[row] == no_slot) {
      slot_of_[row] = static_cast<std::uint32_t>(touched_.size());
      touched_.push_back(row);
      row_gradients_.resize(touched_.size() * width_, 0);
    }
    return row_of(row_gradients_, slot_of_[row], width_);
  }

  // AdaGrad (Duchi et al., JMLR 2011): an n-gram that is rare learns as fast as one that is not.
  void update_embedding(float rate) {
    for (std::size_t slot = 0; slot < touched_.size(); ++slot) {
      const std::uint32_t row = touched_[slot];
      const float* gradient = row_of(row_gradients_, slot, width_).data();
      float* squares = row_of(squares_, row, width_).data();
      float* values = row_of(network_.embedding, row, width_).data();
      for (std::size_t i = 0; i < width_; ++i) {
        squares[i] += gradient[i] * gradient[i];
        values[i] -= rate * gradient[i] / (std::sqrt(squares[i]) + tiny);
      }
      slot_of_[row] = no_slot;
    }
    touched_.clear();
    row_gradients_.clear();
  }

  const BagTrainingSet& set_;
  std::mt19937_64 random_;
  Coins coins_;
  std::size_t width_;
  BagNetwork network_;
  std::vector<float> squares_;          // AdaGrad's, one a value of the embedding
  std::vector<std::uint32_t> slot_of_;  // row -> its place in row_gradients_
  std::vector<std::uint32_t> touched_;  // rows with a gradient in this batch
  std::vector<float> row_gradients_;
  std::vector<float> output_gradient_;
  std::vector<float> bias_gradient_;
  Adam output_steps_;
  Adam bias_steps_;
  SparseVector shown_;
  std::vector<std::uint32_t> active_;
  std::vector<float> hidden_;
  std::vector<float> hidden_gradient_;
  std::vector<float> logits_;
};

}  // namespace

BagNetwork train_bag_network(const BagTrainingSet& set, std::uint64_t seed) {
  return Training(set, seed).run();
}

}  // namespace understudy::text
