#include "adapters/lm/completion_client.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <cmath>
#include <mutex>

#include "adapters/lm/token_margin.hpp"
#include "base/json.hpp"
#include "base/limits.hpp"

namespace understudy::lm {

namespace {

constexpr std::size_t response_bytes_max = 64 * limits::mebi;  // a whole vocabulary's probabilities
constexpr long ms_per_s = 1000;
constexpr double forcing_bias = 1e6;  // no logit comes near it
constexpr std::size_t likeliest_listed = 256;
constexpr std::size_t all_listed = 10'000'000;  // no vocabulary is larger
constexpr std::string_view probabilities_key = "completion_probabilities";

using Handle = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;

std::size_t take_bytes(char* data, std::size_t size, std::size_t count, void* to) {
  auto& body = *static_cast<std::string*>(to);
  const std::size_t bytes = size * count;
  if (body.size() + bytes > response_bytes_max) return 0;  // ends the transfer with an error
  body.append(data, bytes);
  return bytes;
}

}  // namespace

Result<Completion> parse_completion(std::string_view body, Token end) {
  const json::value tree = TRY(json::parse(body));
  const json::array* tokens = json::find_array(tree, "tokens");
  const auto stop = json::find_string(tree, "stop_type");
  if (tokens == nullptr || !stop) {
    return fail(ErrorCode::corrupt, "llama-server's answer has no tokens or no stop_type");
  }
  Completion completion;
  completion.finished = *stop == "eos";
  for (const json::value& token : *tokens) {
    if (!token.is_int64())
      return fail(ErrorCode::corrupt, "a token without id in llama-server's answer");
    if (token.get_int64() != end)
      completion.tokens.push_back(static_cast<Token>(token.get_int64()));
  }
  if (!tree.as_object().contains(probabilities_key)) return completion;
  const json::array* steps = json::find_array(tree, probabilities_key);
  if (steps == nullptr) {
    return fail(ErrorCode::corrupt, "completion_probabilities of llama-server's answer is no list");
  }
  double least = 0;  // log
  std::vector<double> log_probabilities;
  std::vector<double> margins;
  for (const json::value& step : *steps) {
    const auto id = json::find_integer(step, "id");
    const auto log_probability = json::find_number(step, "logprob");
    if (!id || !log_probability || std::isnan(*log_probability)) {
      return fail(ErrorCode::corrupt, "a step without id or logprob in llama-server's answer");
    }
    least = std::min(least, *log_probability);
    log_probabilities.push_back(*log_probability);
    margins.push_back(margin_of(step, *log_probability, [&](const json::value& other) {
      return json::find_integer(other, "id") == id;
    }));
  }
  completion.token_probability_min = steps->empty() ? 0 : std::exp(least);
  completion.signs = signs_of(std::move(log_probabilities), std::move(margins));
  return completion;
}

std::optional<double> parse_log_probability(const json::value& answer, Token next) {
  const json::array* steps = json::find_array(answer, probabilities_key);
  if (steps == nullptr || steps->size() != 1) return std::nullopt;
  const auto of = [&](const json::value& entry) -> std::optional<double> {
    return json::find_integer(entry, "id") == next ? json::find_number(entry, "logprob")
                                                   : std::nullopt;
  };
  if (const auto written = of(steps->front())) return written;
  if (const json::array* others = json::find_array(steps->front(), "top_logprobs")) {
    for (const json::value& other : *others) {
      if (const auto listed = of(other)) return listed;
    }
  }
  return std::nullopt;
}

struct CompletionClient::State {
  std::string socket;
  std::mutex mutex;
  std::vector<Handle> idle;

  Handle take() {
    const std::lock_guard lock(mutex);
    if (idle.empty()) return {curl_easy_init(), &curl_easy_cleanup};
    Handle handle = std::move(idle.back());
    idle.pop_back();
    return handle;
  }
  void give_back(Handle handle) {
    const std::lock_guard lock(mutex);
    idle.push_back(std::move(handle));
  }
  Result<std::string> fetch(const std::string& path, const std::string* body);
};

Result<std::string> CompletionClient::State::fetch(const std::string& path,
                                                   const std::string* body) {
  Handle handle = take();
  if (!handle) return fail(ErrorCode::exhausted, "libcurl makes no handle");
  std::string response;
  const std::string url = "http://localhost" + path;
  curl_easy_reset(handle.get());  // keeps the connection
  curl_easy_setopt(handle.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_UNIX_SOCKET_PATH, socket.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_NOPROXY, "*");
  curl_easy_setopt(handle.get(), CURLOPT_TIMEOUT_MS, limits::slm_timeout_s * ms_per_s);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, &take_bytes);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEDATA, &response);
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(
      curl_slist_append(nullptr, "Content-Type: application/json"), &curl_slist_free_all);
  if (body != nullptr) {
    curl_easy_setopt(handle.get(), CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(handle.get(), CURLOPT_POSTFIELDS, body->c_str());
    curl_easy_setopt(handle.get(), CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(body->size()));
  }
  const CURLcode code = curl_easy_perform(handle.get());
  long status = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  give_back(std::move(handle));
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return fail(ErrorCode::timeout, "llama-server did not answer in time");
  }
  if (code != CURLE_OK) {
    return fail(ErrorCode::unavailable, std::string("llama-server: ") + curl_easy_strerror(code));
  }
  if (status != 200) {
    return fail(status >= 500 ? ErrorCode::unavailable : ErrorCode::unsupported,
                "llama-server answered with status " + std::to_string(status));
  }
  return response;
}

CompletionClient::CompletionClient(const std::filesystem::path& socket)
    : state_(std::make_unique<State>()) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  state_->socket = socket.string();
}
CompletionClient::~CompletionClient() = default;

bool CompletionClient::healthy() const { return state_->fetch("/health", nullptr).has_value(); }

Result<Completion> CompletionClient::complete(const Request& request) const {
  json::array prompt(request.prompt.begin(), request.prompt.end());
  json::array banned;
  for (const Token token : request.banned) banned.push_back(json::array{token, false});
  json::object asked{{"prompt", std::move(prompt)},
                     {"logit_bias", std::move(banned)},
                     {"n_predict", request.tokens_max},
                     {"temperature", request.sampling.temperature},
                     {"n_probs", 2},  // the chosen one and the best other
                     {"return_tokens", true},
                     {"cache_prompt", false},
                     {"stream", false}};
  if (request.sampling.temperature > 0) {
    asked["samplers"] = json::array{"temperature"};
    asked["seed"] = request.sampling.seed;
  } else {
    asked["samplers"] = json::array{"top_k"};
    asked["top_k"] = 1;
  }
  if (!request.grammar.empty()) asked["grammar"] = request.grammar;
  const std::string body = json::to_text(asked);
  return parse_completion(TRY(state_->fetch("/completion", &body)), request.end);
}

Result<double> CompletionClient::log_probability(const std::vector<Token>& prompt, Token next,
                                                 Token end) const {
  // The bias makes the server write that token; what it reports is the probability without it.
  const auto ask = [&](Token forced, std::size_t listed) -> Result<std::optional<double>> {
    const std::string body =
        json::to_text(json::object{{"prompt", json::array(prompt.begin(), prompt.end())},
                                   {"logit_bias", json::array{json::array{forced, forcing_bias}}},
                                   {"n_predict", 1},
                                   {"temperature", 0},
                                   {"samplers", json::array{"top_k"}},
                                   {"top_k", 1},
                                   {"n_probs", listed},
                                   {"cache_prompt", true},
                                   {"stream", false}});
    const json::value tree = TRY(json::parse(TRY(state_->fetch("/completion", &body))));
    return parse_log_probability(tree, next);
  };
  if (const auto written = TRY(ask(next, 1))) return *written;
  // The server says nothing of a token that is but a part of a character: look it up beside
  // another.
  if (const auto listed = TRY(ask(end, likeliest_listed))) return *listed;
  if (const auto listed = TRY(ask(end, all_listed))) return *listed;
  return fail(ErrorCode::corrupt,
              "llama-server gives no probability of token " + std::to_string(next));
}

}  // namespace understudy::lm
