// What `serve` keeps about its live small models, and what may lower a policy without a secret key
// (records/watch.hpp): HOME/watch/vetoes.json, tasks.json, demotions.jsonl. Several processes may
// change vetoes (the gateway, `understudy route off`): they wait for each other by watch/lock.
// Each call blocks on the disk.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/store/home.hpp"
#include "base/result.hpp"
#include "records/watch.hpp"

namespace understudy::store {

// Made, with mode 0700, when something is written into it.
std::filesystem::path watch_directory(const Home& home);

// None: there are none. A file that cannot be read is an error: the caller must not serve by it as
// if nothing had been forbidden.
Result<std::vector<Veto>> load_vetoes(const Home& home);
Result<std::vector<Veto>> parse_vetoes(std::string_view text);
// Adds one and drops those that `policy` has lifted.
Status add_veto(const Home& home, const RoutingPolicy& policy, const Veto& veto);

// A broken file counts as none: counts begin anew then.
std::vector<TaskWatch> load_watches(const Home& home);
std::vector<TaskWatch> parse_watches(std::string_view text);
Status save_watches(const Home& home, const std::vector<TaskWatch>& watches);

// Oldest first; lines that a crash cut are left out. Of very many the newest.
std::vector<Demotion> load_demotions(const Home& home);
std::vector<Demotion> parse_demotions(std::string_view lines);
Status add_demotion(const Home& home, const Demotion& demotion);

}  // namespace understudy::store
