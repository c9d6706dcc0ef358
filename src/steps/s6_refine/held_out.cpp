#include "steps/s6_refine/held_out.hpp"

#include <optional>
#include <unordered_map>
#include <utility>

#include "adapters/crypto/keys.hpp"
#include "adapters/store/dataset.hpp"
#include "adapters/text/hashing.hpp"
#include "adapters/wire/chat.hpp"
#include "base/json.hpp"
#include "quality/valid_answer.hpp"
#include "records/task_splits.hpp"

namespace understudy::s6 {

namespace {

struct ReadRequest {
  wire::ChatRequest request;
  quality::AnswerShape shape;
};

std::optional<ReadRequest> request_of(const Example& example) {
  const auto tree = json::parse(example.request.reveal());
  if (!tree) return std::nullopt;
  auto request = wire::parse_chat_request(*tree);
  if (!request) return std::nullopt;
  return ReadRequest{.request = std::move(*request), .shape = quality::answer_shape(*tree)};
}

std::optional<Answer> answer_of(const Example& example) {
  const auto tree = json::parse(example.response.reveal());
  if (!tree) return std::nullopt;
  auto answer = wire::parse_answer(*tree);
  return answer && !answer->empty() ? std::optional(std::move(*answer)) : std::nullopt;
}

// Exact repeats of requests, in the order in which they came.
class CacheCount {
 public:
  void add(const Example& example) {
    const std::uint64_t request = text::hash64(example.request.reveal());
    Asked& asked = asked_[request];
    asked.calls += example.repeats;
    if (asked.answered == 0 || example.started_at < asked.first_at) {
      asked.first_at = example.started_at;
      asked.answered = example.repeats;
    }
  }
  [[nodiscard]] CacheBaseline counted() const {
    CacheBaseline cache;
    for (const auto& [request, asked] : asked_) {
      cache.calls += asked.calls;
      cache.hits += asked.calls - 1;
      cache.agreed += asked.answered - 1;
    }
    return cache;
  }

 private:
  struct Asked {
    std::int64_t calls = 0;
    std::int64_t answered = 0;  // as the first one was, itself included
    UnixMicros first_at;
  };
  std::unordered_map<std::uint64_t, Asked> asked_;
};

bool has_key_of(const Task& task, const wire::ChatRequest& request) {
  return wire::tools_hash(request.tool_names) == task.key.tools &&
         request.response_form == task.key.response_form;
}

}  // namespace

Result<HeldOut> read_held_out(const store::Home& home, const store::Metadata& metadata,
                              const Task& task, Requests requests) {
  const auto trainer = TRY(crypto::load_secret_key(home.keys(), crypto::Role::trainer));
  const DatasetId dataset = TRY(metadata.clustered_dataset());
  const auto members = TRY(metadata.members_of(task.id));
  return held_out_calls(TRY(store::read_dataset(home, dataset, trainer)), task, members, requests);
}

Result<lm::Prediction> ask(const lm::SmallModel& model, const HeldOutCall& call,
                           const quality::AnswerManner& manner) {
  return quality::small_answer(
      [&model](const Question& question) { return model.predict(question); }, call.slots,
      call.shape, manner);
}

std::optional<quality::Judged> judge_prediction(const HeldOutCall& call,
                                                const lm::Prediction& prediction,
                                                const Task& task) {
  if (!quality::is_valid(
          prediction.answer,
          {.form = task.answer_form, .answer_set = task.answer_set, .shape = call.shape})) {
    return std::nullopt;
  }
  return quality::Judged{
      .confidence = prediction.confidence,
      .agrees = quality::agrees(call.teacher, prediction.answer, task.answer_form, call.shape)};
}

HeldOut held_out_calls(std::span<const Example> examples, const Task& task,
                       const std::unordered_set<CallId>& members, Requests requests) {
  const TaskSplits splits(examples, members);
  HeldOut held_out;
  CacheCount cache;
  for (const Example& example : examples) {
    const bool member = members.contains(example.call);
    if (member) cache.add(example);
    const Split split = splits.of(example);
    if (split == Split::train) continue;
    auto read = request_of(example);
    if (!read) {
      held_out.unreadable += member ? 1 : 0;
      continue;
    }
    wire::ChatRequest* const request = &read->request;
    if (!request->beyond_slm.empty()) continue;  // the gateway never asks a small model for these
    std::optional<std::vector<std::string>> slots;
    if (has_key_of(task, *request)) slots = task.prompt_template.match(request->prompt);
    if (!slots && !member) continue;
    auto teacher = answer_of(example);
    if (!teacher) {
      held_out.unreadable += member ? 1 : 0;
      continue;
    }
    auto& calls = split == Split::calibration ? held_out.calibration : held_out.test;
    calls.push_back({.slots = slots ? std::move(*slots) : std::vector<std::string>{},
                     .teacher = std::move(*teacher),
                     .shape = std::move(read->shape),
                     .llm_latency_us = example.latency_us,
                     .repeats = example.repeats,
                     .reward = example.reward,
                     .usage = example.usage,
                     .llm = example.model});
    if (requests == Requests::keep && split == Split::test)
      calls.back().request = example.request.reveal();
  }
  held_out.cache = cache.counted();
  return held_out;
}

}  // namespace understudy::s6
