// What is said about a task once its calls are known: answer form and closed answer set, figures,
// and an estimate of whether a small model could take it, with the reason. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "economics/price_table.hpp"
#include "records/example.hpp"
#include "records/task.hpp"
#include "steps/s3_cluster/call_view.hpp"

namespace understudy::s3 {

struct Totals {
  std::int64_t calls = 0;  // repeats counted
  std::int64_t tokens = 0;
  double cost_micro_usd = 0;
};
Totals totals_of(const std::vector<const Example*>& examples, const economics::PriceTable& prices);

// Fills form, answer set, tool names, statistics and replaceability of `task`, whose template,
// key and separability are set. `calls` index both views and examples and are not empty.
void describe(Task& task, const std::vector<std::uint32_t>& calls,
              const std::vector<CallView>& views, const std::vector<const Example*>& examples,
              const Totals& totals, const economics::PriceTable& prices);

AnswerForm answer_form_of(const std::vector<const Answer*>& answers);

}  // namespace understudy::s3
