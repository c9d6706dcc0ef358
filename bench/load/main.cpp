// understudy-load: both ends of the gateway's benches. See mock_upstream.hpp and stream_client.hpp.
#include <CLI/CLI.hpp>

#include "mock_upstream.hpp"
#include "stream_client.hpp"

int main(int argc, char** argv) {
  CLI::App app("both ends of the gateway's benches");
  app.require_subcommand(1);

  load::UpstreamOptions upstream;
  CLI::App* serve = app.add_subcommand("upstream", "a mock LLM API on 127.0.0.1");
  serve->add_option("--port", upstream.port, "0 takes a free one")->capture_default_str();
  serve->add_option("--port-file", upstream.port_file, "write the port here once it is open");
  serve->add_option("--answer-bytes", upstream.answer_bytes, "size of a JSON answer")
      ->capture_default_str();
  serve->add_option("--deltas", upstream.deltas, "pieces of text in a stream")
      ->capture_default_str();
  serve->add_option("--interval-ms", upstream.interval_ms, "between two pieces")
      ->capture_default_str()
      ->check(CLI::Range(1, 10000));

  load::StreamOptions streams;
  CLI::App* read = app.add_subcommand("streams", "read SSE streams and count what came");
  read->add_option("--port", streams.port, "of the server on 127.0.0.1")->required();
  read->add_option("--path", streams.path)->capture_default_str();
  read->add_option("--connections", streams.connections)->capture_default_str();
  read->add_option("--streams", streams.streams, "per connection")->capture_default_str();
  read->add_option("--deltas", streams.deltas, "that each stream must bring")
      ->capture_default_str();
  read->add_option("--start-ms", streams.start_ms, "spread the starts over this time")
      ->capture_default_str();
  read->add_option("--timeout-s", streams.timeout_s)->capture_default_str();
  std::vector<std::string> headers;
  read->add_option("--header", headers, "further request headers, as NAME: VALUE");

  CLI11_PARSE(app, argc, argv);
  for (const std::string& header : headers) streams.headers += header + "\r\n";
  return serve->parsed() ? load::run_upstream(upstream) : load::run_streams(streams);
}
