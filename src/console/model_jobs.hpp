// The jobs behind `understudy models`: base models, those on this machine and those that the
// catalogue knows.
#pragma once

#include <filesystem>
#include <string>

#include "adapters/store/home.hpp"
#include "base/json.hpp"
#include "base/result.hpp"

namespace understudy::console {

// {"machine", "models": [...] on this machine, "broken": [...], "catalogue": [...]}
Result<json::value> list_models(const store::Home& home);
// What this machine has and, as far as it is known, how fast it computes.
Result<json::value> show_machine(const store::Home& home);
// The same, measured (half a second) where it is not known.
Result<json::value> probe_machine(const store::Home& home);
// A model on this machine, an entry of the catalogue, or both.
Result<json::value> show_model(const store::Home& home, const std::string& name);
Result<json::value> add_model(const store::Home& home, const std::filesystem::path& file,
                              const std::string& name);
Result<json::value> remove_model(const store::Home& home, const std::string& name);
// By llama-bench. Without a name the machine itself is measured anew.
Result<json::value> measure_model(const store::Home& home, const std::string& name);

}  // namespace understudy::console
