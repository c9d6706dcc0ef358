// What the heads of both sealed formats share: how one is read from a file, and the key in it that
// is sealed to a reader. Private to adapters/store.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/crypto/keys.hpp"
#include "adapters/store/input_file.hpp"
#include "adapters/store/sealed_format.hpp"
#include "base/result.hpp"

namespace understudy::store {

using HeadBytesOf = Result<std::size_t> (*)(std::string_view preamble);

// The head's bytes, unparsed. `bytes_of` judges the first `preamble_bytes`, or the whole file where
// it has fewer. corrupt where the head is cut.
Result<std::string> read_head(const InputFile& file, std::size_t preamble_bytes,
                              HeadBytesOf bytes_of);

// The first of `keys` that is sealed to one of `readers`, opened. denied names who may read the
// file and whose key is here.
Result<SecretText> open_data_key(const std::vector<sealed_format::SealedKey>& keys,
                                 std::span<const crypto::SecretKey> readers);

}  // namespace understudy::store
