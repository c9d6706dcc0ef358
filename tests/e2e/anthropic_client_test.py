"""The real `@anthropic-ai/sdk` through the gateway to an upstream of its own protocol: nothing differs, all is recorded.

Expects of the gateway: an [[upstream]] with protocol = "anthropic"; /v1/messages and /v1/messages/count_tokens relayed
byte for byte (thinking blocks and signatures with them), x-api-key and anthropic-version passed on, errors in
Anthropic's form, records of api "messages".
"""

import unittest

import configuration
import gateway_case
import support

TRANSPARENT = ("plain stream length blocks tools tools_stream tool_forced accumulate thinking thinking_stream "
               "count_tokens models error_400 error_401 error_404 error_429 error_500 error_529 error_in_stream").split()


class AnthropicClient(gateway_case.GatewayCase):
    config_needed = False

    @classmethod
    def configure(cls, url):
        return configuration.render([configuration.upstream("default", url, "anthropic")], retries={"attempts_max": 1})

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        run = gateway_case.run_node_client
        cls.direct = run(cls.directory, "anthropic_client.mjs", cls.upstream.url, scenarios=TRANSPARENT)
        cls.upstream.seen.clear()
        cls.through = run(cls.directory, "anthropic_client.mjs", cls.url,
                          environment={"ANTHROPIC_API_KEY": "sk-ant-client-secret-key"})

    def test_the_client_sees_what_it_sees_without_a_gateway(self):
        for name in TRANSPARENT:
            with self.subTest(scenario=name):
                self.assertEqual(gateway_case.without_ids(self.through[name]),
                                 gateway_case.without_ids(self.direct[name]))

    def test_the_direct_run_is_what_it_should_be(self):
        """Guards the comparison above: an upstream that fails alike on both ways would prove nothing."""
        direct = self.direct
        for name in TRANSPARENT:
            if not name.startswith("error_"):
                self.assertIsNone(direct[name].get("error"), (name, direct[name]))
        self.assertIn("Grüße 🦊", direct["plain"]["data"]["content"][0]["text"])
        self.assertEqual(direct["length"]["data"]["stop_reason"], "max_tokens")
        self.assertEqual([tool["name"] for tool in direct["tools_stream"]["tools"]], ["get_weather", "find_order"])
        self.assertIn("answer – to tool", direct["tools"]["second"]["data"]["content"][0]["text"])
        self.assertTrue(direct["thinking_stream"]["thinking"] and direct["thinking_stream"]["signature"])
        self.assertEqual(direct["accumulate"]["message"]["content"][0]["input"], {"city": "Zürich", "days": 7})
        self.assertGreater(direct["count_tokens"]["input_tokens"], 0)
        for status in (400, 401, 404, 429, 500, 529):
            self.assertEqual(direct[f"error_{status}"]["stream"]["status"], status)

    def test_thinking_blocks_are_replayed_verbatim(self):
        second = [seen for seen in self.seen("sim/") if len(seen.request.get("messages", [])) == 3 and
                  seen.request.get("thinking")]
        block = second[0].request["messages"][1]["content"][0]
        self.assertEqual(block, self.through["thinking"]["first"]["data"]["content"][0])
        self.assertTrue(block["signature"])

    def test_a_cut_stream_raises_in_the_client(self):
        cut = self.through["stream_cut"]
        self.assertTrue(cut["error"], cut)
        self.assertNotIn("message_stop", cut["types"])
        self.assertTrue("w39" in cut["text"] and "w40" not in cut["text"], cut["text"])

    def test_an_abort_ends_the_call_upstream(self):
        for tag in ("sim/slow=20,tag=abort-first", "sim/tokens=200,pause_ms=20,tag=abort-stream"):
            with self.subTest(model=tag):
                gone = self.upstream.wait_for(lambda tag=tag: [s for s in self.seen(tag) if s.gone])
                self.assertEqual(len(gone), 1, "the upstream still answers a client that has gone")

    def test_credentials_and_version_reach_the_upstream(self):
        seen = self.seen("sim/")[0]
        sent = seen.header("x-api-key") or seen.header("authorization").removeprefix("Bearer ")
        self.assertEqual(sent, "sk-ant-client-secret-key")
        self.assertRegex(seen.header("anthropic-version"), r"^20\d\d-\d\d-\d\d$")

    def test_every_answer_names_its_call(self):
        for name in ("plain", "stream", "blocks", "tools_stream", "thinking_stream"):
            with self.subTest(scenario=name):
                self.assertTrue(self.through[name]["call"])

    def test_zz_what_was_recorded(self):
        through = self.through
        same = {"api": "messages", "status": "ok", "upstream": "default"}
        for name, wanted in {
                "plain": {**same, "finish_reason": "stop", "usage.estimated": False,
                          "usage.prompt_tokens": lambda tokens: tokens > 0, "response.stop_reason": "end_turn"},
                "stream": {**same, "response.content": lambda content: content[0]["text"] == through["stream"]["text"],
                           # usage in message_delta is cumulative: the last one counts, never the sum
                           "usage.completion_tokens": through["stream"]["usage"]["output_tokens"]},
                "length": {**same, "status": "truncated", "finish_reason": "length"},
                "tools_stream": {**same, "finish_reason": "tool_calls", "response.content": lambda content: [
                    block["input"] for block in content] == [{"city": "Zürich", "days": 7}, {"number": 7, "open": True}]},
                "thinking_stream": {**same, "response.content": lambda content:
                                    content[0]["signature"] == through["thinking_stream"]["signature"]},
                "stream_cut": {"status": lambda status: status != "ok"}}.items():
            self.expect_recorded(through[name]["call"], **wanted)
        turns = through["tools"]
        self.expect_recorded(turns["second"]["call"], parent=turns["first"]["call"], step=1,
                             tool_results=lambda results: [result["tool"] for result in results] == ["get_weather"])
        self.check_recorded()


if __name__ == "__main__":
    support.main()
