#include "live/gateway/gateway_fixture.hpp"

#include "adapters/wire/chat.hpp"
#include "base/files.hpp"

namespace understudy::live {

namespace {

class FakeModel final : public lm::SmallModel {
 public:
  explicit FakeModel(std::function<Result<lm::Prediction>(const std::vector<std::string>&)> predict)
      : predict_(std::move(predict)) {}
  Result<lm::Prediction> predict(const lm::Question& question) const override {
    return predict_(question.slots);
  }

 private:
  std::function<Result<lm::Prediction>(const std::vector<std::string>&)> predict_;
};

}  // namespace

GatewayTest::GatewayTest() {
  std::string name =
      (std::filesystem::temp_directory_path() / "understudy-gateway-XXXXXX").string();
  directory_ = ::mkdtemp(name.data());
  home_.emplace(store::Home::open(directory_).value());
  EXPECT_TRUE(crypto::init_keys(home_->keys()));
}

GatewayTest::~GatewayTest() {
  stop();
  gateway_.reset();
  router_.reset();  // it saves what it saw
  std::filesystem::remove_all(directory_);
}

GatewayConfig GatewayTest::config_for(const std::vector<std::string>& upstream_urls) {
  GatewayConfig config;
  for (const std::string& url : upstream_urls) {
    UpstreamConfig upstream;
    upstream.name = "upstream-" + std::to_string(config.upstreams.size());
    upstream.url = url;
    config.upstreams.push_back(std::move(upstream));
  }
  config.retries.attempts_max = 1;
  config.access.required = false;
  return config;
}

void GatewayTest::start(const std::string& upstream_url, const std::string& upstream_key) {
  GatewayConfig config = config_for({upstream_url});
  if (!upstream_key.empty()) {
    const std::filesystem::path file = directory_ / "upstream.key";
    ASSERT_TRUE(write_file_atomically(file, upstream_key + "\n", FileMode::owner_only));
    config.upstreams.front().api_key_file = file;
  }
  start(std::move(config));
}

void GatewayTest::start(GatewayConfig config) {
  recorder_ = s1::Recorder::open(*home_, recorder_options_).value();
  router_ = Router::open(*home_, [this](const lm::OpenModelOptions&) {
              return Result<std::unique_ptr<lm::SmallModel>>(std::make_unique<FakeModel>(predict_));
            }).value();
  server_ = net::HttpServer::create({.threads = 2}, [this](net::Exchange& exchange) {
              return gateway_->handle(exchange);
            }).value();
  sessions_ = std::make_unique<s1::SessionTracker>(recorder_->pseudonyms());
  access_ = Access::open(*home_, {.required = config.keys_required()}).value();
  retry_budget_ = std::make_unique<RetryBudget>(config.retries.budget_ratio);
  body_memory_ = std::make_unique<BodyMemory>(body_memory_options_);
  pool_ = std::make_unique<Pool>(4);
  auto upstreams = UpstreamSet::create(config, nullptr).value();
  gateway_ = std::make_unique<Gateway>(GatewayParts{.recorder = recorder_.get(),
                                                    .sessions = *sessions_,
                                                    .router = *router_,
                                                    .access = *access_,
                                                    .metrics = metrics_,
                                                    .spans = nullptr,
                                                    .pool = *pool_,
                                                    .retry_budget = *retry_budget_,
                                                    .body_memory = *body_memory_},
                                       std::make_shared<const ActiveConfig>(ActiveConfig{
                                           .config = config, .upstreams = std::move(upstreams)}));
  thread_ = std::jthread([this] { server_->run(); });
}

void GatewayTest::stop() {
  if (!thread_.joinable()) return;
  server_->stop();
  thread_.join();
  pool_.reset();
  EXPECT_TRUE(recorder_->flush());
}

void GatewayTest::publish_task(Predict predict, const std::function<void(TaskPolicy&)>& change) {
  predict_ = std::move(predict);
  TaskPolicy task;
  task.task = {"t-0123456789"};
  task.mode = RouteMode::active;
  task.key.response_form = "text";
  task.prompt_template = PromptTemplate::create({"<|user|>\nIs it so? ", "\n"}).value();
  task.answer_form = AnswerForm::label;
  task.answer_set = {"no", "yes"};
  task.kind = CandidateKind::classifier;
  task.artifact = {"a-1"};
  task.threshold = 0.8;
  task.audit_share = 0;
  if (change) change(task);
  RoutingPolicy policy;
  policy.reason = "promote t-0123456789";
  policy.tasks = {task};
  ASSERT_TRUE(store::publish_policy(*home_, policy));
}

void GatewayTest::wait_for_model() {
  const auto request = wire::parse_chat_request(
      *json::parse(R"({"messages":[{"role":"user","content":"Is it so? x"}]})"));
  const auto match = router_->match(*request, {.call = {}, .session = {}, .parent = {}});
  ASSERT_TRUE(match);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (router_->answer(*match, {}).decision.reason == "slm_error") {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "the model did not come up";
    std::this_thread::yield();
  }
}

Message GatewayTest::ask(std::string_view request) const {
  Peer peer = connect();
  peer.send(request);
  std::string rest;
  return read_message(peer, rest);
}

std::vector<Call> GatewayTest::recorded() {
  stop();
  return on_the_disk();
}

std::vector<Call> GatewayTest::on_the_disk() const {
  std::vector<Call> calls;
  const auto key = crypto::load_secret_key(home_->keys(), crypto::Role::curator);
  EXPECT_TRUE(store::read_call_log(*home_, *key, [&calls](Call call) {
    calls.push_back(std::move(call));
    return Status{};
  }));
  return calls;
}

}  // namespace understudy::live
