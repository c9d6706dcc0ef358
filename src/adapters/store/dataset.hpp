// A curated data set: sealed examples (readers: curator, trainer) and a plain manifest without
// content (counts, splits, where it came from). Its id is a hash of its examples, so that equal
// data has one id.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "adapters/crypto/keys.hpp"
#include "adapters/store/home.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "records/example.hpp"

namespace understudy::store {

// Writes home/datasets/ID/{examples.sealed, manifest.json} and points home/datasets/current at it.
// `manifest` gets "id", "made_at", "examples" added.
Result<DatasetId> write_dataset(const Home& home, std::span<const crypto::PublicKey> readers,
                                const std::vector<Example>& examples, json::object manifest);

// The current data set's id; not_found says to run `understudy curate`.
Result<DatasetId> current_dataset(const Home& home);
Result<std::vector<Example>> read_dataset(const Home& home, const DatasetId& id,
                                          const crypto::SecretKey& reader);
Result<json::value> read_manifest(const Home& home, const DatasetId& id);

}  // namespace understudy::store
