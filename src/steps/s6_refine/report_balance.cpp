#include "steps/s6_refine/report_balance.hpp"

#include <algorithm>
#include <cmath>
#include <format>

#include "adapters/store/dataset.hpp"

namespace understudy::s6 {

namespace {

constexpr double us_per_day = 86'400e6;

using economics::usd;
std::string dollars(MicroUsd amount) {
  const double value = usd(amount);
  return std::format("{}${:.{}f}", value < 0 ? "&minus;" : "", std::abs(value),
                     value != 0 && std::abs(value) < 0.1 ? 5 : 2);
}
double ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }

// Agreement of the live models on unseen calls, each counted by the calls that it took.
std::optional<double> agreement_of(const Report& report) {
  double agreed = 0;
  double calls = 0;
  for (const TaskReport& task : report.tasks) {
    if (!task.evaluation || task.traffic.by_slm == 0 || task.evaluation->test.kept == 0) continue;
    const auto weight = static_cast<double>(task.traffic.by_slm);
    agreed += weight * task.evaluation->test.rate();
    calls += weight;
  }
  return calls > 0 ? std::optional(agreed / calls) : std::nullopt;
}

}  // namespace

std::optional<CacheHits> count_cache_hits(const store::Home& home, const crypto::SecretKey& reader,
                                          const economics::PriceTable& prices) {
  const auto dataset = store::current_dataset(home);
  if (!dataset) return std::nullopt;
  CacheHits cache;
  double tokens = 0;
  double hit_tokens = 0;
  double cost = 0;
  double hit_cost = 0;
  const Status read =
      store::visit_dataset(home, *dataset, reader, [&](const Example& example) -> Status {
        const auto repeats = static_cast<double>(example.repeats);
        const auto each =
            static_cast<double>(example.usage.prompt_tokens + example.usage.completion_tokens);
        cache.calls += example.repeats;
        cache.hits += example.repeats - 1;
        tokens += repeats * each;
        hit_tokens += (repeats - 1) * each;
        if (const auto price = prices.find(example.model)) {
          const double paid = price
                                  ->cost(static_cast<double>(example.usage.prompt_tokens),
                                         static_cast<double>(example.usage.completion_tokens))
                                  .value;
          cost += repeats * paid;
          hit_cost += (repeats - 1) * paid;
        }
        return {};
      });
  if (!read) return std::nullopt;
  cache.share_of_tokens = ratio(hit_tokens, tokens);
  cache.share_of_cost = ratio(hit_cost, cost);
  return cache;
}

Status draw_balance(Report& report, const Traffic& traffic, const economics::PriceTable& prices,
                    const store::Metadata& metadata) {
  economics::Ledger audits(prices);
  traffic.settle_audits(audits);
  report.audits = traffic.audits();
  report.audit_cost = audits.savings().llm_cost;
  report.fallbacks = traffic.fallbacks();
  report.cheaper_model = prices.cheaper_model();
  for (const TaskReport& task : report.tasks) {
    for (const Artifact& artifact : TRY(metadata.artifacts(task.id))) {
      const auto metrics = json::parse(artifact.metrics_json);
      if (metrics) report.training_s += json::find_number(*metrics, "seconds").value_or(0);
    }
  }
  const economics::Savings& savings = report.promoted_at ? report.since_promotion : report.all;
  economics::BalanceInputs inputs;
  inputs.savings = savings;
  inputs.fallbacks = report.fallbacks;
  inputs.fallback_busy_s = traffic.fallback_busy_s();
  inputs.audits = report.audits;
  inputs.audit_cost = report.audit_cost;
  inputs.training_s = report.training_s;
  inputs.machine_usd_per_hour = prices.machine_usd_per_hour();
  const UnixMicros first = report.promoted_at.value_or(report.first_call);
  inputs.days =
      std::max(1.0 / 24, static_cast<double>(report.last_call.value - first.value) / us_per_day);
  inputs.llm_success = traffic.llm_success();
  inputs.agreement = agreement_of(report);
  inputs.cheaper_model = prices.cheaper_model();
  if (const auto price = prices.find(prices.cheaper_model()))
    inputs.cheaper_cost = price->cost(savings.tokens.prompt, savings.tokens.completion);
  report.balance = economics::balance(inputs);
  return {};
}

json::value balance_to_json(const Report& report) {
  const economics::Balance& balance = report.balance;
  json::array at;
  for (const auto& entry : balance.at) {
    at.push_back(json::object{{"utilisation", entry.utilisation},
                              {"machine_usd", usd(entry.machine)},
                              {"net_usd", usd(entry.net)},
                              {"slm_usd_per_successful_call", usd(entry.per_success)}});
  }
  return json::object{
      {"saving", to_string(balance.saving)},
      {"verdict", balance.verdict},
      {"at", std::move(at)},
      {"audits", report.audits},
      {"audit_usd", usd(report.audit_cost)},
      {"fallbacks", report.fallbacks},
      {"fallback_machine_usd", usd(balance.fallback_machine)},
      {"training_seconds", report.training_s},
      {"training_usd", usd(balance.training)},
      {"payback_days", balance.payback_days ? json::value(*balance.payback_days) : nullptr},
      {"llm_usd_per_successful_call", usd(balance.llm_per_success)},
      {"llm_success", balance.llm_success},
      {"success_is_measured", balance.success_is_measured},
      {"slm_success_at_least", balance.slm_success},
      {"cheaper_model", report.cheaper_model},
      {"cheaper_usd_per_call",
       balance.cheaper_per_call ? json::value(usd(*balance.cheaper_per_call)) : nullptr}};
}

std::string balance_section(const Report& report) {
  const economics::Balance& balance = report.balance;
  std::string out = "<h2>Does it pay?</h2>\n<p>" + balance.verdict + "</p>\n";
  if (report.cache && report.cache->hits > 0) {
    out += std::format(
        "<p>{} of {} calls of the data set repeat an earlier one and its answer word for word: an "
        "exact-match cache would save {:.1f} % of the tokens without any model. These are no merit "
        "of the small models.</p>\n",
        report.cache->hits, report.cache->calls, 100 * report.cache->share_of_tokens);
  }
  if (balance.saving != economics::Saving::nothing_live) {
    out +=
        "<div class=\"scroll\"><table><thead><tr><th>machine is busy</th><th "
        "class=\"number\">machine</th><th class=\"number\">audits</th><th "
        "class=\"number\">net</th><th class=\"number\">small model, per successful call</th><th "
        "class=\"number\">LLM, per successful call</th></tr></thead><tbody>\n";
    for (const auto& at : balance.at) {
      out += std::format(
          "<tr><td>{:.0f} %</td><td class=\"number\">{}</td><td class=\"number\">{}</td><td "
          "class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td></tr>\n",
          100 * at.utilisation, dollars(at.machine), dollars(report.audit_cost), dollars(at.net),
          dollars(at.per_success), dollars(balance.llm_per_success));
    }
    out += std::format(
        "</tbody></table></div>\n<p class=\"quiet\">{} calls were paid twice (a small model was "
        "asked first), {} answers were audited. Training took {:.0f} s ({}). {}{}</p>\n",
        report.fallbacks, report.audits, report.training_s, dollars(balance.training),
        balance.success_is_measured
            ? std::format("Success: {:.1f} % of the LLM's rated calls; a small model's answer that "
                          "differs counts as a failure.",
                          100 * balance.llm_success)
            : std::string("Nobody rated calls, so every answer of the LLM counts as a success."),
        balance.cheaper_per_call
            ? std::format(" The cheaper API model of prices.toml would cost {} a call; how good it "
                          "is was not measured here.",
                          dollars(*balance.cheaper_per_call))
            : "");
  }
  for (const Demotion& demotion : report.demotions) {
    out += std::format("<p class=\"warning\">Task {} was demoted by the audit: {}</p>\n",
                       demotion.task.value, demotion.reason);
  }
  return out;
}

}  // namespace understudy::s6
