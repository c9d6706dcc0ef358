#include "steps/s6_refine/report_beside.hpp"

#include <format>

#include "base/html.hpp"

namespace understudy::s6 {

namespace {

std::string line(const std::string& text) { return "<div class=\"quiet\">" + text + "</div>"; }

}  // namespace

std::string beside_agreement(const Evaluation& evaluation) {
  std::string out;
  if (const OutcomeTest& outcomes = evaluation.outcomes; outcomes.calls > 0) {
    out += line(std::format(
        "task success on {} rated calls: {} the LLM&rsquo;s by {:.1f} %", outcomes.calls,
        outcomes.holds ? "not below" : "not shown to be not below", 100 * outcomes.margin));
  }
  if (const CacheBaseline& cache = evaluation.cache; cache.hits > 0) {
    out +=
        line(std::format("a cache would answer {:.1f} % of the recorded calls, {:.1f} % of them "
                         "as the LLM",
                         100 * cache.share(), 100 * cache.rate()));
  }
  if (const CheaperBaseline& cheaper = evaluation.cheaper; !cheaper.model.empty()) {
    out += line(std::format("{} agrees on {:.1f} % at ${:.6f} a call (LLM ${:.6f})",
                            html::escaped(cheaper.model), 100 * cheaper.rate(),
                            cheaper.usd_per_call, cheaper.llm_usd_per_call));
  }
  if (evaluation.pool.size() > 1)
    out += line(std::format("proven together with {} other tasks", evaluation.pool.size() - 1));
  return out;
}

}  // namespace understudy::s6
