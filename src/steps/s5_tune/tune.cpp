#include "steps/s5_tune/tune.hpp"

#include <algorithm>

#include "adapters/crypto/keys.hpp"
#include "adapters/lm/classifier_model.hpp"
#include "adapters/lm/nano_model.hpp"
#include "adapters/lm/open_model.hpp"
#include "adapters/store/dataset.hpp"
#include "adapters/store/metadata.hpp"
#include "adapters/text/classifier.hpp"
#include "adapters/text/word_vectors.hpp"
#include "base/clock.hpp"
#include "base/files.hpp"
#include "base/ids.hpp"
#include "base/limits.hpp"
#include "base/log.hpp"
#include "steps/s5_tune/confidence_fit.hpp"
#include "steps/s5_tune/cross_agreement.hpp"
#include "steps/s5_tune/learning_curve.hpp"
#include "steps/s5_tune/train_split.hpp"
#include "steps/s5_tune/trainer_process.hpp"
#include "steps/s5_tune/workshop.hpp"

namespace understudy::s5 {

namespace {

constexpr std::size_t examples_min = 20;

Status check_suits(const Task& task, const TuneOptions& options) {
  const CandidateKind kind = options.kind;
  const std::string name = "task " + task.id.value + " (" + task.name + ")";
  if (!task.separable) {
    return fail(
        ErrorCode::invalid_input,
        name +
            " cannot be told from its prompt alone, so no call could be routed to a model for it",
        "it stays on the LLM; `understudy tasks` lists others");
  }
  if (kind == CandidateKind::adapter && options.base.base.empty()) {
    return fail(ErrorCode::invalid_input, "an adapter needs the model that it is for",
                "give --base FILE.gguf, or --candidate nano or classifier");
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
  const text::WordVectors words = TRY(text::installed_word_vectors());
  const text::ClassifierOptions options{.words = &words};
  const auto classifier = TRY(text::Classifier::train(labelled, options));
  TRY(classifier.save(directory / lm::classifier_file_name));
  const double seconds = watch.elapsed_s();
  json::object report{{"examples", labelled.size()},
                      {"labels", classifier.labels().size()},
                      {"seconds", seconds},
                      {"word_vectors", words.keys.size()},
                      {"learning_curve", to_json(TRY(learning_curve(labelled, options)))}};
  quality::write_bins(report, TRY(cross_agreement(labelled, options)));
  return json::to_text(report);
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

Result<std::string> train_on_base(const std::vector<TrainingExample>& examples, const Task& task,
                                  Workshop& workshop, const TuneOptions& options) {
  auto report = tune_base(
      {.program = options.trainer_program.empty() ? default_trainer() : options.trainer_program,
       .directory = workshop.path(),
       .options = options.base,
       .form = task.answer_form,
       .minutes_max = options.max_minutes,
       .seed = options.seed},
      examples);
  if (!report && report.error().code == ErrorCode::cancelled) workshop.leave();
  return report;
}

// Of the same data, task and options: the directory in which an interrupted tuning goes on.
std::filesystem::path workshop_path(const store::Home& home, const Artifact& artifact,
                                    const TuneOptions& options) {
  if (options.kind != CandidateKind::adapter) return home.artifacts() / (".new-" + make_uuid7());
  const std::string what = artifact.task.value + artifact.dataset.value + artifact.template_hash +
                           artifact.config_json + to_text(options.base);
  return home.artifacts() / (".tune-" + crypto::blake2b_hex(what, 16));
}

Result<std::string> train(std::vector<TrainingExample> examples, const Task& task,
                          Workshop& workshop, const TuneOptions& options) {
  switch (options.kind) {
    case CandidateKind::classifier: return train_classifier(std::move(examples), workshop.path());
    case CandidateKind::nano: return train_nano(examples, workshop.path(), options);
    case CandidateKind::adapter: return train_on_base(examples, task, workshop, options);
  }
  return fail(ErrorCode::internal, "a candidate of no kind");
}

Result<std::string> content_of(const std::filesystem::path& directory, CandidateKind kind) {
  switch (kind) {
    case CandidateKind::classifier: return read_file(directory / lm::classifier_file_name);
    case CandidateKind::nano: return read_file(directory / lm::nano_file_name);
    case CandidateKind::adapter: return tuned_bytes(directory);
  }
  return fail(ErrorCode::internal, "a candidate of no kind");
}

void say_why_not(const Task& task, const Error& error) {
  log::warn("how sure the model of task " + task.id.value +
            " may be is not learned: " + error.to_text());
}

// Nothing, and the plain confidence, where it cannot be learned.
std::optional<ConfidenceModel> confidence_of(const std::filesystem::path& directory,
                                             CandidateKind kind, const Task& task,
                                             std::span<const FittingCall> calls) {
  if (calls.empty()) return std::nullopt;
  std::optional<ConfidenceModel> learned;
  {
    const auto model = lm::open_model(
        {.kind = kind, .artifact_dir = directory, .parallel = limits::slm_parallel_slots});
    if (model) learned = learn_confidence(**model, task, calls);
    if (!model) say_why_not(task, model.error());
  }
  std::error_code ignored;  // the server's log of this is no part of the artifact
  std::filesystem::remove(directory / "llama-server.log", ignored);
  return learned;
}

json::object config_of(const TuneOptions& options) {
  json::object config{{"seed", options.seed}, {"max_minutes", options.max_minutes}};
  if (options.kind != CandidateKind::adapter) return config;
  config["base"] = options.base.base.string();
  config["method"] = options.base.method;
  if (auto all = json::parse(to_text(options.base))) config["base_options"] = std::move(*all);
  return config;
}

}  // namespace

Result<Artifact> tune(const store::Home& home, const TaskId& task_id, const TuneOptions& options) {
  const auto key = TRY(crypto::load_secret_key(home.keys(), crypto::Role::trainer));
  auto metadata = TRY(store::Metadata::open(home));
  const Task task = TRY(metadata.find_task(task_id.value));
  TRY(check_suits(task, options));
  const DatasetId dataset = TRY(metadata.clustered_dataset());
  const auto members = TRY(metadata.members_of(task.id));
  const bool generates = options.kind != CandidateKind::classifier;
  std::vector<FittingCall> spared;
  std::vector<TrainingExample> examples;
  {
    const auto read = TRY(store::read_dataset(home, dataset, key));
    examples = train_split(read, task, members, generates ? Spared::aside : Spared::learned);
    if (generates) spared = fitting_calls(read, task, members);
  }
  if (examples.size() < examples_min) {
    return fail(ErrorCode::invalid_input,
                "task " + task.id.value + " has " + std::to_string(examples.size()) +
                    " training calls; a model needs at least " + std::to_string(examples_min),
                "let more calls through the gateway, then curate and cluster again");
  }

  Artifact artifact{
      .id = {},
      .task = task.id,
      .kind = options.kind,
      .made_at = now(),
      .dataset = dataset,
      .template_hash = crypto::blake2b_hex(json::to_canonical(to_json(task.prompt_template)), 16),
      .config_json = json::to_text(config_of(options)),
      .metrics_json = {}};
  Workshop workshop(workshop_path(home, artifact, options));
  artifact.metrics_json = TRY(train(std::move(examples), task, workshop, options));
  artifact.confidence = confidence_of(workshop.path(), options.kind, task, spared);
  std::string content = TRY(content_of(workshop.path(), options.kind));
  // The same weights with another confidence keep other calls.
  if (artifact.confidence) content += json::to_canonical(to_json(*artifact.confidence));
  artifact.id = {crypto::blake2b_hex(content, 16).substr(0, 16)};
  TRY(write_file_atomically(workshop.path() / "artifact.json",
                            json::to_text(to_json(artifact)) + "\n"));
  forget_report(workshop.path());  // artifact.json has it
  TRY(workshop.keep_as(home.artifacts() / artifact.id.value));
  TRY(metadata.add_artifact(artifact));
  return artifact;
}

}  // namespace understudy::s5
