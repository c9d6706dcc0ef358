// Step S3: curated examples to tasks. Structure and template lines first (call_sites), then what a
// site does (site_split), a template per task (template_miner), facts and names (task_facts), and
// (task_ids) ids that survive the next clustering.
//
// cluster() reads the current data set with the curator's key and replaces the tasks in the
// metadata store. cluster_examples() is its pure core: equal examples and options give equal tasks.
// One thread, apart from FAISS's own.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "adapters/store/home.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "economics/price_table.hpp"
#include "records/example.hpp"
#include "records/task.hpp"
#include "steps/s3_cluster/embedding_source.hpp"

namespace understudy::s3 {

struct ClusterOptions {
  std::size_t calls_min = 5;     // fewer calls, or from fewer sessions, are no task
  std::size_t sessions_min = 2;  // 1 where all examples are of one session
  std::uint64_t seed = 1;
  Embedder embed;  // empty: free texts are compared by their n-grams
  economics::PriceTable prices = economics::PriceTable::built_in();
};

struct Clustering {
  std::vector<Task> tasks;              // most calls first
  std::vector<Assignment> assignments;  // one per example, in their order
  std::size_t unreadable = 0;           // examples that are no chat call; unassigned
  std::size_t with_images = 0;          // clustered by their text
};

Result<Clustering> cluster_examples(std::span<const Example> examples,
                                    const ClusterOptions& options);

struct ClusterReport {
  DatasetId dataset;
  std::int64_t calls = 0;
  std::int64_t tasks = 0;
  std::int64_t unassigned = 0;
  std::int64_t unreadable = 0;
  std::int64_t with_images = 0;
  double seconds = 0;
};

Result<ClusterReport> cluster(const store::Home& home, const ClusterOptions& options);

// The same with vectors of free texts from `source`, each asked for once.
Result<ClusterReport> cluster_embedded(const store::Home& home, const ClusterOptions& options,
                                       const EmbeddingSource& source);

// Keeps the tasks and gives the calls of the current data set that have none yet to them, from
// their prompts alone; the tasks' figures stay those of the last clustering.
Result<ClusterReport> assign_new_calls(const store::Home& home);

json::value to_json(const ClusterReport& report);

}  // namespace understudy::s3
