#include "steps/s4_select/catalogue.hpp"

#include <algorithm>
#include <format>
#include <toml++/toml.hpp>

#include "base/check.hpp"
#include "base/files.hpp"

namespace understudy::s4 {

namespace {

#ifdef __clang__
#pragma clang diagnostic ignored "-Wc23-extensions"  // #embed: standard from C++26 on
#endif
constexpr unsigned char built_in[] = {
#embed "slm_catalogue.toml"
};

std::unexpected<Error> bad_entry(std::string_view name, const toml::node& node,
                                 std::string_view why) {
  return fail(ErrorCode::invalid_input,
              std::format("{}:{}: {}", name, node.source().begin.line, why),
              "an entry looks like: [[model]] name = \"my-slm-3b\", parameters_billion = 3, "
              "licence = \"apache-2.0\", context_tokens = 32768");
}

Result<CatalogueModel> parse_model(const toml::node& node, std::string_view name) {
  const toml::table* entry = node.as_table();
  if (entry == nullptr) return bad_entry(name, node, "a model is a table");
  CatalogueModel model;
  model.name = (*entry)["name"].value_or(std::string());
  if (model.name.empty()) return bad_entry(name, node, "a model without a name");
  model.family = (*entry)["family"].value_or(std::string());
  model.parameters_billion = (*entry)["parameters_billion"].value_or(0.0);
  if (!(model.parameters_billion > 0 && model.parameters_billion < 10'000))
    return bad_entry(name, node, model.name + " lacks parameters_billion");
  model.licence = (*entry)["licence"].value_or(std::string());
  model.context_tokens = (*entry)["context_tokens"].value<std::int64_t>();
  model.instruction_following = (*entry)["ifeval_fh1"].value<double>();
  model.knowledge = (*entry)["mmlu_fh1"].value<double>();
  for (const auto& [key, version] :
       {std::pair{"tool_use_bfcl_v4", "BFCL v4"}, std::pair{"tool_use_bfcl_v3", "BFCL v3"}}) {
    model.tool_use = (*entry)[key].value<double>();
    model.tool_use_version = version;
    if (model.tool_use) break;
  }
  model.notes = (*entry)["notes"].value_or(std::string());
  if (const toml::table* sources = (*entry)["sources"].as_table()) {
    for (const auto& [key, source] : *sources)
      model.sources[std::string(key.str())] = source.value_or(std::string());
  }
  return model;
}

}  // namespace

Result<std::vector<CatalogueModel>> parse_catalogue(std::string_view toml, std::string_view name) {
  std::vector<CatalogueModel> models;
  try {
    const toml::table tree = toml::parse(toml, name);
    const toml::array* entries = tree["model"].as_array();
    if (entries == nullptr) return models;
    for (const toml::node& node : *entries) models.push_back(TRY(parse_model(node, name)));
  } catch (const toml::parse_error& error) {
    return fail(ErrorCode::invalid_input,
                std::format("{}:{}: {}", name, error.source().begin.line, error.description()),
                "the catalogue is written in TOML, one [[model]] a model");
  }
  return models;
}

json::value to_json(const CatalogueModel& model) {
  json::object out{{"name", model.name},
                   {"family", model.family},
                   {"parameters_billion", model.parameters_billion},
                   {"licence", model.licence}};
  if (model.context_tokens) out["context_tokens"] = *model.context_tokens;
  if (model.tool_use) {
    out["tool_use"] = *model.tool_use;
    out["tool_use_version"] = model.tool_use_version;
  }
  if (model.instruction_following) out["ifeval"] = *model.instruction_following;
  if (model.knowledge) out["mmlu"] = *model.knowledge;
  if (!model.notes.empty()) out["notes"] = model.notes;
  json::object sources;
  for (const auto& [figure, source] : model.sources) sources[figure] = source;
  out["sources"] = std::move(sources);
  return out;
}

Result<std::vector<CatalogueModel>> load_catalogue(const std::filesystem::path& own_file) {
  auto models =
      parse_catalogue({reinterpret_cast<const char*>(std::data(built_in)), std::size(built_in)},
                      "built-in catalogue");
  CHECK(models.has_value(), "the built-in catalogue is in order");
  auto text = read_file(own_file);
  if (!text && text.error().code == ErrorCode::not_found) return models;
  if (!text) return fail(std::move(text).error());
  for (CatalogueModel& own : TRY(parse_catalogue(*text, own_file.string()))) {
    const auto same = std::ranges::find(*models, own.name, &CatalogueModel::name);
    if (same == models->end()) {
      models->push_back(std::move(own));
    } else {
      *same = std::move(own);
    }
  }
  return models;
}

}  // namespace understudy::s4
