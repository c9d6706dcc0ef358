#include "adapters/store/watch_store.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "adapters/store/output_file.hpp"
#include "base/file_lock.hpp"
#include "base/files.hpp"

namespace understudy::store {

namespace {

constexpr std::size_t demotions_kept_max = 1000;

std::filesystem::path vetoes_of(const Home& home) { return watch_directory(home) / "vetoes.json"; }
std::filesystem::path watches_of(const Home& home) { return watch_directory(home) / "tasks.json"; }
std::filesystem::path demotions_of(const Home& home) {
  return watch_directory(home) / "demotions.jsonl";
}
std::filesystem::path lock_of(const Home& home) { return watch_directory(home) / "lock"; }

Status make_directory(const Home& home) {
  const auto path = watch_directory(home);
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return fail_errno("cannot create", path);
}

bool is_lifted(const Veto& veto, const RoutingPolicy& policy) {
  if (veto.task.empty()) return policy.resumed_at > veto.at;
  const auto task = std::ranges::find(policy.tasks, veto.task, &TaskPolicy::task);
  return task == policy.tasks.end() || task->decided_at > veto.at;
}

}  // namespace

std::filesystem::path watch_directory(const Home& home) { return home.directory() / "watch"; }

Result<std::vector<Veto>> parse_vetoes(std::string_view text) {
  const json::value tree = TRY(json::parse(text));
  const json::array* stored = json::find_array(tree, "vetoes");
  if (stored == nullptr) return fail(ErrorCode::corrupt, "a list of vetoes without \"vetoes\"");
  std::vector<Veto> vetoes;
  for (const json::value& veto : *stored) vetoes.push_back(TRY(veto_from_json(veto)));
  return vetoes;
}

Result<std::vector<Veto>> load_vetoes(const Home& home) {
  const auto text = read_file(vetoes_of(home));
  if (!text && text.error().code == ErrorCode::not_found) return std::vector<Veto>{};
  if (!text) return fail(text.error());
  auto vetoes = parse_vetoes(*text);
  if (!vetoes) {
    return fail(ErrorCode::corrupt, vetoes_of(home).string() + ": " + vetoes.error().message,
                "look at `understudy policy`, then remove the file, or promote again");
  }
  return vetoes;
}

Status add_veto(const Home& home, const RoutingPolicy& policy, const Veto& veto) {
  TRY(make_directory(home));
  const FileLock lock = TRY(FileLock::take(lock_of(home)));
  auto vetoes = TRY(load_vetoes(home));
  std::erase_if(vetoes, [&](const Veto& old) {
    return is_lifted(old, policy) || (old.task == veto.task && old.mode == veto.mode);
  });
  vetoes.push_back(veto);
  json::array stored;
  for (const Veto& entry : vetoes) stored.push_back(to_json(entry));
  return write_file_atomically(vetoes_of(home),
                               json::to_text(json::object{{"vetoes", std::move(stored)}}) + "\n",
                               FileMode::owner_only);
}

std::vector<TaskWatch> parse_watches(std::string_view text) {
  std::vector<TaskWatch> watches;
  const auto tree = json::parse(text);
  const json::array* stored = tree ? json::find_array(*tree, "tasks") : nullptr;
  if (stored == nullptr) return watches;
  for (const json::value& entry : *stored) {
    if (auto watch = task_watch_from_json(entry)) watches.push_back(std::move(*watch));
  }
  return watches;
}

std::vector<TaskWatch> load_watches(const Home& home) {
  const auto text = read_file(watches_of(home));
  return text ? parse_watches(*text) : std::vector<TaskWatch>{};
}

Status save_watches(const Home& home, const std::vector<TaskWatch>& watches) {
  TRY(make_directory(home));
  json::array stored;
  for (const TaskWatch& watch : watches) stored.push_back(to_json(watch));
  return write_file_atomically(watches_of(home),
                               json::to_text(json::object{{"tasks", std::move(stored)}}) + "\n",
                               FileMode::owner_only);
}

std::vector<Demotion> parse_demotions(std::string_view lines) {
  std::vector<Demotion> demotions;
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
    const auto tree = json::parse(line);
    if (!tree) continue;
    if (auto demotion = demotion_from_json(*tree)) demotions.push_back(std::move(*demotion));
  }
  return demotions;
}

std::vector<Demotion> load_demotions(const Home& home) {
  const auto text = read_file(demotions_of(home));
  return text ? parse_demotions(*text) : std::vector<Demotion>{};
}

Status add_demotion(const Home& home, const Demotion& demotion) {
  TRY(make_directory(home));
  const FileLock lock = TRY(FileLock::take(lock_of(home)));
  auto demotions = load_demotions(home);
  demotions.push_back(demotion);
  std::string lines;
  const std::size_t first =
      demotions.size() > demotions_kept_max ? demotions.size() - demotions_kept_max : 0;
  for (std::size_t i = first; i < demotions.size(); ++i)
    lines += json::to_text(to_json(demotions[i])) + "\n";
  return write_file_atomically(demotions_of(home), lines, FileMode::owner_only);
}

}  // namespace understudy::store
