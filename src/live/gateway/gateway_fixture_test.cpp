#include "live/gateway/gateway_fixture.hpp"

#include "adapters/wire/chat.hpp"

namespace understudy::live {

namespace {

class FakeModel final : public lm::SmallModel {
 public:
  explicit FakeModel(std::function<Result<lm::Prediction>(const std::vector<std::string>&)> predict)
      : predict_(std::move(predict)) {}
  Result<lm::Prediction> predict(const std::vector<std::string>& slots) const override {
    return predict_(slots);
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
  std::filesystem::remove_all(directory_);
}

void GatewayTest::start(const std::string& upstream_url, std::string upstream_key) {
  upstream_ = net::Upstream::create(upstream_url).value();
  recorder_ = s1::Recorder::open(*home_).value();
  router_ = Router::open(*home_, [this](const lm::OpenModelOptions&) {
              return Result<std::unique_ptr<lm::SmallModel>>(std::make_unique<FakeModel>(predict_));
            }).value();
  server_ = net::HttpServer::create({.threads = 2}, [this](net::Exchange& exchange) {
              return gateway_->handle(exchange);
            }).value();
  pool_ = std::make_unique<Pool>(4);
  recording_ = std::make_unique<Pool>(2);
  gateway_ = std::make_unique<Gateway>(GatewayParts{.upstream = *upstream_,
                                                    .upstream_key = SecretText(upstream_key),
                                                    .recorder = *recorder_,
                                                    .router = *router_,
                                                    .pool = *pool_,
                                                    .recording = *recording_});
  thread_ = std::jthread([this] { server_->run(); });
}

void GatewayTest::stop() {
  if (!thread_.joinable()) return;
  server_->stop();
  thread_.join();
  pool_.reset();
  recording_.reset();
  EXPECT_TRUE(recorder_->flush());
}

void GatewayTest::publish_task(Predict predict) {
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
  RoutingPolicy policy;
  policy.reason = "promote t-0123456789";
  policy.tasks = {task};
  ASSERT_TRUE(store::publish_policy(*home_, policy));
}

void GatewayTest::wait_for_model() {
  const auto request = wire::parse_chat_request(
      *json::parse(R"({"messages":[{"role":"user","content":"Is it so? x"}]})"));
  const auto match = router_->match(*request);
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
  std::vector<Call> calls;
  const auto key = crypto::load_secret_key(home_->keys(), crypto::Role::curator);
  EXPECT_TRUE(store::read_call_log(*home_, *key, [&calls](Call call) {
    calls.push_back(std::move(call));
    return Status{};
  }));
  return calls;
}

}  // namespace understudy::live
