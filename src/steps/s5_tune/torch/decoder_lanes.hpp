// A decoder whose training steps run in lanes: each thread takes some of a pack's texts through all
// layers, forward and back, by itself, and the lanes' gradients are added in their order. Threads
// then wait for each other once a step and not at every product: nearly twice the speed on two
// cores, and no collapse where other programs want them. A lane takes its texts in turns of some
// hundred tokens, so that only a turn's activations exist at a time. A pack that does not divide
// (one long text), DoRA and full tuning, whose gradients are too large to have one for each thread,
// run with all threads in each operation. Another device has one lane: its own operators use all of
// it. One thread calls.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "steps/s5_tune/torch/adapter.hpp"
#include "steps/s5_tune/torch/decoder.hpp"

namespace understudy::s5 {

class DecoderLanes {
 public:
  // All must outlive this; `adapter` may be null. At most `threads` lanes.
  DecoderLanes(const DecoderPlan& plan, BaseWeights& weights, Adapter* adapter,
               Activations activations, int threads);

  [[nodiscard]] std::size_t lanes() const { return lanes_.size() + 1; }
  [[nodiscard]] PackLoss loss(const Pack& pack);
  // Adds to the gradients of what is trained. `seed` draws the dropout.
  PackLoss loss_and_gradients(const Pack& pack, std::uint64_t seed);

 private:
  struct Lane {
    Lane(const DecoderPlan& plan, const BaseWeights& base, const Adapter& shared,
         Activations activations, const Decoder& like);
    BaseWeights weights;  // its own buffer for expanded matrices
    Adapter adapter;      // the same parameters, its own gradients
    Decoder decoder;
  };

  [[nodiscard]] Decoder& decoder_of(std::size_t lane) {
    return lane == 0 ? whole_ : lanes_[lane - 1].decoder;
  }

  Adapter* adapter_;
  Decoder whole_;           // also the first lane
  bool takes_turns_;        // also where a pack does not divide
  std::deque<Lane> lanes_;  // the others
};

// Cuts between texts into `count` packs of about as many tokens; one where that is not possible.
std::vector<Pack> split_pack(const Pack& pack, std::size_t count);
// The turns that a lane takes its texts in.
std::vector<Pack> turns_of(const Pack& pack);
// At most as many tokens pass through the layers at a time.
std::int64_t tokens_at_once(std::int64_t text_tokens_max, int lanes);

}  // namespace understudy::s5
