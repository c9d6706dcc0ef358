#include "steps/s5_tune/tune.hpp"

#include <algorithm>
#include <unordered_set>

#include "adapters/crypto/keys.hpp"
#include "adapters/lm/classifier_model.hpp"
#include "adapters/lm/nano_model.hpp"
#include "adapters/store/dataset.hpp"
#include "adapters/store/metadata.hpp"
#include "adapters/text/classifier.hpp"
#include "base/clock.hpp"
#include "base/files.hpp"
#include "base/ids.hpp"
#include "steps/s5_tune/train_split.hpp"
#include "steps/s5_tune/trainer_process.hpp"

namespace understudy::s5 {

namespace {

constexpr std::size_t examples_min = 20;

// A directory that is removed unless it was kept.
class Workshop {
 public:
  explicit Workshop(std::filesystem::path path) : path_(std::move(path)) {
    std::error_code ignored;
    std::filesystem::create_directories(path_, ignored);
  }
  ~Workshop() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  Status keep_as(const std::filesystem::path& target) const {
    std::error_code error;
    std::filesystem::remove_all(target, error);
    std::filesystem::rename(path_, target, error);
    if (error)
      return fail(ErrorCode::unavailable,
                  "cannot name " + target.string() + ": " + error.message());
    return {};
  }

 private:
  std::filesystem::path path_;
};

Status check_suits(const Task& task, CandidateKind kind) {
  const std::string name = "task " + task.id.value + " (" + task.name + ")";
  if (!task.separable) {
    return fail(
        ErrorCode::invalid_input,
        name +
            " cannot be told from its prompt alone, so no call could be routed to a model for it",
        "it stays on the LLM; `understudy tasks` lists others");
  }
  if (kind == CandidateKind::adapter) {
    return fail(ErrorCode::unsupported, "adapters on a base model are not built yet",
                "use --candidate nano or classifier");
  }
  if (kind == CandidateKind::classifier && task.answer_set.size() < 2) {
    return fail(ErrorCode::invalid_input,
                name + " has no closed set of answers for a classifier to choose from",
                "use --candidate nano");
  }
  return {};
}

Result<std::string> train_classifier(std::vector<TrainingExample> examples,
                                     const std::filesystem::path& directory) {
  const Stopwatch watch;
  unify_spelling(examples);
  std::vector<text::LabelledText> labelled;
  for (TrainingExample& example : examples)
    labelled.push_back({.text = std::move(example.prompt), .label = std::move(example.answer)});
  const auto classifier = TRY(text::Classifier::train(labelled, {}));
  TRY(classifier.save(directory / lm::classifier_file_name));
  return json::to_text(json::object{{"examples", labelled.size()},
                                    {"labels", classifier.labels().size()},
                                    {"seconds", watch.elapsed_s()}});
}

Result<std::string> train_nano(const std::vector<TrainingExample>& examples,
                               const std::filesystem::path& directory, const TuneOptions& options) {
  const auto program =
      options.trainer_program.empty() ? default_trainer() : options.trainer_program;
  std::string report =
      TRY(run_trainer(program,
                      {"--data", "-", "--out", directory.string(), "--max-minutes",
                       std::to_string(options.max_minutes), "--seed", std::to_string(options.seed)},
                      examples));
  while (report.ends_with('\n')) report.pop_back();
  return report;
}

}  // namespace

Result<Artifact> tune(const store::Home& home, const TaskId& task_id, const TuneOptions& options) {
  const auto key = TRY(crypto::load_secret_key(home.keys(), crypto::Role::trainer));
  auto metadata = TRY(store::Metadata::open(home));
  const Task task = TRY(metadata.find_task(task_id.value));
  TRY(check_suits(task, options.kind));
  const DatasetId dataset = TRY(metadata.clustered_dataset());
  std::unordered_set<CallId> members;
  for (const Assignment& assignment : TRY(metadata.assignments())) {
    if (assignment.task == task.id) members.insert(assignment.call);
  }
  auto examples = train_split(TRY(store::read_dataset(home, dataset, key)), task, members);
  if (examples.size() < examples_min) {
    return fail(ErrorCode::invalid_input,
                "task " + task.id.value + " has " + std::to_string(examples.size()) +
                    " training calls; a model needs at least " + std::to_string(examples_min),
                "let more calls through the gateway, then curate and cluster again");
  }

  const Workshop workshop(home.artifacts() / (".new-" + make_uuid7()));
  Artifact artifact{
      .id = {},
      .task = task.id,
      .kind = options.kind,
      .made_at = now(),
      .dataset = dataset,
      .template_hash = crypto::blake2b_hex(json::to_canonical(to_json(task.prompt_template)), 16),
      .config_json =
          json::to_text(json::object{{"seed", options.seed}, {"max_minutes", options.max_minutes}}),
      .metrics_json = {}};
  const bool nano = options.kind == CandidateKind::nano;
  artifact.metrics_json = nano ? TRY(train_nano(examples, workshop.path(), options))
                               : TRY(train_classifier(std::move(examples), workshop.path()));
  const std::string model = TRY(read_file(
      workshop.path() / (nano ? std::string_view(lm::nano_file_name) : lm::classifier_file_name)));
  artifact.id = {crypto::blake2b_hex(model, 16).substr(0, 16)};
  TRY(write_file_atomically(workshop.path() / "artifact.json",
                            json::to_text(to_json(artifact)) + "\n"));
  TRY(workshop.keep_as(home.artifacts() / artifact.id.value));
  TRY(metadata.add_artifact(artifact));
  return artifact;
}

}  // namespace understudy::s5
