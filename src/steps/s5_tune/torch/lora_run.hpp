// The loop of a run on a base: steps, looks at the validation part, checkpoints. One thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/progress.hpp"
#include "steps/s5_tune/packing.hpp"
#include "steps/s5_tune/torch/adapter.hpp"
#include "steps/s5_tune/torch/decoder_lanes.hpp"
#include "steps/s5_tune/torch/lora_checkpoint.hpp"
#include "steps/s5_tune/torch/lora_data.hpp"
#include "steps/s5_tune/torch/lora_trainer.hpp"
#include "steps/s5_tune/torch/optimiser.hpp"
#include "steps/s5_tune/torch/ranks.hpp"
#include "steps/s5_tune/torch/teacher.hpp"

namespace understudy::s5 {

class LoraRun {
 public:
  // All must outlive this.
  LoraRun(const LoraData& data, DecoderLanes& decoder, Trained& trained, const LoraOptions& options,
          const std::filesystem::path& directory, const Ranks& ranks);

  void learn_from(const Teacher& teacher) { teacher_ = &teacher; }  // must outlive this
  Status resume(const std::string& fingerprint);
  // Until steps, time or patience run out; leaves the best parameters in what is trained.
  // cancelled: somebody asked for its end (base/stop_request); the checkpoint holds all that was
  // done.
  Status train(const std::string& fingerprint);
  [[nodiscard]] LoraReport report() const;

 private:
  using Rows = std::vector<std::vector<std::size_t>>;  // texts of each pack

  struct Look {
    double loss = 0;
    double exact = 0;
  };

  [[nodiscard]] Rows rows_of_epoch(std::int64_t epoch) const;
  [[nodiscard]] double rate_at(std::int64_t step) const;
  void step(const Rows& rows, std::int64_t first);
  [[nodiscard]] Look look() const;
  void observe();
  void fit_into_time();
  [[nodiscard]] bool over() const;
  [[nodiscard]] double tokens_per_s() const;
  [[nodiscard]] bool asked_to_stop() const;  // any of the ranks
  [[nodiscard]] std::unexpected<Error> stopped() const;
  [[nodiscard]] double elapsed_s() const { return state_.seconds + watch_.elapsed_s(); }
  [[nodiscard]] double elapsed_everywhere_s() const { return ranks_.of_leader(elapsed_s()); }
  // Packs of a step, of all ranks.
  [[nodiscard]] std::int64_t packs_of_step() const { return options_.accumulation * ranks_.size(); }
  Status save(const std::string& fingerprint);

  const LoraData& data_;
  DecoderLanes& decoder_;
  Trained& trained_;
  const LoraOptions& options_;
  std::filesystem::path directory_;
  const Ranks& ranks_;
  const Teacher* teacher_ = nullptr;
  AdamW optimiser_;
  LoraState state_;
  std::ofstream metrics_;
  Stopwatch watch_;
  double step_seconds_ = 0;  // of this process' steps
  std::int64_t step_tokens_ = 0;
  std::int64_t steps_here_ = 0;
  double loss_ = 0;
  double norm_ = 0;
};

}  // namespace understudy::s5
