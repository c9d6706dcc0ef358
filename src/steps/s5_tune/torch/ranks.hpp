// The processes that train one model together: each works on a share of every step's data, then
// gradients are added up (c10d: over NCCL where they lie on CUDA and libtorch has it, else over
// Gloo). Who starts them is not ours: torchrun, mpirun, Slurm and Kubernetes set RANK, WORLD_SIZE,
// MASTER_ADDR and MASTER_PORT. Without them there is one process. One thread.
#pragma once

#include <memory>

#include "base/result.hpp"
#include "steps/s5_tune/torch/tensor.hpp"

namespace understudy::s5 {

class Ranks {
 public:
  // Waits for the others. invalid_input names a variable that is absent or wrong.
  static Result<Ranks> from_environment(at::Device device);
  Ranks();  // alone
  ~Ranks();
  Ranks(Ranks&&) noexcept;
  Ranks& operator=(Ranks&&) noexcept;

  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] int size() const { return size_; }
  [[nodiscard]] bool leads() const { return rank_ == 0; }
  // Adds up over all ranks, in place; f32 or f64. The same bits on each.
  void sum(const at::Tensor& values) const;
  [[nodiscard]] double sum(double value) const;
  [[nodiscard]] double of_leader(double value) const;

 private:
  struct Group;
  int rank_ = 0;
  int size_ = 1;
  std::unique_ptr<Group> group_;
};

}  // namespace understudy::s5
