// A curated data set: sealed examples (readers: curator, trainer) and a plain manifest without
// content (counts, splits, where it came from). Its id is a hash of its examples, so that equal
// data has one id.
#pragma once

#include <functional>
#include <memory>
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
// Until finish() there is only home/datasets/unfinished, which the next writer removes. One thread.
class DatasetWriter {
 public:
  static Result<DatasetWriter> create(const Home& home, std::span<const crypto::PublicKey> readers);
  ~DatasetWriter();
  DatasetWriter(DatasetWriter&&) noexcept;
  DatasetWriter& operator=(DatasetWriter&&) noexcept;

  Status append(const Example& example);
  // `manifest` gets "id", "made_at", "examples" added. The last call.
  Result<DatasetId> finish(json::object manifest);

 private:
  struct State;
  explicit DatasetWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

Result<DatasetId> write_dataset(const Home& home, std::span<const crypto::PublicKey> readers,
                                const std::vector<Example>& examples, json::object manifest);

// The current data set's id; not_found says to run `understudy curate`.
Result<DatasetId> current_dataset(const Home& home);
Result<std::vector<Example>> read_dataset(const Home& home, const DatasetId& id,
                                          const crypto::SecretKey& reader);
// One after the other; an error of `visit` ends the reading and is returned.
Status visit_dataset(const Home& home, const DatasetId& id, const crypto::SecretKey& reader,
                     const std::function<Status(Example)>& visit);
Result<json::value> read_manifest(const Home& home, const DatasetId& id);

}  // namespace understudy::store
