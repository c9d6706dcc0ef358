// Puts texts into rows of at most so many tokens, first fit in an order drawn for each epoch, so
// that rows are nearly full. Texts share a row with others of about their length (up to twice as
// long): rows then cost about the same and divide well among threads; only what is left over is
// mixed. Pure; the same for the same seed.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace understudy::s5 {

struct PackingOptions {
  std::size_t tokens_max = 2048;  // of a row; a longer text has one of its own
  std::uint64_t seed = 1;         // of the order
  // A row's texts lie so that it can be cut into this many parts of about as many tokens.
  std::size_t lanes = 1;
};

// Each row as indices of texts, given the texts' lengths.
std::vector<std::vector<std::size_t>> pack_texts(std::span<const std::size_t> lengths,
                                                 const PackingOptions& options);

}  // namespace understudy::s5
