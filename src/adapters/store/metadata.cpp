#include "adapters/store/metadata.hpp"

#include <array>
#include <charconv>
#include <filesystem>
#include <iterator>

#include "adapters/store/sqlite.hpp"
#include "base/ids.hpp"
#include "records/formats.hpp"

namespace understudy::store {

namespace {

// Numbered migrations: entry i brings version i to i + 1. Only ever append.
constexpr std::array migrations = {R"sql(
CREATE TABLE clustering (singleton INTEGER PRIMARY KEY CHECK (singleton = 1), dataset TEXT NOT NULL);
CREATE TABLE task (id TEXT PRIMARY KEY, calls INTEGER NOT NULL, record TEXT NOT NULL);
CREATE TABLE assignment (call TEXT PRIMARY KEY, task TEXT NOT NULL, confidence REAL NOT NULL);
CREATE TABLE artifact (id TEXT PRIMARY KEY, task TEXT NOT NULL, made_at INTEGER NOT NULL, record TEXT NOT NULL);
CREATE TABLE evaluation (number INTEGER PRIMARY KEY, task TEXT NOT NULL, made_at INTEGER NOT NULL, record TEXT NOT NULL);
CREATE INDEX artifact_of_task ON artifact (task, made_at);
CREATE INDEX evaluation_of_task ON evaluation (task, made_at);
)sql",
                                   R"sql(
CREATE TABLE refinement (id TEXT PRIMARY KEY, task TEXT NOT NULL, record TEXT NOT NULL);
)sql"};

static_assert(std::ssize(migrations) == format_of(FormatId::metadata).newest);

constexpr std::string_view insert_task = "INSERT INTO task (id, calls, record) VALUES (?, ?, ?)";
constexpr std::string_view insert_assignment =
    "INSERT OR REPLACE INTO assignment (call, task, confidence) VALUES (?, ?, ?)";
constexpr std::string_view insert_clustering =
    "INSERT INTO clustering (singleton, dataset) VALUES (1, ?)";
constexpr std::string_view select_tasks = "SELECT record FROM task ORDER BY calls DESC, id";
constexpr std::string_view select_assignments =
    "SELECT call, task, confidence FROM assignment ORDER BY call";
constexpr std::string_view insert_artifact =
    "INSERT OR REPLACE INTO artifact (id, task, made_at, record) VALUES (?, ?, ?, ?)";
constexpr std::string_view select_artifacts =
    "SELECT record FROM artifact WHERE task = ? ORDER BY made_at DESC, rowid DESC";
constexpr std::string_view insert_evaluation =
    "INSERT INTO evaluation (task, made_at, record) VALUES (?, ?, ?)";
constexpr std::string_view select_evaluations =
    "SELECT record FROM evaluation WHERE task = ? ORDER BY made_at DESC, number DESC";

constexpr std::string_view delete_artifact = "DELETE FROM artifact WHERE id = ?";
constexpr std::string_view insert_refinement =
    "INSERT OR REPLACE INTO refinement (id, task, record) VALUES (?, ?, ?)";
constexpr std::string_view select_refinements = "SELECT record FROM refinement ORDER BY id DESC";

using Texts = std::vector<std::string>;

Result<std::size_t> version_of(const Sqlite& database) {
  std::size_t version = 0;
  TRY(database.query("PRAGMA user_version", {}, [&](const Texts& row) -> Status {
    std::from_chars(row[0].data(), row[0].data() + row[0].size(), version);
    return {};
  }));
  return version;
}

// As it was, whole, before the first step: what an older program can go back to. Under another name
// until it is complete; one that is there already is of an earlier try, or of another process.
Status keep_copy(const Sqlite& database, const std::filesystem::path& file, std::size_t version) {
  const std::filesystem::path copy = file.string() + ".version-" + std::to_string(version);
  std::error_code error;
  if (std::filesystem::exists(copy, error)) return {};
  const std::filesystem::path partial = copy.string() + "." + make_uuid7();
  TRY(database.execute("VACUUM INTO ?", Texts{partial.string()}));
  std::filesystem::permissions(
      partial, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, error);
  std::filesystem::rename(partial, copy, error);
  if (!error) return {};
  return fail(ErrorCode::internal, "cannot keep " + copy.string() + ": " + error.message());
}

Status migrate(const Sqlite& database, const std::filesystem::path& file) {
  if (const std::size_t version = TRY(version_of(database)); version > 0) {
    TRY(check_format(FormatId::metadata, static_cast<std::int64_t>(version)));
    if (version < migrations.size()) TRY(keep_copy(database, file, version));
  }
  return database.in_transaction([&]() -> Status {
    std::size_t version = TRY(version_of(database));  // another process may have been here
    if (version > 0) TRY(check_format(FormatId::metadata, static_cast<std::int64_t>(version)));
    for (; version < migrations.size(); ++version) TRY(database.execute(migrations[version]));
    return database.execute("PRAGMA user_version = " + std::to_string(migrations.size()));
  });
}

// Every row's first column is a record's JSON text.
template <class Record>
Result<std::vector<Record>> records_of(const Sqlite& database, std::string_view sql,
                                       const Texts& parameters,
                                       Result<Record> (*read)(const json::value&)) {
  std::vector<Record> records;
  TRY(database.query(sql, parameters, [&](const Texts& row) -> Status {
    records.push_back(TRY(read(TRY(json::parse(row[0])))));
    return {};
  }));
  return records;
}

}  // namespace

struct Metadata::State {
  Sqlite database;
};

Metadata::Metadata(std::unique_ptr<State> state) : state_(std::move(state)) {}
Metadata::Metadata(Metadata&&) noexcept = default;
Metadata& Metadata::operator=(Metadata&&) noexcept = default;
Metadata::~Metadata() = default;

Result<Metadata> Metadata::open(const Home& home) {
  auto database = TRY(Sqlite::open(home.metadata().string()));
  TRY(migrate(database, home.metadata()));
  return Metadata(std::make_unique<State>(State{.database = std::move(database)}));
}

Status Metadata::replace_tasks(const DatasetId& dataset, const std::vector<Task>& tasks,
                               const std::vector<Assignment>& assignments) {
  const Sqlite& database = state_->database;
  return database.in_transaction([&]() -> Status {
    TRY(database.execute("DELETE FROM task; DELETE FROM assignment; DELETE FROM clustering;"));
    TRY(database.execute(insert_clustering, Texts{dataset.value}));
    for (const Task& task : tasks) {
      TRY(database.execute(insert_task, Texts{task.id.value, std::to_string(task.statistics.calls),
                                              json::to_text(to_json(task))}));
    }
    for (const Assignment& assignment : assignments) {
      TRY(database.execute(insert_assignment, Texts{assignment.call.value, assignment.task.value,
                                                    std::to_string(assignment.confidence)}));
    }
    return {};
  });
}

Result<std::vector<Task>> Metadata::tasks() const {
  return records_of(state_->database, select_tasks, {}, task_from_json);
}

Result<Task> Metadata::find_task(std::string_view prefix) const {
  std::vector<Task> found;
  std::string known;
  for (Task& task : TRY(tasks())) {
    known += (known.empty() ? "" : ", ") + task.id.value;
    if (task.id.value == prefix) return std::move(task);
    if (!prefix.empty() && task.id.value.starts_with(prefix)) found.push_back(std::move(task));
  }
  if (found.size() == 1) return std::move(found.front());
  if (found.size() > 1)
    return fail(ErrorCode::invalid_input, "several tasks begin with " + std::string(prefix),
                "give more of the id");
  return fail(
      ErrorCode::not_found, "no task " + std::string(prefix),
      known.empty() ? "run `understudy cluster` first" : "there are: " + known.substr(0, 400));
}

Result<std::vector<Assignment>> Metadata::assignments() const {
  std::vector<Assignment> assignments;
  TRY(state_->database.query(select_assignments, {}, [&](const Texts& row) -> Status {
    assignments.push_back({.call = {row[0]}, .task = {row[1]}, .confidence = std::stod(row[2])});
    return {};
  }));
  return assignments;
}

Result<std::unordered_set<CallId>> Metadata::members_of(const TaskId& task) const {
  std::unordered_set<CallId> members;
  for (const Assignment& assignment : TRY(assignments())) {
    if (assignment.task == task) members.insert(assignment.call);
  }
  return members;
}

Result<DatasetId> Metadata::clustered_dataset() const {
  DatasetId dataset;
  TRY(state_->database.query("SELECT dataset FROM clustering", {}, [&](const Texts& row) -> Status {
    dataset.value = row[0];
    return {};
  }));
  if (dataset.empty())
    return fail(ErrorCode::not_found, "no tasks have been looked for yet",
                "run `understudy cluster` first");
  return dataset;
}

Status Metadata::add_artifact(const Artifact& artifact) {
  return state_->database.execute(insert_artifact, Texts{artifact.id.value, artifact.task.value,
                                                         std::to_string(artifact.made_at.value),
                                                         json::to_text(to_json(artifact))});
}

Result<std::vector<Artifact>> Metadata::artifacts(const TaskId& task) const {
  return records_of(state_->database, select_artifacts, {task.value}, artifact_from_json);
}

Status Metadata::remove_artifact(const ArtifactId& artifact) {
  return state_->database.execute(delete_artifact, Texts{artifact.value});
}

Status Metadata::put_refinement(const Refinement& refinement) {
  return state_->database.execute(insert_refinement, Texts{refinement.id, refinement.task.value,
                                                           json::to_text(to_json(refinement))});
}

Result<std::vector<Refinement>> Metadata::refinements() const {
  return records_of(state_->database, select_refinements, {}, refinement_from_json);
}

Status Metadata::add_evaluation(const Evaluation& evaluation) {
  return state_->database.execute(
      insert_evaluation, Texts{evaluation.task.value, std::to_string(evaluation.made_at.value),
                               json::to_text(to_json(evaluation))});
}

Result<std::vector<Evaluation>> Metadata::evaluations(const TaskId& task) const {
  return records_of(state_->database, select_evaluations, {task.value}, evaluation_from_json);
}

}  // namespace understudy::store
