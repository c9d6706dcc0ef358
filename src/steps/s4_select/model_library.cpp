#include "steps/s4_select/model_library.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include "adapters/lm/benchmark_model.hpp"
#include "adapters/lm/hf/convert.hpp"
#include "adapters/machine/machine.hpp"
#include "base/files.hpp"

namespace understudy::s4 {

namespace {

namespace fs = std::filesystem;
constexpr std::string_view first_part = "-00001-of-";
constexpr std::size_t part_digits = 5;

// "m-00002-of-00003": a part of a model that another file begins.
bool is_later_part(const std::string& stem) {
  const std::size_t at = stem.rfind("-of-");
  if (at == std::string::npos || at < part_digits + 1) return false;
  const std::string number = stem.substr(at - part_digits, part_digits);
  return std::ranges::all_of(number, [](char c) { return c >= '0' && c <= '9'; }) &&
         number != "00001";
}

fs::path speed_path(const fs::path& model) {
  return fs::path(model).replace_extension(".speed.json");
}

std::optional<lm::ModelSpeed> read_speed(const fs::path& model, const std::string& processor) {
  const auto text = read_file(speed_path(model));
  if (!text) return std::nullopt;
  const auto tree = json::parse(*text);
  if (!tree || json::string_or(*tree, "processor") != processor) return std::nullopt;
  return lm::ModelSpeed{
      .prompt_tokens_per_s = json::find_number(*tree, "prompt_tokens_per_s").value_or(0),
      .answer_tokens_per_s = json::find_number(*tree, "answer_tokens_per_s").value_or(0)};
}

std::string this_processor() {
  const auto machine = machine::read_machine();
  return machine ? machine->processor : std::string();
}

Result<InstalledModel> open_model(const fs::path& path, const std::string& processor) {
  return InstalledModel{.name = path.stem().string(),
                        .file = TRY(lm::read_model_file(path)),
                        .speed = read_speed(path, processor)};
}

Status take(const fs::path& from, const fs::path& to) {
  std::error_code error;
  if (fs::exists(to, error))
    return fail(ErrorCode::conflict, "there is a model " + to.string() + " already",
                "give the new one another --name, or remove the old one first");
  const fs::path partial = to.string() + ".partial";
  fs::remove(partial, error);
  fs::create_hard_link(fs::canonical(from, error), partial, error);
  if (error) fs::copy_file(from, partial, fs::copy_options::overwrite_existing, error);
  if (!error) fs::rename(partial, to, error);
  if (!error) return {};
  std::error_code ignored;
  fs::remove(partial, ignored);
  return fail(error == std::errc::no_space_on_device ? ErrorCode::exhausted : ErrorCode::denied,
              "cannot copy " + from.string() + " to " + to.string() + ": " + error.message());
}

// All files of the model that `file` begins; parts share what stands before "-00001-of-".
std::vector<fs::path> files_of(const fs::path& file) {
  const std::string name = file.filename().string();
  const std::size_t at = name.find(first_part);
  if (at == std::string::npos) return {file};
  std::vector<fs::path> files;
  const fs::path directory = file.has_parent_path() ? file.parent_path() : fs::path(".");
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    const std::string other = entry.path().filename().string();
    if (other.starts_with(name.substr(0, at + 1)) &&
        other.ends_with(name.substr(at + first_part.size() - 4)))
      files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

// Ids of artifacts whose description names the file.
std::vector<std::string> artifacts_tuned_on(const store::Home& home, const fs::path& model) {
  std::vector<std::string> ids;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(home.artifacts(), error)) {
    for (const char* file : {"artifact.json", "served.json"}) {
      const auto text = read_file(entry.path() / file);
      if (text && text->contains(model.string())) {
        ids.push_back(entry.path().filename().string());
        break;
      }
    }
  }
  return ids;
}

}  // namespace

fs::path models_directory(const store::Home& home) { return home.directory() / "models"; }

Result<ModelLibrary> list_models(const store::Home& home) {
  ModelLibrary library;
  const std::string processor = this_processor();
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::directory_iterator it(models_directory(home), error), end; !error && it != end;
       it.increment(error)) {
    if (it->path().extension() == ".gguf" && !is_later_part(it->path().stem().string()))
      paths.push_back(it->path());
  }
  std::ranges::sort(paths);
  for (const fs::path& path : paths) {
    auto model = open_model(path, processor);
    if (model) {
      library.models.push_back(std::move(*model));
    } else {
      library.broken.push_back(std::move(model).error());
    }
  }
  return library;
}

Result<InstalledModel> find_model(const store::Home& home, const std::string& name) {
  const fs::path path = models_directory(home) / (name + ".gguf");
  std::error_code error;
  if (name.contains('/') || !fs::exists(path, error)) {
    std::string known;
    for (const InstalledModel& model : TRY(list_models(home)).models)
      known += (known.empty() ? "" : ", ") + model.name;
    return fail(ErrorCode::not_found, "there is no model " + name + " on this machine",
                known.empty() ? "add one: understudy models add FILE.gguf" : "there are: " + known);
  }
  return open_model(path, this_processor());
}

namespace {

Status check_name(const std::string& name) {
  if (!name.empty() && !name.contains('/') && !name.starts_with('.')) return {};
  return fail(ErrorCode::invalid_input, "a model cannot be named '" + name + "'",
              "names go into file names: letters, digits, - _ .");
}

}  // namespace

Result<InstalledModel> take_directory(const store::Home& home, const fs::path& directory,
                                      const std::string& name) {
  const std::string stem = name.empty() ? lm::name_of_model_directory(directory) : name;
  TRY(check_name(stem));
  std::error_code error;
  fs::create_directories(models_directory(home), error);
  TRY(lm::provide_gguf(directory, models_directory(home) / (stem + ".gguf"), lm::Stale::kept));
  return find_model(home, stem);
}

Result<InstalledModel> add_model(const store::Home& home, const fs::path& file,
                                 const std::string& name) {
  std::error_code error;
  if (fs::is_directory(file, error)) return take_directory(home, file, name);
  TRY(lm::read_model_file(file));  // before anything is copied
  const fs::path directory = models_directory(home);
  fs::create_directories(directory, error);
  const std::string stem = name.empty() ? file.stem().string() : name;
  TRY(check_name(stem));
  const std::vector<fs::path> files = files_of(file);
  if (files.size() > 1 && !name.empty())
    return fail(ErrorCode::invalid_input, "a model in parts keeps its name", "leave --name out");
  for (const fs::path& part : files)
    TRY(take(part, directory / ((files.size() > 1 ? part.stem().string() : stem) + ".gguf")));
  return find_model(home, stem);
}

Status remove_model(const store::Home& home, const std::string& name) {
  const InstalledModel model = TRY(find_model(home, name));
  const auto tuned = artifacts_tuned_on(home, model.file.path);
  if (!tuned.empty())
    return fail(ErrorCode::conflict, "artifact " + tuned.front() + " was tuned on " + name,
                "it could not be served without it; remove the artifact first");
  std::error_code error;
  for (const fs::path& file : files_of(model.file.path)) fs::remove(file, error);
  fs::remove(speed_path(model.file.path), error);
  return {};
}

Result<InstalledModel> measure_model(const store::Home& home, const std::string& name) {
  InstalledModel model = TRY(find_model(home, name));
  const machine::Machine machine = TRY(machine::read_machine());
  const lm::ModelSpeed speed =
      TRY(lm::benchmark_model({.model = model.file.path, .threads = machine.cores}));
  const json::object kept{{"prompt_tokens_per_s", speed.prompt_tokens_per_s},
                          {"answer_tokens_per_s", speed.answer_tokens_per_s},
                          {"processor", machine.processor},
                          {"threads", machine.cores}};
  TRY(write_file_atomically(speed_path(model.file.path), json::to_text(kept) + "\n"));
  model.speed = speed;
  return model;
}

json::value to_json(const InstalledModel& model) {
  json::object out{{"name", model.name},
                   {"path", model.file.path.string()},
                   {"title", model.file.name},
                   {"architecture", model.file.architecture},
                   {"licence", model.file.licence},
                   {"stored_as", model.file.stored_as},
                   {"parameters", model.file.parameters},
                   {"weight_bytes", model.file.weight_bytes},
                   {"context_tokens", model.file.context_tokens},
                   {"kv_bytes_per_token", model.file.kv_bytes_per_token},
                   {"has_chat_template", model.file.has_chat_template}};
  if (model.speed) {
    out["measured"] = json::object{{"prompt_tokens_per_s", model.speed->prompt_tokens_per_s},
                                   {"answer_tokens_per_s", model.speed->answer_tokens_per_s}};
  }
  return out;
}

}  // namespace understudy::s4
