#include "adapters/telemetry/metrics.hpp"

#include <algorithm>
#include <array>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "adapters/telemetry/families.hpp"
#include "adapters/telemetry/sharded_cells.hpp"
#include "base/limits.hpp"
#include "base/read_mostly.hpp"

namespace understudy::telemetry {

namespace {

constexpr std::array<std::string_view, 9> apis = {"chat.completions", "completions",  "responses",
                                                  "embeddings",       "messages",     "models",
                                                  "feedback",         "count_tokens", "other"};
constexpr std::array<std::string_view, 3> servers = {"llm", "slm", "gateway"};
constexpr std::array<unsigned, 23> statuses = {200, 201, 204, 400, 401, 402, 403, 404,
                                               405, 408, 409, 413, 415, 422, 429, 431,
                                               499, 500, 502, 503, 504, 529, 0 /* other */};
constexpr std::array<std::string_view, 6> refusal_codes = {
    "invalid_api_key",     "model_not_allowed",  "model_without_price",
    "rate_limit_exceeded", "insufficient_quota", "other"};
constexpr std::array<std::string_view, 10> outcomes = {
    "ok",      "client_error", "rate_limited", "server_error", "unavailable",
    "timeout", "cut",          "stalled",      "malformed",    "cancelled"};

// Where each number lies in the one block of cells that all requests share.
namespace cell {
constexpr std::size_t requests = 0;
constexpr std::size_t overhead = requests + apis.size() * servers.size() * statuses.size();
constexpr std::size_t first_byte = overhead + microseconds_histogram.cells();
constexpr std::size_t input_tokens = first_byte + latency_histogram.cells();
constexpr std::size_t cached_tokens = input_tokens + 1;
constexpr std::size_t output_tokens = cached_tokens + 1;
constexpr std::size_t estimated = output_tokens + 1;
constexpr std::size_t cost = estimated + 1;  // micro-dollars
constexpr std::size_t active_requests = cost + 1;
constexpr std::size_t active_streams = active_requests + 1;
constexpr std::size_t refusals = active_streams + 1;
constexpr std::size_t decision = refusals + refusal_codes.size();
constexpr std::size_t count = decision + microseconds_histogram.cells();
}  // namespace cell

// The same for each model, and each upstream.
namespace model_cell {
constexpr std::size_t duration = 0;
constexpr std::size_t first_token = duration + seconds_histogram.cells();
constexpr std::size_t input_tokens = first_token + seconds_histogram.cells();
constexpr std::size_t output_tokens = input_tokens + tokens_histogram.cells();
constexpr std::size_t count = output_tokens + tokens_histogram.cells();
}  // namespace model_cell
namespace upstream_cell {
constexpr std::size_t attempts = 0;
constexpr std::size_t retries = attempts + outcomes.size();
constexpr std::size_t count = retries + 1;
}  // namespace upstream_cell

template <class Range, class Value>
std::size_t index_in(const Range& known, const Value& value) {  // the last one stands for the rest
  const auto found = std::ranges::find(known, value);
  return static_cast<std::size_t>(std::min(found, std::end(known) - 1) - std::begin(known));
}

std::uint64_t count_of(std::int64_t value) {
  return value > 0 ? static_cast<std::uint64_t>(value) : 0;
}

// gen_ai.operation.name of an API.
std::string_view operation_of(std::string_view api) {
  if (api == "completions") return "text_completion";
  if (api == "embeddings") return "embeddings";
  return "chat";
}

struct ModelSeries {
  std::string operation;
  std::string provider;
  std::string model;
  ShardedCells cells{model_cell::count};
};

struct UpstreamSeries {
  std::string name;
  ShardedCells cells{upstream_cell::count};
};

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};

}  // namespace

struct Metrics::State {
  std::string version;
  ShardedCells cells{cell::count};
  mutable ReadMostlyMutex mutex;  // guards what follows; counting takes it shared
  std::vector<std::unique_ptr<ModelSeries>> models;
  // operation and provider vary little: a model's series are a short list
  std::unordered_map<std::string, std::vector<ModelSeries*>, TextHash, std::equal_to<>> by_model;
  std::vector<std::unique_ptr<UpstreamSeries>> upstreams;
  std::vector<std::function<void(Scrape&)>> sources;

  ModelSeries* find(std::string_view operation, const RequestFacts& facts) const {
    const auto found = by_model.find(facts.model);
    if (found == by_model.end()) return nullptr;
    for (ModelSeries* series : found->second) {
      if (series->operation == operation && series->provider == facts.provider) return series;
    }
    return nullptr;
  }

  // Clients choose models' names: from a certain number on they are "other".
  ModelSeries& series_of(const RequestFacts& facts) {
    const std::string_view operation = operation_of(facts.api);
    {
      const std::shared_lock lock(mutex);
      if (ModelSeries* series = find(operation, facts)) return *series;
    }
    const std::unique_lock lock(mutex);
    RequestFacts wanted = facts;
    if (models.size() >= limits::metric_models_max ||
        facts.model.size() > limits::metric_label_bytes_max) {
      wanted.model = "other";
      wanted.provider = "other";
    }
    if (ModelSeries* series = find(operation, wanted)) return *series;
    models.push_back(std::make_unique<ModelSeries>(
        std::string(operation), std::string(wanted.provider), std::string(wanted.model)));
    by_model[std::string(wanted.model)].push_back(models.back().get());
    return *models.back();
  }

  void collect_requests(Families& families) const;
  void collect_models(Families& families) const;
  void collect_upstreams(Families& families) const;
};

Metrics::Metrics(std::string_view version) : state_(std::make_unique<State>()) {
  state_->version = version;
}
Metrics::~Metrics() = default;

void Metrics::request_ended(const RequestFacts& facts) {
  ShardedCells& cells = state_->cells;
  const std::size_t series =
      (index_in(apis, facts.api) * servers.size() + static_cast<std::size_t>(facts.served_by)) *
          statuses.size() +
      index_in(statuses, facts.status);
  cells.add(cell::requests + series);
  if (facts.own_overhead_us >= 0)
    microseconds_histogram.observe(cells, cell::overhead, count_of(facts.own_overhead_us));
  if (facts.first_byte_us >= 0)
    latency_histogram.observe(cells, cell::first_byte, count_of(facts.first_byte_us));
  const std::uint64_t input = count_of(facts.usage.prompt_tokens);
  const std::uint64_t output = count_of(facts.usage.completion_tokens);
  if (input > 0) cells.add(cell::input_tokens, input);
  if (output > 0) cells.add(cell::output_tokens, output);
  if (facts.usage.cached_prompt_tokens > 0)
    cells.add(cell::cached_tokens, count_of(facts.usage.cached_prompt_tokens));
  if (facts.usage.estimated) cells.add(cell::estimated);
  if (facts.cost.value >= 1) cells.add(cell::cost, static_cast<std::uint64_t>(facts.cost.value));
  if (facts.model.empty()) return;
  ShardedCells& of_model = state_->series_of(facts).cells;
  if (facts.duration_us >= 0)
    seconds_histogram.observe(of_model, model_cell::duration, count_of(facts.duration_us));
  if (facts.first_byte_us >= 0)
    seconds_histogram.observe(of_model, model_cell::first_token, count_of(facts.first_byte_us));
  if (input > 0) tokens_histogram.observe(of_model, model_cell::input_tokens, input);
  if (output > 0) tokens_histogram.observe(of_model, model_cell::output_tokens, output);
}

void Metrics::request_opened() { state_->cells.add(cell::active_requests); }
void Metrics::request_closed() { state_->cells.add(cell::active_requests, std::uint64_t(-1)); }
void Metrics::stream_opened() { state_->cells.add(cell::active_streams); }
void Metrics::stream_closed() { state_->cells.add(cell::active_streams, std::uint64_t(-1)); }
void Metrics::refused(std::string_view code) {
  state_->cells.add(cell::refusals + index_in(refusal_codes, code));
}

void Metrics::route_decided(std::int64_t ns) {
  // Rounded up: a decision below one microsecond is in the first bucket.
  microseconds_histogram.observe(state_->cells, cell::decision, count_of((ns + 999) / 1000));
}

std::size_t Metrics::upstream(std::string_view name) {
  auto& upstreams = state_->upstreams;
  const auto find = [&] {
    return std::ranges::find(upstreams, name,
                             [](const auto& series) -> std::string_view { return series->name; });
  };
  {
    const std::shared_lock lock(state_->mutex);  // nearly always it is known
    if (const auto known = find(); known != upstreams.end())
      return static_cast<std::size_t>(known - upstreams.begin());
  }
  const std::unique_lock lock(state_->mutex);
  const auto index = static_cast<std::size_t>(find() - upstreams.begin());
  if (index == upstreams.size())
    upstreams.push_back(std::make_unique<UpstreamSeries>(std::string(name)));
  return index;
}

void Metrics::attempt_ended(std::size_t upstream, AttemptOutcome outcome) {
  const std::shared_lock lock(state_->mutex);
  state_->upstreams[upstream]->cells.add(upstream_cell::attempts +
                                         static_cast<std::size_t>(outcome));
}

void Metrics::retried(std::size_t upstream) {
  const std::shared_lock lock(state_->mutex);
  state_->upstreams[upstream]->cells.add(upstream_cell::retries);
}

void Metrics::add_source(std::function<void(Scrape&)> source) {
  const std::unique_lock lock(state_->mutex);
  state_->sources.push_back(std::move(source));
}

void Metrics::State::collect_requests(Families& families) const {
  const auto total = [this](std::size_t index) { return static_cast<double>(cells.total(index)); };
  families.gauge("understudy_build_info", "The program's version.", 1, {{"version", version}});
  std::size_t index = cell::requests;
  for (const std::string_view api : apis) {
    for (const std::string_view server : servers) {
      for (const unsigned status : statuses) {
        const double count = total(index++);
        if (count == 0) continue;
        families.counter("understudy_requests_total", "Requests that are over.", count,
                         {{"api", std::string(api)},
                          {"status", status == 0 ? "other" : std::to_string(status)},
                          {"served_by", std::string(server)}});
      }
    }
  }
  microseconds_histogram.collect(
      families, "understudy_overhead_microseconds",
      "Time a request spent in the gateway itself: arrival to end, less waiting for others.", cells,
      cell::overhead, {});
  microseconds_histogram.collect(
      families, "understudy_route_decision_microseconds",
      "Finding a call's task and its mode in the policy; calls of a gateway without tasks do not "
      "count.",
      cells, cell::decision, {});
  latency_histogram.collect(families, "understudy_time_to_first_byte_seconds",
                            "From a request's arrival to the first byte of its answer.", cells,
                            cell::first_byte, {});
  const auto tokens = [&](std::string_view type, std::size_t at) {
    families.counter("understudy_tokens_total",
                     "Tokens by their kind; cached ones are part of input.", total(at),
                     {{"type", std::string(type)}});
  };
  tokens("input", cell::input_tokens);
  tokens("cached_input", cell::cached_tokens);
  tokens("output", cell::output_tokens);
  families.counter("understudy_usage_estimated_total",
                   "Calls whose usage the upstream did not tell.", total(cell::estimated));
  families.counter("understudy_cost_usd_total", "What calls cost by the price table.",
                   total(cell::cost) / 1e6);
  families.gauge(
      "understudy_active_requests", "Requests that are being answered.",
      static_cast<double>(static_cast<std::int64_t>(cells.total(cell::active_requests))));
  families.gauge("understudy_active_streams", "Streamed answers under way.",
                 static_cast<double>(static_cast<std::int64_t>(cells.total(cell::active_streams))));
  for (std::size_t i = 0; i < refusal_codes.size(); ++i) {
    families.counter("understudy_access_refusals_total", "Requests refused by keys and limits.",
                     total(cell::refusals + i), {{"code", std::string(refusal_codes[i])}});
  }
}

void Metrics::State::collect_models(Families& families) const {
  for (const auto& series : models) {
    Scrape::Labels labels = {{"gen_ai_operation_name", series->operation},
                             {"gen_ai_provider_name", series->provider},
                             {"gen_ai_request_model", series->model}};
    seconds_histogram.collect(families, "gen_ai_client_operation_duration_seconds",
                              "Duration of calls, as the client sees it.", series->cells,
                              model_cell::duration, labels);
    seconds_histogram.collect(families, "gen_ai_server_time_to_first_token_seconds",
                              "From a call's arrival to the first byte of its answer.",
                              series->cells, model_cell::first_token, labels);
    labels.emplace_back("gen_ai_token_type", "input");
    tokens_histogram.collect(families, "gen_ai_client_token_usage", "Tokens a call.", series->cells,
                             model_cell::input_tokens, labels);
    labels.back().second = "output";
    tokens_histogram.collect(families, "gen_ai_client_token_usage", "Tokens a call.", series->cells,
                             model_cell::output_tokens, labels);
  }
}

void Metrics::State::collect_upstreams(Families& families) const {
  for (const auto& series : upstreams) {
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      families.counter("understudy_upstream_attempts_total", "Attempts at upstreams by outcome.",
                       static_cast<double>(series->cells.total(upstream_cell::attempts + i)),
                       {{"upstream", series->name}, {"outcome", std::string(outcomes[i])}});
    }
    families.counter("understudy_retries_total", "Attempts that followed a failed one.",
                     static_cast<double>(series->cells.total(upstream_cell::retries)),
                     {{"upstream", series->name}});
  }
}

std::string Metrics::exposition() const {
  Families families;
  std::vector<std::function<void(Scrape&)>> sources;
  {
    const std::shared_lock lock(state_->mutex);
    state_->collect_requests(families);
    state_->collect_models(families);
    state_->collect_upstreams(families);
    sources = state_->sources;
  }
  for (const auto& source : sources) source(families);
  collect_process(families);
  return families.to_text();
}

}  // namespace understudy::telemetry
