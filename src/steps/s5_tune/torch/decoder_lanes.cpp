#include "steps/s5_tune/torch/decoder_lanes.hpp"

#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "steps/s5_tune/torch/branch.hpp"

namespace understudy::s5 {

namespace {

// Below, products are too narrow for their weights to pay.
constexpr std::int64_t lane_tokens_min = 128;
// The longest lane over the mean: above, the others wait too long for it.
constexpr double imbalance_max = 1.2;

// A lane passes as many tokens forward and back at a time: what the layers keep of more leaves the
// caches, and of fewer, the weights are read too often.
constexpr std::int64_t turn_tokens = 512;

bool trains_in_lanes(const Adapter* adapter, const Computing& computing) {
  return adapter != nullptr && !adapter->options().magnitudes && !computing.composed();
}

int lanes_for(const Adapter* adapter, const Computing& computing, int threads) {
#ifdef _OPENMP
  constexpr bool has_threads = true;
#else
  constexpr bool has_threads = false;
#endif
  return has_threads && trains_in_lanes(adapter, computing) ? std::max(1, threads) : 1;
}

// Each number on a thread of its own, which ATen's operators then stay on.
template <class Function>
void on_lanes(std::size_t count, const Function& function) {
  const auto one_thread_each = [&](std::int64_t begin, std::int64_t end) {
    const c10::InferenceMode no_autograd;
#ifdef _OPENMP
    omp_set_num_threads(1);  // of this region's task only
#endif
    for (std::int64_t i = begin; i < end; ++i) function(static_cast<std::size_t>(i));
  };
  at::parallel_for(0, static_cast<std::int64_t>(count), 1, one_thread_each);
}

PackLoss joined(const std::vector<PackLoss>& losses) {
  PackLoss all;
  for (const PackLoss& one : losses) {
    all.loss += one.loss;
    all.right.insert(all.right.end(), one.right.begin(), one.right.end());
  }
  return all;
}

// The texts [first, end) of a pack.
Pack texts_of(const Pack& pack, std::size_t first, std::size_t end) {
  const std::int64_t token = pack.begins[first];
  const std::int64_t tokens = pack.begins[end] - token;
  const std::int64_t* rows = pack.rows.const_data_ptr<std::int64_t>();
  const std::int64_t* last = rows + pack.rows.numel();
  const std::int64_t row = std::lower_bound(rows, last, token) - rows;
  const std::int64_t count = std::lower_bound(rows, last, token + tokens) - rows - row;
  Pack part{.tokens = pack.tokens.narrow(0, token, tokens),
            .positions = pack.positions.narrow(0, token, tokens),
            .begins = {},
            .rows = pack.rows.narrow(0, row, count).sub(token),
            .targets = pack.targets.narrow(0, row, count),
            .weights = pack.weights.narrow(0, row, count)};
  for (std::size_t i = first; i <= end; ++i) part.begins.push_back(pack.begins[i] - token);
  if (pack.soft) {
    part.soft = pack.soft;
    part.soft->ids = pack.soft->ids.narrow(0, row, count);
    part.soft->probabilities = pack.soft->probabilities.narrow(0, row, count);
  }
  fill_up(part);
  return part;
}

// Where texts begin that cut a pack into `count` parts as equal as they can be, and its end.
std::vector<std::size_t> cuts_of(const Pack& pack, std::size_t count) {
  const double share = static_cast<double>(pack.begins.back()) / static_cast<double>(count);
  std::vector<std::size_t> cuts = {0};
  for (std::size_t i = 1; i < count; ++i) {
    const auto off = [&](std::size_t text) {
      return std::abs(static_cast<double>(pack.begins[text]) - share * static_cast<double>(i));
    };
    std::size_t nearest = cuts.back();
    for (std::size_t text = nearest + 1; text + 1 < pack.begins.size(); ++text) {
      if (off(text) < off(nearest)) nearest = text;
    }
    if (nearest > cuts.back()) cuts.push_back(nearest);
  }
  cuts.push_back(pack.begins.size() - 1);
  return cuts;
}

bool is_in_order(const Pack& pack) {
  const std::int64_t* rows = pack.rows.const_data_ptr<std::int64_t>();
  return std::is_sorted(rows, rows + pack.rows.numel());
}

std::vector<Pack> parts_of(const Pack& pack, const std::vector<std::size_t>& cuts) {
  std::vector<Pack> parts;
  for (std::size_t i = 1; i < cuts.size(); ++i) {
    parts.push_back(texts_of(pack, cuts[i - 1], cuts[i]));
  }
  return parts;
}

bool has_nothing_to_learn(const Pack& pack) { return pack.rows.numel() == 0; }

PackLoss in_turns(Decoder& decoder, const Pack& pack, std::uint64_t seed) {
  std::vector<PackLoss> losses;
  for (const Pack& turn : turns_of(pack)) {
    const std::uint64_t own = seed == 0 ? 0 : mixed_seed(seed, losses.size());
    losses.push_back(decoder.loss_and_gradients(turn, own));
  }
  return joined(losses);
}

}  // namespace

std::vector<Pack> split_pack(const Pack& pack, std::size_t count) {
  const std::int64_t tokens = pack.begins.back();
  if (pack.begins.size() <= count || tokens < static_cast<std::int64_t>(count) * lane_tokens_min ||
      !is_in_order(pack)) {
    return {pack};
  }
  const std::vector<std::size_t> cuts = cuts_of(pack, count);
  if (cuts.size() <= count) return {pack};
  const double longest_max =
      static_cast<double>(tokens) / static_cast<double>(count) * imbalance_max;
  for (std::size_t i = 1; i < cuts.size(); ++i) {
    if (static_cast<double>(pack.begins[cuts[i]] - pack.begins[cuts[i - 1]]) > longest_max) {
      return {pack};
    }
  }
  std::vector<Pack> parts = parts_of(pack, cuts);
  if (std::ranges::any_of(parts, has_nothing_to_learn)) return {pack};
  return parts;
}

std::vector<Pack> turns_of(const Pack& pack) {
  const auto count = static_cast<std::size_t>((pack.begins.back() + turn_tokens / 2) / turn_tokens);
  if (count < 2 || !is_in_order(pack)) return {pack};
  std::vector<Pack> turns = parts_of(pack, cuts_of(pack, count));
  std::erase_if(turns, has_nothing_to_learn);
  return turns;
}

std::int64_t tokens_at_once(std::int64_t text_tokens_max, int lanes) {
  return lanes * (turn_tokens * 3 / 2 + text_tokens_max);
}

DecoderLanes::Lane::Lane(const DecoderPlan& plan, const BaseWeights& base, const Adapter& shared,
                         Activations activations, const Decoder& like)
    : weights(base.sibling()),
      adapter(shared.with_own_gradients()),
      decoder(plan, weights, &adapter, activations, &like) {}

DecoderLanes::DecoderLanes(const DecoderPlan& plan, BaseWeights& weights, Adapter* adapter,
                           Activations activations, int threads)
    : adapter_(adapter),
      whole_(plan, weights, adapter, activations),
      takes_turns_(trains_in_lanes(adapter, weights.computing())) {
  for (int i = 1; i < lanes_for(adapter, weights.computing(), threads); ++i) {
    lanes_.emplace_back(plan, weights, *adapter, activations, whole_);
  }
  if (weights.packs()) weights.file().drop_pages();
}

PackLoss DecoderLanes::loss(const Pack& pack) {
  const std::vector<Pack> parts = split_pack(pack, lanes_.size() + 1);
  if (parts.size() == 1) return whole_.loss(pack);
  std::vector<PackLoss> losses(parts.size());
  on_lanes(parts.size(), [&](std::size_t i) { losses[i] = decoder_of(i).loss(parts[i]); });
  return joined(losses);
}

PackLoss DecoderLanes::loss_and_gradients(const Pack& pack, std::uint64_t seed) {
  const std::vector<Pack> parts = split_pack(pack, lanes_.size() + 1);
  if (parts.size() == 1) {
    return takes_turns_ ? in_turns(whole_, pack, seed) : whole_.loss_and_gradients(pack, seed);
  }
  std::vector<PackLoss> losses(parts.size());
  on_lanes(parts.size(), [&](std::size_t i) {
    if (i > 0) lanes_[i - 1].adapter.gradients().zero_();
    const std::uint64_t own = seed == 0 ? 0 : mixed_seed(seed, i);
    losses[i] = in_turns(decoder_of(i), parts[i], own);
  });
  for (const Lane& lane : lanes_) adapter_->gradients().add_(lane.adapter.gradients());
  return joined(losses);
}

}  // namespace understudy::s5
