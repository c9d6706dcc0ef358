#include "adapters/machine/compute_environment.hpp"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "base/installation.hpp"

namespace understudy::machine {

namespace {

struct Variable {
  std::string name, value;
};

// Each step allocates the same few large tensors on as many threads: keep their pages, in one arena
// (others give theirs back, and mallopt() cannot forbid them once a library has had a thread), make
// them huge where the kernel lets a program ask for that, and let each thread have freed blocks at
// hand, as many as a step frees of a size, so that it seldom waits for the arena. Together 1.13
// times the rate of mallopt() alone.
constexpr std::string_view kept_pages =
    "glibc.malloc.arena_max=1:glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=1125899906842624:"
    "glibc.malloc.hugetlb=1:glibc.malloc.tcache_max=4194304:glibc.malloc.tcache_count=200";

std::vector<Variable> missing_variables() {
  std::vector<Variable> missing;
  const char* tunables = std::getenv("GLIBC_TUNABLES");
  const std::string_view own = tunables != nullptr ? tunables : "";
  if (!own.starts_with(kept_pages)) {
    std::string value(kept_pages);
    if (!own.empty()) value.append(":").append(own);  // what stands behind wins
    missing.push_back({.name = "GLIBC_TUNABLES", .value = std::move(value)});
  }
  // Keeps UCX from patching libc's memory functions: libtorch brings it by way of Open MPI, and
  // loading it took half a second of a core for hooks that only its own transports use.
  if (std::getenv("UCX_MEM_EVENTS") == nullptr)
    missing.push_back({.name = "UCX_MEM_EVENTS", .value = "no"});
  return missing;
}

}  // namespace

std::vector<std::string> compute_environment() {
  const std::vector<Variable> missing = missing_variables();
  std::vector<std::string> all;
  for (const Variable& variable : missing) all.push_back(variable.name + "=" + variable.value);
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    const auto is_replaced = [&](const Variable& one) { return text.starts_with(one.name + "="); };
    if (std::ranges::none_of(missing, is_replaced)) all.emplace_back(text);
  }
  return all;
}

void give_back_free_memory() { ::malloc_trim(0); }

void restart_with_compute_environment(char** words) {
  const std::vector<Variable> missing = missing_variables();
  if (missing.empty()) return;
  for (const Variable& variable : missing)
    ::setenv(variable.name.c_str(), variable.value.c_str(), 1);
  ::execv(running_program().c_str(), words);
}

}  // namespace understudy::machine
