#include "steps/s2_curate/curate_calls.hpp"

#include <algorithm>
#include <memory>
#include <thread>
#include <utility>

#include "base/pool.hpp"
#include "base/progress.hpp"
#include "steps/s2_curate/lent.hpp"
#include "steps/s2_curate/ordered_work.hpp"
#include "steps/s2_curate/report_tally.hpp"
#include "steps/s2_curate/second_look.hpp"
#include "steps/s2_curate/surrogate/pseudonym_writer.hpp"

namespace understudy::s2 {

namespace {

// Of work: enough to forget the cost of handing it out, few enough to hold in memory.
constexpr std::size_t batch_calls = 64;
constexpr std::size_t batch_bytes = std::size_t{1} << 20U;
constexpr std::size_t batches_per_thread = 2;
constexpr std::size_t remembered_strings_max = 8192;  // per scanner

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
        recogniser_(std::move(recogniser)),
        tally_(input.tasks, paraphrase_) {}

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
          tally_.repaired(batch.repaired);
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
    const LookContext context{.treatments = treatments_,
                              .paraphrase = paraphrase_,
                              .pseudonym_key = input_.pseudonym_key};
    Lent<PseudonymWriter> writers([&] { return PseudonymWriter(pseudonymiser); });
    using Rewriting = Batch<SecondLook>;
    OrderedWork<Rewriting> work(
        pool_, in_flight_max_,
        [&](Rewriting& batch) {
          writers.with([&](PseudonymWriter& writer) {
            for (std::size_t i = 0; i < batch.calls.size(); ++i) {
              repair_bodies(batch.calls[i]);
              batch.outcomes.push_back(
                  look_again(batch.calls[i], plan_.rows()[batch.rows[i]], context, writer));
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

  CurateReport report() { return tally_.finish(plan_, originals_, settings_); }

 private:
  // A text that nobody looked at may hold anything.
  [[nodiscard]] Status recogniser_sound() const {
    if (!recogniser_) return {};
    if (auto failure = recogniser_->failure()) return fail(std::move(*failure));
    return {};
  }

  static std::size_t cores() { return std::max(std::thread::hardware_concurrency(), 1U); }

  Status take(const SecondLook& look, const PlannedCall& planned, const ExampleSink& sink) {
    if (look.example) TRY(sink(*look.example));
    tally_.add(look, planned);
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
  ReportTally tally_;
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
