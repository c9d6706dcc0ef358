#include "steps/s3_cluster/task_facts.hpp"

#include <algorithm>
#include <cmath>
#include <format>
#include <map>
#include <set>

#include "base/check.hpp"
#include "steps/s3_cluster/slot_facts.hpp"

namespace understudy::s3 {

namespace {

// Languages differ, but four bytes a token is within a third for what agents write.
constexpr std::int64_t bytes_per_token = 4;

std::int64_t prompt_tokens(const Example& example) {
  if (example.usage.prompt_tokens > 0) return example.usage.prompt_tokens;
  return static_cast<std::int64_t>(example.request.reveal().size()) / bytes_per_token;
}
std::int64_t completion_tokens(const Example& example) {
  if (example.usage.completion_tokens > 0) return example.usage.completion_tokens;
  return static_cast<std::int64_t>(example.response.reveal().size()) / bytes_per_token;
}

double cost_micro_usd(const Example& example, const economics::PriceTable& prices) {
  const auto price = prices.find(example.model);
  if (!price) return 0;
  const auto repeats = static_cast<double>(example.repeats);
  return repeats * price
                       ->cost(static_cast<double>(prompt_tokens(example)),
                              static_cast<double>(completion_tokens(example)))
                       .value;
}

bool is_label(const std::string& text) {
  constexpr std::size_t label_bytes_max = 64;
  return !text.empty() && text.size() <= label_bytes_max && !text.contains('\n');
}

std::map<std::string, std::int64_t> count_canonical(const std::vector<const Answer*>& answers,
                                                    AnswerForm form) {
  std::map<std::string, std::int64_t> counts;
  for (const Answer* answer : answers) ++counts[to_canonical(*answer, form)];
  return counts;
}

// Closed: labels that come again. Those seen only once estimate what was never seen
// (Good-Turing).
bool is_closed(const std::map<std::string, std::int64_t>& counts, std::size_t answers) {
  constexpr std::size_t labels_max = 1000;
  constexpr double unseen_max = 0.05;
  const auto once = std::ranges::count_if(counts, [](const auto& c) { return c.second == 1; });
  return counts.size() <= labels_max && counts.size() * 3 <= answers &&
         static_cast<double>(once) <= unseen_max * static_cast<double>(answers);
}

template <class T>
T quantile(std::vector<T> values, double share) {
  const auto place = static_cast<std::size_t>(share * static_cast<double>(values.size() - 1));
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(place));
  return values[place];
}

double entropy_bits(const std::map<std::string, std::int64_t>& counts, std::size_t answers) {
  double bits = 0;
  for (const auto& [text, count] : counts) {
    const double share = static_cast<double>(count) / static_cast<double>(answers);
    bits -= share * std::log2(share);
  }
  return bits;
}

void collect_leaves(const json::value& tree, std::vector<std::string>& leaves) {
  constexpr std::size_t leaves_max = 256;  // each is looked for in the whole prompt
  if (leaves.size() >= leaves_max) return;
  if (tree.is_string()) {
    leaves.emplace_back(tree.get_string());
  } else if (tree.is_number()) {
    leaves.push_back(json::to_text(tree));
  } else if (tree.is_array()) {
    for (const json::value& item : tree.get_array()) collect_leaves(item, leaves);
  } else if (tree.is_object()) {
    for (const auto& member : tree.get_object()) collect_leaves(member.value(), leaves);
  }
}

// Share of the answers' values that stand in the prompt, word by word: what can be copied need not
// be known.
double copied_share(const std::vector<std::uint32_t>& calls, const std::vector<CallView>& views) {
  constexpr std::size_t calls_looked_at = 200;
  std::size_t values = 0;
  std::size_t copied = 0;
  for (std::size_t i = 0; i < calls.size(); i += 1 + calls.size() / calls_looked_at) {
    const CallView& view = views[calls[i]];
    std::vector<std::string> leaves;
    for (const ToolCall& call : view.answer.tool_calls) {
      if (const auto tree = json::parse(call.arguments)) collect_leaves(*tree, leaves);
    }
    if (const auto tree = json::parse(view.answer.text)) collect_leaves(*tree, leaves);
    for (const std::string& leaf : leaves) {
      ++values;
      copied += view.prompt.contains(leaf) ? 1U : 0U;
    }
  }
  return values == 0 ? 1.0 : static_cast<double>(copied) / static_cast<double>(values);
}

Replaceability estimate(const Task& task, double copied) {
  const TaskStatistics& figures = task.statistics;
  double value = 0;
  std::string reason;
  switch (task.answer_form) {
    case AnswerForm::label:
      value = 0.95;
      reason = std::format("always one of {} short answers", task.answer_set.size());
      break;
    case AnswerForm::tool_call:
      value = 0.45 + 0.45 * copied;
      reason = std::format(
          "a choice among {} tools; {:.0f} % of the argument values stand in the "
          "prompt",
          task.tool_names.size(), 100 * copied);
      break;
    case AnswerForm::json:
      value = 0.25 + 0.6 * copied;
      reason =
          std::format("JSON of which {:.0f} % of the values stand in the prompt", 100 * copied);
      break;
    case AnswerForm::text: {
      // Free text agrees with the teacher only where it hardly varies.
      const double variety = figures.answer_entropy_bits /
                             std::max(1.0, std::log2(static_cast<double>(figures.calls)));
      value = std::clamp(0.6 * (1 - variety), 0.05, 0.6);
      reason = "free text: agreement with the teacher is hard to reach and hard to judge";
      break;
    }
  }
  constexpr std::int64_t small_prompt_bytes = 4000;  // about a thousand tokens
  if (figures.slot_bytes_p99 > small_prompt_bytes) {
    value *= 0.6;
    reason += std::format("; long inputs ({} bytes of slots at p99)", figures.slot_bytes_p99);
  }
  const auto large = std::ranges::count_if(task.slots, [](const SlotFacts& slot) {
    return slot.type == SlotType::code || slot.type == SlotType::text;
  });
  if (task.answer_form != AnswerForm::text && !task.slots.empty() && large == 0) {
    value = std::min(0.98, value * 1.05);
    reason += "; every input is a short value";
  }
  constexpr std::int64_t calls_wanted = 300;  // for alpha 0.05 at delta 0.1 beside training
  if (figures.calls < calls_wanted) {
    value *= 0.4 + 0.6 * static_cast<double>(figures.calls) / static_cast<double>(calls_wanted);
    reason += std::format("; only {} calls so far", figures.calls);
  }
  if (!task.separable) {
    value = std::min(value, 0.1);
    reason += "; its prompts cannot be told apart from another task's";
  }
  return {.estimate = value, .reason = reason};
}

}  // namespace

Totals totals_of(const std::vector<const Example*>& examples, const economics::PriceTable& prices) {
  Totals totals;
  for (const Example* example : examples) {
    totals.calls += example->repeats;
    totals.tokens += example->repeats * (prompt_tokens(*example) + completion_tokens(*example));
    totals.cost_micro_usd += cost_micro_usd(*example, prices);
  }
  return totals;
}

AnswerForm answer_form_of(const std::vector<const Answer*>& answers) {
  const auto share = [&](auto&& holds) {
    const auto count =
        std::ranges::count_if(answers, [&](const Answer* answer) { return holds(*answer); });
    return static_cast<double>(count) / static_cast<double>(answers.size());
  };
  if (share([](const Answer& answer) { return !answer.tool_calls.empty(); }) >= 0.5)
    return AnswerForm::tool_call;
  if (share([](const Answer& a) { return action_of(a).starts_with("json:"); }) >= 0.95)
    return AnswerForm::json;
  const bool short_texts = share([](const Answer& answer) { return is_label(answer.text); }) == 1.0;
  if (short_texts && is_closed(count_canonical(answers, AnswerForm::label), answers.size()))
    return AnswerForm::label;
  return AnswerForm::text;
}

void describe(Task& task, const std::vector<std::uint32_t>& calls,
              const std::vector<CallView>& views, const std::vector<const Example*>& examples,
              const Totals& totals, const economics::PriceTable& prices) {
  CHECK(!calls.empty(), "a task has calls");
  std::vector<const Answer*> answers;
  std::set<std::uint32_t> sessions;
  std::set<std::string> tools;
  std::vector<std::int64_t> latencies_us;
  std::vector<std::int64_t> slot_bytes;
  std::vector<std::int64_t> answer_bytes;
  std::vector<std::string_view> prompts;
  double cost = 0;
  TaskStatistics figures;
  for (const std::uint32_t call : calls) {
    const CallView& view = views[call];
    const Example& example = *examples[call];
    answers.push_back(&view.answer);
    prompts.push_back(view.prompt);
    cost += cost_micro_usd(example, prices);
    sessions.insert(view.session);
    for (const ToolCall& tool : view.answer.tool_calls) tools.insert(tool.name);
    figures.calls += example.repeats;
    figures.prompt_tokens += example.repeats * prompt_tokens(example);
    figures.completion_tokens += example.repeats * completion_tokens(example);
    latencies_us.push_back(example.latency_us);
    slot_bytes.push_back(static_cast<std::int64_t>(view.prompt.size()) -
                         static_cast<std::int64_t>(task.prompt_template.constant_bytes()));
    answer_bytes.push_back(static_cast<std::int64_t>(to_target(view.answer).size()));
  }
  task.answer_form = answer_form_of(answers);
  task.tool_names.assign(tools.begin(), tools.end());
  const auto counts = count_canonical(answers, task.answer_form);
  task.answer_set.clear();
  if (task.answer_form == AnswerForm::label) {
    for (const auto& [label, count] : counts) task.answer_set.push_back(label);
  }
  figures.sessions = static_cast<std::int64_t>(sessions.size());
  figures.distinct_answers = static_cast<std::int64_t>(counts.size());
  figures.answer_entropy_bits = entropy_bits(counts, answers.size());
  figures.share_of_calls = static_cast<double>(figures.calls) /
                           static_cast<double>(std::max<std::int64_t>(1, totals.calls));
  figures.share_of_tokens = static_cast<double>(figures.prompt_tokens + figures.completion_tokens) /
                            static_cast<double>(std::max<std::int64_t>(1, totals.tokens));
  constexpr double micro_per_unit = 1e6;
  figures.cost_usd = cost / micro_per_unit;
  figures.share_of_cost = totals.cost_micro_usd > 0 ? cost / totals.cost_micro_usd : 0;
  figures.latency_ms_median = static_cast<double>(quantile(latencies_us, 0.5)) / 1000.0;
  figures.latency_ms_p95 = static_cast<double>(quantile(std::move(latencies_us), 0.95)) / 1000.0;
  figures.slot_bytes_p99 = quantile(std::move(slot_bytes), 0.99);
  figures.answer_bytes_p99 = quantile(std::move(answer_bytes), 0.99);
  task.slots = slot_facts(task.prompt_template, prompts);
  task.statistics = figures;
  task.replaceability = estimate(task, copied_share(calls, views));
}

}  // namespace understudy::s3
