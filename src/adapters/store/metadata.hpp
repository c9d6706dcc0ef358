// The index of everything that is not content: tasks, assignments, artifacts, evaluations. SQLite
// file home/metadata.db with numbered migrations; a second back end (PostgreSQL) has to pass the
// same tests. One object per thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "adapters/store/home.hpp"
#include "base/result.hpp"
#include "records/evaluation.hpp"
#include "records/model.hpp"
#include "records/refinement.hpp"
#include "records/task.hpp"

namespace understudy::store {

class Metadata {
 public:
  static Result<Metadata> open(const Home& home);
  ~Metadata();
  Metadata(Metadata&&) noexcept;
  Metadata& operator=(Metadata&&) noexcept;

  // One clustering replaces the one before, in one transaction.
  Status replace_tasks(const DatasetId& dataset, const std::vector<Task>& tasks,
                       const std::vector<Assignment>& assignments);
  Result<std::vector<Task>> tasks() const;  // most calls first
  // `prefix`: a task id or an unambiguous beginning of it; not_found lists what there is.
  Result<Task> find_task(std::string_view prefix) const;
  Result<std::vector<Assignment>> assignments() const;
  Result<std::unordered_set<CallId>> members_of(const TaskId& task) const;
  Result<DatasetId> clustered_dataset() const;  // not_found says to run `understudy cluster`

  Status add_artifact(const Artifact& artifact);
  Result<std::vector<Artifact>> artifacts(const TaskId& task) const;  // newest first

  Status remove_artifact(const ArtifactId& artifact);  // its evaluations stay

  Status add_evaluation(const Evaluation& evaluation);
  Result<std::vector<Evaluation>> evaluations(const TaskId& task) const;  // newest first

  Status put_refinement(const Refinement& refinement);  // replaces the one of the same id
  Result<std::vector<Refinement>> refinements() const;  // newest first

 private:
  struct State;
  explicit Metadata(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace understudy::store
