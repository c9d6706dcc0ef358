"""Either client library against an upstream of the other protocol: text, streams and tools mean the same.

Expects of the gateway: /v1/chat/completions to an [[upstream]] of protocol "anthropic" and /v1/messages to one of
protocol "openai" are translated both ways; records hold the client's own API; ids of tool calls survive a round trip.
"""

import json
import unittest

import configuration
import gateway_case
import support

OPENAI = ("chat_plain chat_stream chat_stream_usage chat_length chat_tools chat_tools_stream chat_tool_forced "
          "chat_runner error_400 error_401 error_429 error_500 stream_cut error_in_stream abort_in_stream").split()
ANTHROPIC = ("plain stream length blocks tools tools_stream tool_forced accumulate error_400 error_401 error_429 "
             "error_500 stream_cut error_in_stream abort_in_stream").split()
WEATHER, ORDER = {"city": "Zürich", "days": 7}, {"number": 7, "open": True}


class OpenAiClientOnAnthropicUpstream(gateway_case.GatewayCase):
    @classmethod
    def configure(cls, url):
        return configuration.render([configuration.upstream("claude", url, "anthropic")], retries={"attempts_max": 1})

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.saw = gateway_case.run_node_client(cls.directory, "openai_client.mjs", cls.url + "/v1", scenarios=OPENAI,
                                               environment={"OPENAI_API_KEY": "sk-client-key"})

    def test_everything_went_to_the_messages_api_in_its_own_form(self):
        self.assertEqual({seen.path for seen in self.upstream.seen}, {"/v1/messages"})
        seen = self.seen("sim/")[0]
        self.assertGreater(seen.request["max_tokens"], 0)
        self.assertIn("You are terse.", json.dumps(seen.request["system"]))
        self.assertTrue(all(message["role"] in ("user", "assistant") for message in seen.request["messages"]))
        self.assertEqual(seen.header("x-api-key"), "sk-client-key")
        self.assertTrue(seen.header("anthropic-version"))
        self.assertIsNone(seen.header("authorization"))

    def test_plain(self):
        choice = self.saw["chat_plain"]["data"]["choices"][0]
        self.assertIn("Grüße 🦊 hello", choice["message"]["content"])
        self.assertEqual((choice["finish_reason"], choice["message"]["role"]), ("stop", "assistant"))
        usage = self.saw["chat_plain"]["data"]["usage"]
        self.assertEqual(usage["total_tokens"], usage["prompt_tokens"] + usage["completion_tokens"])
        self.assertEqual(self.saw["chat_plain"]["data"]["object"], "chat.completion")
        self.assertEqual(self.saw["chat_length"]["data"]["choices"][0]["finish_reason"], "length")

    def test_stream(self):
        stream = self.saw["chat_stream"]
        self.assertIsNone(stream["error"])
        self.assertEqual((stream["content"], stream["finish"], stream["roles"]),
                         ("SIMULATED answer – to user: stream this please – ok? 🦊 🦊", "stop", ["assistant"]))
        self.assertEqual((stream["usage"], stream["empty_choices"]), (None, 0), "usage only where it is asked for")
        self.assertGreater(self.saw["chat_stream_usage"]["usage"]["completion_tokens"], 1)
        self.assertEqual(self.saw["chat_stream_usage"]["empty_choices"], 1)

    def test_tools(self):
        first, second = (self.saw["chat_tools"][turn]["data"]["choices"][0] for turn in ("first", "second"))
        self.assertEqual(first["finish_reason"], "tool_calls")
        self.assertEqual(json.loads(first["message"]["tool_calls"][0]["function"]["arguments"]), WEATHER)
        self.assertIn("answer – to tool: {\"sun\": true}", second["message"]["content"])
        stream = self.saw["chat_tools_stream"]
        self.assertIsNone(stream["error"])
        self.assertEqual([(call["name"], json.loads(call["arguments"])) for call in stream["tool_calls"]],
                         [("get_weather", WEATHER), ("find_order", ORDER)])
        self.assertEqual(stream["finish"], "tool_calls")
        self.assertEqual(len({call["id"] for call in stream["tool_calls"]}), 2)
        forced = self.saw["chat_tool_forced"]["data"]["choices"][0]["message"]["tool_calls"]
        self.assertEqual([call["function"]["name"] for call in forced], ["find_order"])
        self.assertEqual(self.saw["chat_runner"]["completion"]["choices"][0]["finish_reason"], "tool_calls")

    def test_errors_have_the_clients_form(self):
        for status, thrown in ((400, "BadRequestError"), (401, "AuthenticationError"), (429, "RateLimitError"),
                               (500, "InternalServerError")):
            for way in ("plain", "stream"):
                with self.subTest(status=status, way=way):
                    error = self.saw[f"error_{status}"][way]
                    self.assertEqual((error["status"], error["thrown"]), (status, thrown))
                    self.assertIn("SIMULATED fault", error["message"])
                    self.assertTrue(error["type"])
        self.assertEqual(self.saw["error_429"]["plain"]["retry_after"], "7")

    def test_broken_streams_raise(self):
        self.assertTrue(self.saw["error_in_stream"]["error"])
        self.assertTrue(self.saw["stream_cut"]["error"])
        self.assertTrue(self.saw["stream_cut"]["content"].endswith("w39"), self.saw["stream_cut"]["content"])
        self.assertIsNone(self.saw["stream_cut"]["finish"])

    def test_an_abort_ends_the_call_upstream(self):
        self.assertTrue(self.upstream.wait_for(lambda: [s for s in self.upstream.seen if s.gone]))

    def test_zz_what_was_recorded(self):
        for name in ("chat_plain", "chat_stream", "chat_tools_stream"):
            self.expect_recorded(self.saw[name]["call"], api="chat.completions", status="ok", upstream="claude", **{
                "request.messages": lambda messages: messages[0]["role"] == "system",
                "response.choices": lambda choices: choices[0]["finish_reason"] in ("stop", "tool_calls"),
                "usage.completion_tokens": lambda tokens: tokens > 0})
        turns = self.saw["chat_tools"]
        self.expect_recorded(turns["second"]["call"], parent=turns["first"]["call"])
        self.check_recorded()


class AnthropicClientOnOpenAiUpstream(gateway_case.GatewayCase):
    @classmethod
    def configure(cls, url):
        return configuration.render([configuration.upstream("gpt", url, "openai")], retries={"attempts_max": 1})

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.saw = gateway_case.run_node_client(cls.directory, "anthropic_client.mjs", cls.url, scenarios=ANTHROPIC,
                                               environment={"ANTHROPIC_API_KEY": "sk-ant-client-key"})

    def test_everything_went_to_chat_completions_in_its_own_form(self):
        self.assertEqual({seen.path for seen in self.upstream.seen}, {"/v1/chat/completions"})
        seen = next(seen for seen in self.seen("sim/") if "Grüße" in json.dumps(seen.request, ensure_ascii=False))
        self.assertEqual(seen.request["messages"][0], {"role": "system", "content": "You are terse."})
        self.assertEqual(seen.header("authorization"), "Bearer sk-ant-client-key")
        self.assertIsNone(seen.header("x-api-key"))

    def test_plain(self):
        message = self.saw["plain"]["data"]
        self.assertIn("Grüße 🦊 hello", message["content"][0]["text"])
        self.assertEqual((message["type"], message["role"], message["stop_reason"]), ("message", "assistant", "end_turn"))
        self.assertGreater(message["usage"]["output_tokens"], 0)
        self.assertEqual(self.saw["length"]["data"]["stop_reason"], "max_tokens")
        self.assertIn("look at this", self.saw["blocks"]["data"]["content"][0]["text"])

    def test_stream(self):
        stream = self.saw["stream"]
        self.assertIsNone(stream["error"])
        self.assertEqual((stream["text"], stream["stop"]),
                         ("SIMULATED answer – to user: stream this please – ok? 🦊 🦊", "end_turn"))
        types = [kind for number, kind in enumerate(stream["types"]) if not number or stream["types"][number - 1] != kind]
        self.assertEqual(types, ["message_start", "content_block_start", "content_block_delta", "content_block_stop",
                                 "message_delta", "message_stop"])
        self.assertGreater(stream["usage"]["output_tokens"], 0)

    def test_tools(self):
        first, second = (self.saw["tools"][turn]["data"] for turn in ("first", "second"))
        self.assertEqual(first["stop_reason"], "tool_use")
        self.assertEqual([block["input"] for block in first["content"] if block["type"] == "tool_use"], [WEATHER])
        self.assertIn("answer – to tool: {\"sun\": true}", second["content"][0]["text"])
        stream = self.saw["tools_stream"]
        self.assertIsNone(stream["error"])
        self.assertEqual([(tool["name"], json.loads(tool["json"])) for tool in stream["tools"]],
                         [("get_weather", WEATHER), ("find_order", ORDER)])
        self.assertEqual(stream["stop"], "tool_use")
        self.assertEqual([block["name"] for block in self.saw["tool_forced"]["data"]["content"]], ["find_order"])
        self.assertEqual(self.saw["accumulate"]["message"]["content"][0]["input"], WEATHER)

    def test_errors_have_the_clients_form(self):
        for status, kind in ((400, "invalid_request_error"), (401, "authentication_error"), (429, "rate_limit_error"),
                             (500, "api_error")):
            for way in ("plain", "stream"):
                with self.subTest(status=status, way=way):
                    error = self.saw[f"error_{status}"][way]
                    self.assertEqual((error["status"], error["body"]["type"]), (status, "error"))
                    self.assertEqual(error["body"]["error"]["type"], kind)
        self.assertEqual(self.saw["error_429"]["plain"]["retry_after"], "7")

    def test_broken_streams_raise(self):
        self.assertTrue(self.saw["error_in_stream"]["error"])
        cut = self.saw["stream_cut"]
        self.assertTrue(cut["error"])
        self.assertTrue(cut["text"].endswith("w39"), cut["text"])
        self.assertNotIn("message_stop", cut["types"])

    def test_an_abort_ends_the_call_upstream(self):
        self.assertTrue(self.upstream.wait_for(lambda: [s for s in self.upstream.seen if s.gone]))

    def test_zz_what_was_recorded(self):
        for name in ("plain", "stream", "tools_stream"):
            self.expect_recorded(self.saw[name]["call"], api="messages", status="ok", upstream="gpt", **{
                "request.max_tokens": 500, "response.type": "message",
                "usage.completion_tokens": lambda tokens: tokens > 0})
        self.check_recorded()


if __name__ == "__main__":
    support.main()
