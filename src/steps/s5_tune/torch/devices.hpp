// The device that a run trains on, by its name or by what libtorch finds, and how much memory is
// free there. Knows no vendor's headers: libtorch says what it was built with.
#pragma once

#include <string>

#include "base/result.hpp"
#include "steps/s5_tune/torch/tensor.hpp"

namespace understudy::s5 {

inline constexpr const char* automatic_device = "auto";

// "auto": a CUDA device where there is one, else the CPU. "cpu", "cuda" or "cuda:N": that one;
// without a number it is that of the process among those of its machine, as torchrun (LOCAL_RANK),
// Open MPI and Slurm say it. unsupported: this libtorch knows no such device; not_found: it sees
// none, or none of that number.
Result<at::Device> training_device(const std::string& asked);

// Bytes, of a device that is not the CPU; 0 where it is not known.
double free_memory_of(at::Device device);
// Bytes: of the CPU, what this process holds; of others, what all hold; 0 where it is not known.
double memory_in_use(at::Device device);

}  // namespace understudy::s5
