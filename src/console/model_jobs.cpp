#include "console/model_jobs.hpp"

#include <algorithm>
#include <string>

#include "steps/s4_select/catalogue.hpp"
#include "steps/s4_select/machine_profile.hpp"
#include "steps/s4_select/model_library.hpp"

namespace understudy::console {

namespace {

Result<std::vector<s4::CatalogueModel>> catalogue_of(const store::Home& home) {
  return s4::load_catalogue(home.directory() / "slm_catalogue.toml");
}

}  // namespace

Result<json::value> list_models(const store::Home& home) {
  const s4::ModelLibrary library = TRY(s4::list_models(home));
  json::array models;
  for (const s4::InstalledModel& model : library.models) models.push_back(to_json(model));
  json::array broken;
  for (const Error& error : library.broken) broken.emplace_back(error.message);
  json::array catalogue;
  for (const s4::CatalogueModel& model : TRY(catalogue_of(home)))
    catalogue.push_back(to_json(model));
  return json::object{{"machine", TRY(probe_machine(home))},
                      {"models", std::move(models)},
                      {"broken", std::move(broken)},
                      {"catalogue", std::move(catalogue)}};
}

Result<json::value> show_machine(const store::Home& home) {
  return to_json(TRY(s4::profile_machine(home, s4::Measure::never)));
}

Result<json::value> probe_machine(const store::Home& home) {
  return to_json(TRY(s4::profile_machine(home, s4::Measure::if_unknown)));
}

Result<json::value> show_model(const store::Home& home, const std::string& name) {
  json::object out{{"name", name}};
  auto installed = s4::find_model(home, name);
  if (installed) out["file"] = to_json(*installed);
  const auto catalogue = TRY(catalogue_of(home));
  const auto entry = std::ranges::find(catalogue, name, &s4::CatalogueModel::name);
  if (entry != catalogue.end()) out["catalogue"] = to_json(*entry);
  if (!installed && entry == catalogue.end()) return fail(std::move(installed).error());
  return out;
}

Result<json::value> add_model(const store::Home& home, const std::filesystem::path& file,
                              const std::string& name) {
  return to_json(TRY(s4::add_model(home, file, name)));
}

Result<json::value> remove_model(const store::Home& home, const std::string& name) {
  TRY(s4::remove_model(home, name));
  return json::object{{"removed", name}};
}

Result<json::value> measure_model(const store::Home& home, const std::string& name) {
  if (name.empty()) return to_json(TRY(s4::profile_machine(home, s4::Measure::anew)));
  return to_json(TRY(s4::measure_model(home, name)));
}

}  // namespace understudy::console
