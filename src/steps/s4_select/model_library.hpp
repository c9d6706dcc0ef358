// The base models on this machine: GGUF files in home/models, put there by `understudy models add`
// or by hand, with the speed that was measured for each (NAME.speed.json beside it). Reads heads
// only, never weights. Not thread-safe between processes beyond what renaming files gives.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "adapters/lm/model_file.hpp"
#include "adapters/lm/model_speed.hpp"
#include "adapters/store/home.hpp"
#include "base/json.hpp"
#include "base/result.hpp"

namespace understudy::s4 {

struct InstalledModel {
  std::string name;  // of the file, without .gguf
  lm::ModelFile file;
  std::optional<lm::ModelSpeed> speed;  // measured on this machine's processor
};

struct ModelLibrary {
  std::vector<InstalledModel> models;  // by name
  std::vector<Error> broken;           // files that are no sound models
};

std::filesystem::path models_directory(const store::Home& home);
Result<ModelLibrary> list_models(const store::Home& home);
// not_found lists what there is.
Result<InstalledModel> find_model(const store::Home& home, const std::string& name);

// Takes a GGUF file in under `name` (empty: the file's own): by a hard link where the file system
// can, else by a copy; a directory as take_directory does. conflict: the name is taken. Of a model
// in parts, all are taken.
Result<InstalledModel> add_model(const store::Home& home, const std::filesystem::path& file,
                                 const std::string& name);
// Converts a Hugging Face model directory (adapters/lm/hf) to one of these models, named after it
// unless `name` says otherwise; at once where it has been converted before. conflict: the name is
// that of another model, or the directory has changed since.
Result<InstalledModel> take_directory(const store::Home& home,
                                      const std::filesystem::path& directory,
                                      const std::string& name);
// conflict: an artifact was tuned on it, and its id is named.
Status remove_model(const store::Home& home, const std::string& name);

// Runs llama-bench on it and keeps what it says.
Result<InstalledModel> measure_model(const store::Home& home, const std::string& name);

json::value to_json(const InstalledModel& model);

}  // namespace understudy::s4
