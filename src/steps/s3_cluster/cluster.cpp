#include "steps/s3_cluster/cluster.hpp"

#include <algorithm>
#include <chrono>
#include <format>
#include <set>
#include <string_view>
#include <unordered_map>

#include "adapters/crypto/keys.hpp"
#include "adapters/store/dataset.hpp"
#include "adapters/store/metadata.hpp"
#include "adapters/text/hashing.hpp"
#include "base/log.hpp"
#include "base/progress.hpp"
#include "steps/s3_cluster/call_sites.hpp"
#include "steps/s3_cluster/call_view.hpp"
#include "steps/s3_cluster/routability.hpp"
#include "steps/s3_cluster/site_split.hpp"
#include "steps/s3_cluster/task_assigner.hpp"
#include "steps/s3_cluster/task_facts.hpp"
#include "steps/s3_cluster/task_ids.hpp"
#include "steps/s3_cluster/task_map.hpp"
#include "steps/s3_cluster/task_names.hpp"
#include "steps/s3_cluster/template_miner.hpp"

namespace understudy::s3 {

namespace {

// The system prompt's lines that the site's calls share, as one hash.
std::string skeleton_of(const CallSite& site) {
  if (site.system_core.empty()) return {};
  std::string masks;
  for (const CoreLine& line : site.system_core) masks += std::format("{:016x}", line.mask);
  return text::hash_hex(masks);
}

// The heaviest template lines of a site.
std::vector<std::uint32_t> lines_of(const CallSite& site) {
  constexpr std::size_t lines_max = 64;
  std::vector<CoreLine> core = site.system_core;
  core.append_range(site.user_core);
  std::ranges::stable_sort(core, std::greater{}, &CoreLine::weight);
  core.resize(std::min(core.size(), lines_max));
  std::vector<std::uint32_t> lines;
  for (const CoreLine& line : core) lines.push_back(static_cast<std::uint32_t>(line.mask >> 32U));
  std::ranges::sort(lines);
  return lines;
}

class Clusterer {
 public:
  Clusterer(std::span<const Example> examples, const ClusterOptions& options)
      : examples_(examples),
        options_{.calls_min = options.calls_min,
                 .sessions_min = options.sessions_min,
                 .seed = options.seed,
                 .embed = options.embed ? &options.embed : nullptr},
        prices_(options.prices) {}

  Result<Clustering> run() {
    read_views();
    if (sessions_ < 2) options_.sessions_min = 1;
    sites_ = TRY(find_call_sites(views_, options_));
    for (TaskCalls& piece : TRY(split_sites(views_, sites_, options_))) add_task(std::move(piece));
    attach_tail();
    return finish();
  }

 private:
  struct Draft {
    Task task;
    TaskCalls members;
  };

  void read_views() {
    Progress progress("reading calls", examples_.size(), "calls");
    std::unordered_map<SessionId, std::uint32_t> numbers;
    for (const Example& example : examples_) {
      progress.advance();
      auto view = view_of(example);
      if (!view) {
        ++unreadable_;
        continue;
      }
      // A call without a session is one of its own.
      const auto next = static_cast<std::uint32_t>(sessions_);
      const auto number =
          example.session.empty() ? next : numbers.try_emplace(example.session, next).first->second;
      if (number == next) ++sessions_;
      view->session = number;
      with_images_ += view->has_images ? 1U : 0U;
      views_.push_back(std::move(*view));
      sources_.push_back(&example);
    }
  }

  [[nodiscard]] bool is_task_sized(const std::vector<std::uint32_t>& calls) const {
    std::set<std::uint32_t> sessions;
    for (const std::uint32_t call : calls) sessions.insert(views_[call].session);
    return calls.size() >= options_.calls_min && sessions.size() >= options_.sessions_min;
  }

  void add_task(TaskCalls piece) {
    if (!is_task_sized(piece.calls)) return;
    std::vector<std::string_view> prompts;
    for (const std::uint32_t call : piece.calls) prompts.push_back(views_[call].prompt);
    const MinedTemplate mined = mine_template(prompts, {});
    std::vector<std::uint32_t> matching;
    for (std::size_t i = 0; i < piece.calls.size(); ++i) {
      if (mined.matches[i]) matching.push_back(piece.calls[i]);
    }
    piece.calls = std::move(matching);
    if (!is_task_sized(piece.calls)) return;
    const CallView& view = views_[piece.calls.front()];
    Draft draft;
    draft.task.key = {.skeleton = skeleton_of(sites_[piece.site]),
                      .tools = view.tools,
                      .response_form = view.response_form};
    draft.task.prompt_template = mined.shape;
    draft.task.lines = lines_of(sites_[piece.site]);
    draft.members = std::move(piece);
    drafts_.push_back(std::move(draft));
  }

  // Calls that no task has, but whose prompt a task's template recognises, belong to it: that is
  // where the gateway would put them.
  void attach_tail() {
    std::vector<bool> placed(views_.size());
    std::vector<Task> tasks;
    for (const Draft& draft : drafts_) {
      tasks.push_back(draft.task);
      for (const std::uint32_t call : draft.members.calls) placed[call] = true;
    }
    mark(tasks);
    for (std::uint32_t call = 0; call < views_.size(); ++call) {
      if (placed[call]) continue;
      const CallView& view = views_[call];
      const std::ptrdiff_t reached =
          route(view.prompt,
                {.skeleton = {}, .tools = view.tools, .response_form = view.response_form}, tasks);
      if (reached < 0 || !tasks[static_cast<std::size_t>(reached)].separable) continue;
      drafts_[static_cast<std::size_t>(reached)].members.calls.push_back(call);
    }
    for (Draft& draft : drafts_) std::ranges::sort(draft.members.calls);
    for (std::size_t i = 0; i < tasks.size(); ++i) drafts_[i].task.separable = tasks[i].separable;
  }

  void mark(std::vector<Task>& tasks) const {
    std::vector<std::vector<std::string_view>> prompts;
    for (const Draft& draft : drafts_) {
      auto& own = prompts.emplace_back();
      for (const std::uint32_t call : draft.members.calls) own.push_back(views_[call].prompt);
    }
    mark_separable(tasks, prompts);
  }

  Clustering finish() {
    const Totals totals = totals_of(sources_, prices_);
    for (Draft& draft : drafts_)
      describe(draft.task, draft.members.calls, views_, sources_, totals, prices_);
    std::ranges::stable_sort(drafts_, std::greater{},
                             [](const Draft& draft) { return draft.task.statistics.calls; });
    Clustering made;
    made.unreadable = unreadable_;
    made.with_images = with_images_;
    std::unordered_map<const Example*, const Draft*> placed;
    std::set<TaskId> taken;
    std::vector<std::string> prompts;
    for (Draft& draft : drafts_) {
      TaskId id = make_task_id(draft.task, draft.members.action);
      while (!taken.insert(id).second) id = {"t-" + text::hash_hex(id.value).substr(0, 10)};
      draft.task.id = id;
      draft.task.template_id = make_template_id(draft.task);
      made.tasks.push_back(draft.task);
      prompts.push_back(views_[draft.members.calls.front()].user_text);
      for (const std::uint32_t call : draft.members.calls) placed[sources_[call]] = &draft;
    }
    name_tasks(made.tasks, prompts);
    add_places(made.tasks);
    for (const Example& example : examples_) {
      const auto found = placed.find(&example);
      const bool known = found != placed.end();
      made.assignments.push_back(
          {.call = example.call,
           .task = known ? found->second->task.id : TaskId{},
           .confidence = !known ? 0.0 : (found->second->task.separable ? 1.0 : 0.5)});
    }
    return made;
  }

  // What the next calls are recognised by, and where the dashboard draws them.
  void add_places(std::vector<Task>& tasks) const {
    std::vector<std::vector<std::string_view>> prompts;
    std::vector<std::vector<MappedCall>> mapped;
    for (const Draft& draft : drafts_) {
      auto& own = prompts.emplace_back();
      auto& drawn = mapped.emplace_back();
      for (const std::uint32_t call : draft.members.calls) {
        own.push_back(views_[call].prompt);
        drawn.push_back({.call = sources_[call]->call, .text = views_[call].user_text});
      }
    }
    make_profiles(tasks, prompts);
    place_on_map(tasks, mapped);
  }

  std::span<const Example> examples_;
  CallSiteOptions options_;
  const economics::PriceTable& prices_;
  std::vector<CallView> views_;
  std::vector<const Example*> sources_;  // of the views
  std::vector<CallSite> sites_;
  std::vector<Draft> drafts_;
  std::size_t sessions_ = 0;
  std::size_t unreadable_ = 0;
  std::size_t with_images_ = 0;
};

}  // namespace

Result<Clustering> cluster_examples(std::span<const Example> examples,
                                    const ClusterOptions& options) {
  return Clusterer(examples, options).run();
}

namespace {

struct Input {
  DatasetId dataset;
  std::vector<Example> examples;
};

Result<Input> read_input(const store::Home& home) {
  const crypto::SecretKey curator =
      TRY(crypto::load_secret_key(home.keys(), crypto::Role::curator));
  Input input{.dataset = TRY(store::current_dataset(home)), .examples = {}};
  input.examples = TRY(store::read_dataset(home, input.dataset, curator));
  if (input.examples.empty()) {
    return fail(ErrorCode::not_found, "the data set " + input.dataset.value + " has no examples",
                "import or capture calls, then run `understudy curate`");
  }
  return input;
}

ClusterReport report_of(const Input& input, const Clustering& made,
                        std::chrono::steady_clock::time_point begin) {
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  return {
      .dataset = input.dataset,
      .calls = static_cast<std::int64_t>(input.examples.size()),
      .tasks = static_cast<std::int64_t>(made.tasks.size()),
      .unassigned = std::ranges::count_if(
          made.assignments, [](const Assignment& assignment) { return assignment.task.empty(); }),
      .unreadable = static_cast<std::int64_t>(made.unreadable),
      .seconds = elapsed.count()};
}

}  // namespace

Result<ClusterReport> cluster(const store::Home& home, const ClusterOptions& options) {
  const auto begin = std::chrono::steady_clock::now();
  const Input input = TRY(read_input(home));
  ClusterOptions priced = options;
  priced.prices = TRY(economics::PriceTable::load(home.directory() / "prices.toml"));
  Clustering made = TRY(cluster_examples(input.examples, priced));
  store::Metadata metadata = TRY(store::Metadata::open(home));
  keep_task_ids(made.tasks, made.assignments,
                {.tasks = TRY(metadata.tasks()), .assignments = TRY(metadata.assignments())});
  TRY(metadata.replace_tasks(input.dataset, made.tasks, made.assignments));
  return report_of(input, made, begin);
}

Result<ClusterReport> cluster_embedded(const store::Home& home, const ClusterOptions& options,
                                       const EmbeddingSource& source) {
  const auto secret = TRY(crypto::load_secret_key(home.keys(), crypto::Role::curator));
  const auto open = TRY(crypto::load_public_key(home.keys(), crypto::Role::curator));
  auto cache = TRY(EmbeddingCache::open(home.directory(), secret, source.name));
  ClusterOptions embedded = options;
  embedded.embed = [&](std::span<const std::string_view> texts) {
    return cache.embed(texts, source.embed, open);
  };
  return cluster(home, embedded);
}

Result<ClusterReport> assign_new_calls(const store::Home& home) {
  const auto begin = std::chrono::steady_clock::now();
  const Input input = TRY(read_input(home));
  store::Metadata metadata = TRY(store::Metadata::open(home));
  TRY(metadata.clustered_dataset());
  Clustering made{.tasks = TRY(metadata.tasks()), .assignments = {}};
  std::unordered_map<CallId, Assignment> known;
  for (Assignment& assignment : TRY(metadata.assignments()))
    known.emplace(assignment.call, std::move(assignment));
  const TaskAssigner assigner(made.tasks);
  for (const Example& example : input.examples) {
    const auto before = known.find(example.call);
    if (before != known.end() && !before->second.task.empty()) {
      made.assignments.push_back(before->second);
      continue;
    }
    made.assignments.push_back({.call = example.call, .task = {}, .confidence = 0});
    const auto view = view_of(example);
    if (!view) {
      ++made.unreadable;
      continue;
    }
    const Placement placed = assigner.assign(
        view->prompt, {.skeleton = {}, .tools = view->tools, .response_form = view->response_form});
    if (placed.task < 0) continue;
    made.assignments.back().task = made.tasks[static_cast<std::size_t>(placed.task)].id;
    made.assignments.back().confidence = placed.confidence;
  }
  TRY(metadata.replace_tasks(input.dataset, made.tasks, made.assignments));
  return report_of(input, made, begin);
}

json::value to_json(const ClusterReport& report) {
  return json::object{{"dataset", report.dataset.value}, {"calls", report.calls},
                      {"tasks", report.tasks},           {"unassigned", report.unassigned},
                      {"unreadable", report.unreadable}, {"with_images", report.with_images},
                      {"seconds", report.seconds}};
}

}  // namespace understudy::s3
