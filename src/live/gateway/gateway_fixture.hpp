// A whole gateway in the test's process: home with keys, recorder, router, pools, server on a free
// port. The small model is what the test says it is.
#pragma once

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "adapters/crypto/keys.hpp"
#include "adapters/store/call_log.hpp"
#include "adapters/store/policy_store.hpp"
#include "live/gateway/gateway.hpp"
#include "live/gateway/loopback_peers.hpp"

namespace understudy::live {

using testing_peers::Message;
using testing_peers::Peer;
using testing_peers::read_message;
using testing_peers::ScriptedUpstream;

class GatewayTest : public testing::Test {
 protected:
  using Predict = std::function<Result<lm::Prediction>(const std::vector<std::string>&)>;

  GatewayTest();
  ~GatewayTest() override;

  // One upstream, one attempt. With a key: the upstream's own.
  void start(const std::string& upstream_url, const std::string& upstream_key = {});
  void start(GatewayConfig config);
  static GatewayConfig config_for(const std::vector<std::string>& upstream_urls);
  void stop();  // drains; afterwards the log holds everything

  // Publishes a label task for "Is it so? ..." prompts before start().
  void publish_task(Predict predict, const std::function<void(TaskPolicy&)>& change = {});
  void wait_for_model();

  [[nodiscard]] Peer connect() const { return Peer::connect_to(server_->port()); }
  // One exchange on a connection of its own.
  [[nodiscard]] Message ask(std::string_view request) const;
  std::vector<Call> recorded();  // stops first
  std::vector<Call> on_the_disk() const;
  [[nodiscard]] BodyMemory::Counters body_memory() const { return body_memory_->counters(); }

  s1::RecorderOptions recorder_options_;
  BodyMemory::Options body_memory_options_;

  std::filesystem::path directory_;
  std::optional<store::Home> home_;
  std::unique_ptr<s1::Recorder> recorder_;
  std::unique_ptr<Router> router_;

 private:
  Predict predict_;
  std::unique_ptr<net::HttpServer> server_;  // before what lives on its I/O loops
  std::unique_ptr<s1::SessionTracker> sessions_;
  std::unique_ptr<Access> access_;
  telemetry::Metrics metrics_{"test"};
  std::unique_ptr<RetryBudget> retry_budget_;
  std::unique_ptr<BodyMemory> body_memory_;
  std::unique_ptr<Pool> pool_;
  std::unique_ptr<Gateway> gateway_;
  std::jthread thread_;
};

}  // namespace understudy::live
