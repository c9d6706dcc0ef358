"""The simulated LLM and its agents: a wrong oracle would make every later figure worthless."""

import gzip
import json
import random
import re
import tempfile
import unittest

import gateway_case
import inside_upstream
import raw_http
import support
from support import agents, harness
import vocabulary


class Oracle(unittest.TestCase):
    def test_every_request_has_the_answer_that_its_generator_meant(self):
        for name in agents.AGENTS:
            for call in agents.generate(name, 11, 300):
                if not agents.AGENTS[name].open_ended:
                    self.assertTrue(agents.same_answer(agents.oracle(call.request), call.answer))

    def test_each_phrase_of_the_support_desk_means_its_own_intent(self):
        router = agents.AGENTS["intent"]
        for seed in range(10):
            values = agents.Values(random.Random(seed))
            for intent, phrases in vocabulary.INTENTS.items():
                for phrase in phrases:
                    text = f"Customer message:\n{values.fill(phrase)}\n\nReply with the label only."
                    answer = router.solve({"messages": [{"role": "user", "content": text}]})
                    self.assertEqual(answer["content"], intent, phrase)

    def test_what_customers_say_besides_means_no_intent(self):
        router = agents.AGENTS["intent"]
        for seed in range(10):
            values = agents.Values(random.Random(seed))
            for phrase in vocabulary.CONTEXTS + vocabulary.GREETINGS + vocabulary.CLOSINGS:
                text = agents.plain(values.fill(phrase))
                self.assertFalse([intent for intent, _, pattern in router.patterns if pattern.search(text)], text)

    def test_the_same_seed_makes_the_same_calls_and_another_seed_others(self):
        keys = {seed: [agents.request_key(c.request) for c in agents.generate("tools", seed, 50)] for seed in (1, 2)}
        self.assertEqual(keys[1], [agents.request_key(c.request) for c in agents.generate("tools", 1, 50)])
        self.assertFalse(set(keys[1]) & set(keys[2]))

    def test_every_value_of_an_answer_is_copied_from_the_request(self):
        for call in agents.generate("tools", 5, 300):
            text = call.request["messages"][-1]["content"]
            for value in json.loads(call.answer["tool_calls"][0]["function"]["arguments"]).values():
                self.assertTrue(value and value in text, (value, text))

    def test_open_ended_answers_to_one_request_differ(self):
        request = agents.generate("writing", 1, 1)[0].request
        self.assertGreater(len({agents.oracle(request)["content"] for _ in range(20)}), 15)

    def test_nobody_answers_a_request_of_no_agent(self):
        self.assertIsNone(agents.oracle({"messages": [{"role": "user", "content": "hello"}]}))


class Upstream(unittest.TestCase):
    def setUp(self):
        directory = self.enterContext(tempfile.TemporaryDirectory(prefix="understudy-test-"))
        self.children = self.enterContext(harness.Children(directory))

    def test_json_and_streams_say_the_same(self):
        upstream = self.children.upstream("oracle")
        calls = [call for name in ("intent", "extract", "tools") for call in agents.generate(name, 2, 20)]
        for share in (0, 1):
            for call, reply in zip(calls, harness.send(upstream.url, calls, stream_share=share)):
                self.assertTrue(reply.whole, reply.error)
                self.assertTrue(agents.same_answer(reply.message, call.answer))
                self.assertGreater(reply.usage["completion_tokens"], 0)

    def test_replay_gives_the_recorded_answer_and_404_for_others(self):
        calls = support.records("tools", 3, 5)
        path = self.children.directory / "calls.jsonl.gz"
        with gzip.open(path, "wt") as file:
            file.writelines(json.dumps(call) + "\n" for call in calls)
        upstream = self.children.upstream("replay", path)
        known = harness.send(upstream.url, [harness.PlainCall(call["request"]) for call in calls], stream_share=0.5)
        for call, reply in zip(calls, known):
            self.assertTrue(agents.same_answer(reply.message, call["response"]["choices"][0]["message"]))
        other = harness.send(upstream.url, agents.generate("intent", 3, 1))[0]
        self.assertEqual((other.status, "not_recorded" in other.error), (404, True))

    def test_faults_do_what_they_say(self):
        call = agents.generate("extract", 4, 1)
        for fault, share, check in (
                ("status=429", 0, lambda r: r.status == 429 and r.headers["retry-after"] == "1"),
                ("cut", 1, lambda r: r.status == 200 and not r.whole and r.error),
                ("cut", 0, lambda r: not r.whole and r.error), ("malformed", 1, lambda r: not r.whole),
                ("no_done", 1, lambda r: r.message and not r.whole and not r.error),
                ("reset", 0, lambda r: r.status == 0 and r.error),
                ("slow=0.3", 0, lambda r: r.whole and r.seconds > 0.3),
                ("stall=0.3", 1, lambda r: r.whole and r.seconds > 0.3)):
            upstream = self.children.upstream("oracle", "--fault", fault)
            reply = harness.send(upstream.url, call, stream_share=share)[0]
            self.assertTrue(check(reply), (fault, share, reply))
            upstream.stop()

    def test_a_models_name_says_what_it_does(self):
        upstream = inside_upstream.InsideUpstream()
        self.addCleanup(upstream.stop)
        self.check_behaviours(upstream)

    def check_behaviours(self, upstream):
        for path in ("/v1/chat/completions", "/v1/responses", "/v1/messages"):
            def ask(model, stream=True, path=path):
                return raw_http.ask(upstream.url, path, gateway_case.request_for(path, model, stream))

            def words(answer):
                return [int(word) for word in re.findall(rb'"[^"]*?w(\d+)"', answer.body)]
            with self.subTest(path=path):
                whole = ask("sim/tokens=6")
                self.assertTrue(whole.clean)
                self.assertEqual(sorted(set(words(whole)))[:6], list(range(6)))
                cut = ask("sim/tokens=60,cut=40,pause_ms=1")
                self.assertEqual((cut.clean, max(words(cut))), (False, 39))
                self.assertEqual(max(words(ask("sim/tokens=60,end=30"))), 29)
                self.assertEqual(ask("sim/end=0").body, b"")
                self.assertIn(b"oops", ask("sim/malformed=2").body)
                self.assertEqual([ask("sim/status=503,times=2").status for _ in range(4)], [503, 503, 200, 200])
                self.assertEqual([ask("sim/status=500,flap=1").status for _ in range(4)], [500, 200, 500, 200])
                self.assertEqual(ask("sim/status=429,retry_after=7").header("retry-after"), "7")
                self.assertEqual(ask("sim/reset=0").status, 0)
                self.assertFalse(ask("sim/cut=1", stream=False).clean)
                self.assertGreaterEqual(ask("sim/slow=0.2").head_seconds, 0.2)
                late = ask("sim/first_token=0.2")
                self.assertTrue(late.head_seconds < 0.2 <= late.end_seconds)
                upstream.llm.counts.clear()


if __name__ == "__main__":
    support.main()
