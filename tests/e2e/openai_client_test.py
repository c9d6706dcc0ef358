"""The real `openai` library through the gateway: it sees what it would see without one, and each call is recorded.

The same scenarios run once against the upstream itself: that result is what the gateway's must equal.
Expects of the gateway: all OpenAI APIs relayed; the header x-understudy-call on captured answers; errors relayed with
status, body, x-request-id and Retry-After (retries.attempts_max = 1); a cut stream raises in the client; an abort
reaches the upstream; `log cat --json` shows api, status, usage, the reassembled response, parent/step/tool_results.
"""

import json
import unittest

import gateway_case
import support

TRANSPARENT = ("chat_plain chat_stream chat_stream_usage chat_length chat_n chat_n_stream chat_logprobs "
               "chat_logprobs_stream chat_structured chat_tools chat_tools_stream chat_tool_forced chat_runner "
               "completions completions_stream embeddings models file_upload responses_plain responses_stream "
               "responses_tools responses_tools_stream responses_structured error_400 error_401 error_404 error_429 "
               "error_500 error_in_stream").split()


class OpenAiClient(gateway_case.GatewayCase):
    config_needed = False

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        run = gateway_case.run_node_client
        cls.direct = run(cls.directory, "openai_client.mjs", cls.upstream.url + "/v1", scenarios=TRANSPARENT)
        cls.upstream.seen.clear()
        cls.through = run(cls.directory, "openai_client.mjs", cls.url + "/v1",
                          environment={"OPENAI_API_KEY": "sk-client-secret-key"})

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
        self.assertIn("Grüße 🦊", direct["chat_plain"]["data"]["choices"][0]["message"]["content"])
        self.assertEqual(len(direct["chat_n"]["data"]["choices"]), 3)
        self.assertGreater(direct["chat_logprobs_stream"]["logprobs"], 3)
        self.assertEqual(direct["chat_structured"]["parsed"]["city"], "Ulm")
        self.assertEqual([call["name"] for call in direct["chat_tools_stream"]["tool_calls"]],
                         ["get_weather", "find_order"])
        self.assertIn("SIMULATED answer – to tool", direct["chat_tools"]["second"]["data"]["choices"][0]["message"]["content"])
        self.assertEqual(direct["chat_stream_usage"]["empty_choices"], 1)
        self.assertEqual(direct["chat_length"]["data"]["choices"][0]["finish_reason"], "length")
        self.assertEqual(direct["file_upload"]["file"]["bytes"], 70000)
        self.assertEqual(direct["embeddings"]["data"]["data"][1]["embedding"], [0.15625, 0.5, -0.25, 1])
        numbers = direct["responses_stream"]["numbers"]
        self.assertEqual(numbers, list(range(len(numbers))))
        self.assertEqual(direct["responses_stream"]["types"][-1], "response.completed")
        for status in (400, 401, 404, 429, 500):
            for way in ("plain", "stream"):
                self.assertEqual(direct[f"error_{status}"][way]["status"], status)
        self.assertEqual(direct["error_429"]["plain"]["retry_after"], "7")
        self.assertEqual(direct["error_in_stream"]["error"]["code"], "server_error")

    def test_a_stream_without_usage_asked_for_shows_none(self):
        stream = self.through["chat_stream"]
        self.assertEqual((stream["usage"], stream["empty_choices"]), (None, 0))

    def test_a_cut_stream_raises_in_the_client(self):
        for name in ("stream_cut", "responses_cut"):
            with self.subTest(scenario=name):
                cut = self.through[name]
                self.assertTrue(cut["error"] or cut.get("last") == "response.failed", cut)
        self.assertIn("w39", self.through["stream_cut"]["content"])
        self.assertNotIn("w40", self.through["stream_cut"]["content"])

    def test_an_abort_ends_the_call_upstream(self):
        for tag in ("sim/slow=20,tag=abort-first", "sim/tokens=200,pause_ms=20,tag=abort-stream"):
            with self.subTest(model=tag):
                gone = self.upstream.wait_for(lambda tag=tag: [s for s in self.seen(tag) if s.gone])
                self.assertEqual(len(gone), 1, "the upstream still answers a client that has gone")

    def test_the_clients_credentials_reach_the_upstream_and_the_gateways_headers_do_not(self):
        seen = self.seen("sim/")[0]
        self.assertEqual(seen.header("authorization"), "Bearer sk-client-secret-key")
        self.assertEqual([name for name, _ in seen.headers if name.lower().startswith("x-understudy")], [])

    def test_every_answer_names_its_call(self):
        for name in ("chat_plain", "chat_stream", "chat_structured", "completions", "embeddings", "responses_plain",
                     "responses_stream"):
            with self.subTest(scenario=name):
                self.assertTrue(self.through[name]["call"])

    def test_zz_what_was_recorded(self):
        through = self.through
        expectations = {
            "chat_plain": {"api": "chat.completions", "status": "ok", "finish_reason": "stop", "upstream": "default",
                           "usage.completion_tokens": lambda tokens: tokens > 0,
                           "request.temperature": 0.5, "usage.estimated": False},
            "chat_stream": {"status": "ok", "finish_reason": "stop", "request.stream": True,
                            "response.choices": lambda choices: choices[0]["message"]["content"] ==
                            through["chat_stream"]["content"]},
            "chat_stream_usage": {"usage.estimated": False, "usage.completion_tokens":
                                  through["chat_stream_usage"]["usage"]["completion_tokens"]},
            "chat_length": {"finish_reason": "length"},
            "chat_structured": {"status": "ok"},
            "chat_tools_stream": {"finish_reason": "tool_calls", "response.choices": lambda choices: [
                call["function"]["name"] for call in choices[0]["message"]["tool_calls"]] ==
                ["get_weather", "find_order"]},
            "stream_cut": {"status": lambda status: status != "ok"},
            "completions": {"api": "completions", "status": "ok"},
            "embeddings": {"api": "embeddings", "status": "ok"},
            "responses_plain": {"api": "responses", "status": "ok", "usage.prompt_tokens": lambda tokens: tokens > 0},
            "responses_stream": {"api": "responses", "status": "ok", "response.output": lambda output:
                                 output[0]["content"][0]["text"] == through["responses_stream"]["text"]},
        }
        for name, wanted in expectations.items():
            self.expect_recorded(through[name]["call"], **wanted)
        turns = through["chat_tools"]
        self.expect_recorded(turns["second"]["call"], parent=turns["first"]["call"], step=1,
                             tool_results=lambda results: [result["tool"] for result in results] == ["get_weather"])
        records = self.check_recorded()
        self.assertNotIn("sk-client-secret-key", json.dumps(list(records.values())))
        sessions = {records[turns[turn]["call"]]["session"] for turn in ("first", "second")}
        self.assertEqual(len(sessions), 1, "two turns of one conversation are one session")


if __name__ == "__main__":
    support.main()
