#include "steps/s2_curate/curate_calls.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unordered_set>
#include <utility>

#include "adapters/text/hashing.hpp"
#include "adapters/wire/chat.hpp"
#include "base/pool.hpp"
#include "base/progress.hpp"
#include "quality/valid_answer.hpp"
#include "steps/s2_curate/chat_call.hpp"
#include "steps/s2_curate/detect/characters.hpp"
#include "steps/s2_curate/lent.hpp"
#include "steps/s2_curate/ordered_work.hpp"
#include "steps/s2_curate/surrogate/pseudonym_writer.hpp"

namespace understudy::s2 {

namespace {

// Of work: enough to forget the cost of handing it out, few enough to hold in memory.
constexpr std::size_t batch_calls = 64;
constexpr std::size_t batch_bytes = std::size_t{1} << 20U;
constexpr std::size_t batches_per_thread = 2;
constexpr std::size_t remembered_strings_max = 8192;  // per scanner
constexpr std::size_t samples_max = 3;
constexpr std::size_t sample_bytes_max = 48;

// Some calls, and what the workers make of each.
template <class Outcome>
struct Batch {
  std::vector<Call> calls;
  std::vector<std::size_t> rows;  // of the plan; the second pass
  std::vector<Outcome> outcomes;
  EntityTable table;  // the first pass
  std::uint64_t repaired = 0;
  std::size_t bytes = 0;

  void add(Call call) {
    bytes += call.request.reveal().size() + call.response.reveal().size();
    calls.push_back(std::move(call));
  }
  [[nodiscard]] bool full() const { return calls.size() >= batch_calls || bytes >= batch_bytes; }
};

struct SecondLook {
  DropReason reason = DropReason::none;
  std::optional<Example> example;
  ReplacedCounts replaced;
  std::uint32_t task = 0;
  TypeBits wanted = 0;  // to be paraphrased
  TypeBits varied = 0;
  std::string_view numbers_kept;  // why, where they might have been varied
};

// The arguments of the answer's tool calls must still be what the tools take.
bool still_fits_tools(const json::value& request, const std::string& response_body) {
  const auto response = json::parse(response_body);
  if (!response) return false;
  const auto answer = wire::parse_answer(*response);
  return answer && quality::fits_tools(*answer, quality::answer_shape(request));
}

struct Writing {
  DropReason reason = DropReason::none;
  PseudonymWriter::Rewritten bodies;
};

// What a server said of the tokens of the text before: a name that is cut into tokens, or written
// as bytes, is no name to the detectors.
void drop_logprobs(std::string& response) {
  if (!response.contains("\"logprobs\"")) return;
  auto tree = json::parse(response);
  if (!tree || !tree->is_object()) return;
  json::value* choices = tree->get_object().if_contains("choices");
  if (choices == nullptr || !choices->is_array()) return;
  for (json::value& choice : choices->get_array()) {
    if (choice.is_object()) choice.get_object().erase("logprobs");
  }
  response = json::to_text(*tree);
}

Writing write_anew(const Call& call, const Treatment& treatment, PseudonymWriter& writer) {
  auto written = writer.rewrite(call.request.reveal(), call.response.reveal(), treatment);
  if (!written || !written->clean) return {.reason = DropReason::pii_left, .bodies = {}};
  if (written->response.contains("\"tool_calls\"") && !written->replaced.empty()) {
    const auto tree = json::parse(written->request);
    if (!tree || !still_fits_tools(*tree, written->response))
      return {.reason = DropReason::surrogate_broke_schema, .bodies = {}};
  }
  if (!written->replaced.empty() || written->numbers == NumbersOutcome::varied) {
    drop_logprobs(written->response);
  }
  return {.bodies = std::move(*written)};
}

// With other numbers where the answer still follows from the prompt then, else with its own.
Writing write_varied(const Call& call, Treatment treatment, PseudonymWriter& writer,
                     SecondLook& look) {
  if (treatment.numbers) {
    Writing writing = write_anew(call, treatment, writer);
    if (writing.reason == DropReason::none && writing.bodies.numbers == NumbersOutcome::varied)
      return writing;
    look.varied &= static_cast<TypeBits>(~bits_of(EntityType::plain_number));
    look.numbers_kept = to_string(writing.reason == DropReason::none ? writing.bodies.numbers
                                                                     : NumbersOutcome::unfit);
    treatment.numbers.reset();
  }
  return write_anew(call, treatment, writer);
}

SecondLook to_example(Call& call, const PlannedCall& planned, const Treatment& treatment,
                      TypeBits wanted, TypeBits varied, PseudonymWriter& writer) {
  SecondLook look{
      .example = {}, .replaced = {}, .wanted = wanted, .varied = varied, .numbers_kept = {}};
  if (call.content != ContentState::whole || !to_chat_form(call)) {
    look.reason = DropReason::erased;
    return look;
  }
  Writing writing = write_varied(call, treatment, writer, look);
  look.reason = writing.reason;
  if (look.reason != DropReason::none) return look;
  auto* written = &writing.bodies;
  look.replaced = std::move(written->replaced);
  look.example =
      Example{.call = call.id,
              .session = call.session,
              .started_at = call.started_at,
              .split = planned.split,
              .rank = planned.rank,
              .model = call.served_model.empty() ? call.requested_model : call.served_model,
              .request = SecretText(std::move(written->request)),
              .response = SecretText(std::move(written->response)),
              .usage = call.usage,
              .latency_us = call.latency_us(),
              .repeats = planned.repeats,
              .asked = planned.asked,
              .reward = call.reward};
  return look;
}

// "Xxxx Xxx", "xxxx9@xxxx.xxx".
std::string shape_of(std::string_view value) {
  std::string shape;
  for (const char c : value.substr(0, sample_bytes_max)) {
    if (is_continuation(c)) continue;
    shape += is_digit(c) ? '9' : is_upper(c) ? 'X' : is_alnum(c) || c < 0 ? 'x' : c;
  }
  return shape;
}

class Curation {
 public:
  Curation(const CurateInput& input, const CurateOptions& options, CurationPlan plan,
           Detector detector, std::shared_ptr<const Recogniser> recogniser)
      : input_(input),
        settings_(options.settings ? *options.settings : default_settings_),
        treatments_(settings_, input.tasks),
        pool_(options.threads > 0 ? options.threads : cores()),
        in_flight_max_((options.threads > 0 ? options.threads : cores()) * batches_per_thread),
        plan_(std::move(plan)),
        detector_(std::move(detector)),
        recogniser_(std::move(recogniser)) {}

  Status survey() {
    Lent<TextScanner> scanners([&] { return TextScanner(detector_, remembered_strings_max); });
    using Survey = Batch<Examined>;
    OrderedWork<Survey> work(
        pool_, in_flight_max_,
        [&](Survey& batch) {
          scanners.with([&](TextScanner& scanner) {
            for (Call& call : batch.calls) {
              if (repair_bodies(call)) ++batch.repaired;
              batch.outcomes.push_back(
                  examine(call, treatments_, settings_.filters, scanner, batch.table));
            }
          });
          batch.calls.clear();
        },
        [&](Survey& batch) -> Status {
          TRY(recogniser_sound());
          for (const Examined& examined : batch.outcomes) {
            if (examined.reason == DropReason::none)
              paraphrase_.add(examined.task, examined.paraphrase);
            TRY(plan_.add(examined));
          }
          merge_into(originals_, batch.table);
          report_.repaired += batch.repaired;
          return {};
        });
    Progress progress("curate: looking for personal data", input_.source.calls, "calls");
    Survey batch;
    TRY(input_.source.visit([&](Call call) -> Status {
      batch.add(std::move(call));
      progress.advance();
      if (batch.full()) TRY(work.add(std::exchange(batch, {})));
      return {};
    }));
    TRY(work.add(std::move(batch)));
    return work.finish();
  }

  Status decide() {
    paraphrase_.decide();
    return plan_.decide(settings_, input_.pseudonym_key);
  }

  Status rewrite(const ExampleSink& sink) {
    const Pseudonymiser pseudonymiser =
        TRY(Pseudonymiser::create(detector_, originals_, input_.pseudonym_key));
    Lent<PseudonymWriter> writers([&] { return PseudonymWriter(pseudonymiser); });
    using Rewriting = Batch<SecondLook>;
    OrderedWork<Rewriting> work(
        pool_, in_flight_max_,
        [&](Rewriting& batch) {
          writers.with([&](PseudonymWriter& writer) {
            for (std::size_t i = 0; i < batch.calls.size(); ++i) {
              repair_bodies(batch.calls[i]);
              batch.outcomes.push_back(write(batch.calls[i], plan_.rows()[batch.rows[i]], writer));
            }
          });
          batch.calls.clear();
        },
        [&](Rewriting& batch) -> Status {
          TRY(recogniser_sound());
          for (std::size_t i = 0; i < batch.outcomes.size(); ++i)
            TRY(take(batch.outcomes[i], plan_.rows()[batch.rows[i]], sink));
          return {};
        });
    Progress progress("curate: replacing personal data", plan_.rows().size(), "calls");
    Rewriting batch;
    std::size_t row = 0;
    TRY(input_.source.visit([&](Call call) -> Status {
      // Calls that came meanwhile are left out.
      if (row == plan_.rows().size() || plan_.rows()[row].call != hash_of_id(call.id)) return {};
      const PlannedCall& planned = plan_.rows()[row];
      progress.advance();
      if (planned.reason == DropReason::none && planned.stands_for_others) {
        batch.add(std::move(call));
        batch.rows.push_back(row);
      }
      ++row;
      if (batch.full()) TRY(work.add(std::exchange(batch, {})));
      return {};
    }));
    TRY(work.add(std::move(batch)));
    TRY(work.finish());
    if (row == plan_.rows().size()) return {};
    return fail(ErrorCode::conflict, "calls of the log were removed while it was read",
                "run `understudy curate` again");
  }

  CurateReport report() {
    CurateReport report = std::move(report_);
    report.calls_read = plan_.rows().size();
    for (const PlannedCall& row : plan_.rows()) {
      if (row.reason != DropReason::none)
        report.dropped[std::string(to_string(row.reason))] += row.repeats;
    }
    const PlanCounts& counts = plan_.counts();
    report.asked_again = counts.asked_again;
    report.with_other_answers = counts.with_other_answers;
    report.near_duplicate_groups = counts.components;
    report.near_duplicates = counts.near_duplicates;
    if (counts.oversized_components > 0) {
      report.warnings.push_back(
          std::to_string(counts.oversized_components) +
          " groups of near-duplicates hold more than a tenth of the calls each; they do not tie "
          "sessions to one split");
    }
    for (const auto& [key, facts] : originals_) {
      const std::string type(to_string(key.type));
      ++report.distinct_values[type];
      auto& samples = report.samples[type];
      std::string sample = key.type == EntityType::secret ? facts.kind : shape_of(key.value);
      if (samples.size() < samples_max && !std::ranges::contains(samples, sample))
        samples.push_back(std::move(sample));
    }
    for (const Action action : settings_.actions) ++report.actions[std::string(to_string(action))];
    report.sessions = sessions_.size();
    return report;
  }

 private:
  // A text that nobody looked at may hold anything.
  [[nodiscard]] Status recogniser_sound() const {
    if (!recogniser_) return {};
    if (auto failure = recogniser_->failure()) return fail(std::move(*failure));
    return {};
  }

  SecondLook write(Call& call, const PlannedCall& planned, PseudonymWriter& writer) const {
    const TypeBits wanted = paraphrased(treatments_.of(call).actions);
    const std::uint32_t task = wanted == 0 ? 0 : treatments_.task_of(call);
    const TypeBits varied = paraphrase_.allowed(task, wanted & planned.present, planned.derived);
    SecondLook look = to_example(
        call, planned, treatments_.of(call, varied, paraphrase_.fixed(task), input_.pseudonym_key),
        wanted, varied, writer);
    look.task = task;
    return look;
  }

  void count_paraphrase(const SecondLook& look, const PlannedCall& planned) {
    for (const EntityType type : paraphrase_types) {
      if (!varies(look.wanted & planned.present, type)) continue;
      ParaphraseCounts& counts =
          report_.paraphrase[input_.tasks.names[look.task - 1]][std::string(to_string(type))];
      ++counts.examples;
      if (varies(look.varied, type)) {
        ++counts.varied;
      } else if (paraphrase_.is_off(look.task, type)) {
        ++counts.kept["off: too many answers have values that no prompt has"];
      } else if (varies(planned.derived, type)) {
        ++counts.kept[std::string(to_string(NumbersOutcome::derived))];
      } else {
        ++counts.kept[std::string(look.numbers_kept)];
      }
    }
  }

  static std::size_t cores() { return std::max(std::thread::hardware_concurrency(), 1U); }

  Status take(SecondLook& look, const PlannedCall& planned, const ExampleSink& sink) {
    if (!look.example) {
      report_.dropped[std::string(to_string(look.reason))] += planned.repeats;
      return {};
    }
    const Example& example = *look.example;
    TRY(sink(example));
    count_paraphrase(look, planned);
    ++report_.examples;
    report_.calls_kept += planned.repeats;
    report_.duplicates += planned.repeats - 1;
    ++report_.splits[std::string(to_string(example.split))];
    sessions_.insert(text::hash64(example.session.value));
    for (const auto& [place, count] : look.replaced) {
      const std::string type(to_string(place.first));
      report_.entities[type] += count;
      report_.places[type][place.second] += count;
    }
    return {};
  }

  const CurateInput& input_;
  const CurateSettings default_settings_;
  const CurateSettings& settings_;
  Treatments treatments_;
  Pool pool_;
  std::size_t in_flight_max_;
  CurationPlan plan_;
  ParaphrasePlan paraphrase_;
  Detector detector_;
  std::shared_ptr<const Recogniser> recogniser_;
  EntityTable originals_;
  CurateReport report_;
  std::unordered_set<std::uint64_t> sessions_;
};

}  // namespace

Result<CurateReport> curate_calls(const CurateInput& input, const CurateOptions& options,
                                  const ExampleSink& sink) {
  const CurateSettings defaults;
  const CurateSettings& settings = options.settings ? *options.settings : defaults;
  std::shared_ptr<const Recogniser> recogniser;
  if (!settings.recogniser_url.empty()) {
    recogniser = std::make_shared<const Recogniser>(lm::EntityEndpoint{
        .url = settings.recogniser_url, .language = settings.recogniser_language});
  }
  Detector detector = TRY(Detector::create({.rules = settings.rules, .recogniser = recogniser}));
  Curation curation(input, options, TRY(CurationPlan::create(input.scratch)), std::move(detector),
                    std::move(recogniser));
  TRY(curation.survey());
  TRY(curation.decide());
  TRY(curation.rewrite(sink));
  return curation.report();
}

Result<CuratedCalls> curate_calls(const std::vector<Call>& calls, const SecretText& pseudonym_key,
                                  const CurateOptions& options) {
  const CallSource source{.visit = [&](const std::function<Status(Call)>& visit) -> Status {
                            for (const Call& call : calls) TRY(visit(call));
                            return {};
                          },
                          .calls = calls.size()};
  CuratedCalls curated;
  curated.report = TRY(curate_calls({.source = source,
                                     .pseudonym_key = pseudonym_key,
                                     .scratch = std::filesystem::temp_directory_path()},
                                    options, [&](const Example& example) -> Status {
                                      curated.examples.push_back(example);
                                      return {};
                                    }));
  return curated;
}

}  // namespace understudy::s2
