"""Every fault of an upstream that is known to break gateways, for chat completions, responses and Anthropic messages.

Each scenario is a model whose targets are upstreams `a` and `b` (the fallback) with a behaviour of the SIMULATED LLM
each; S01..S16 are the scenarios of failoverbench. What counts: the client gets a whole answer, or an error in its
API's own form; never a clean end after half an answer; and what was recorded says what happened.
Expects of the gateway: [[upstream]] deadlines, [[model]] targets/larger, [retries], [breaker] failures = 0 (none).
"""

import json
import time
import unittest

import configuration
import gateway_case
import raw_http
import support

DEADLINE_MS = 400
# {model: behaviours of its targets}; the tag that makes each its own is added by configure().
SCENARIOS = {
    "s01-retry-after": ["status=429,retry_after=1,times=1"],
    "s01-retry-after-too-long": ["status=429,retry_after=60"],
    "s02-429-for-good": ["status=429", ""],
    "s03-500-once": ["status=500,times=1"],
    "s04-503": ["status=503", ""],
    "s05-reset": ["reset=0", ""],
    "s05-reset-once": ["reset=0,times=1"],
    "s06-no-answer": ["silent=0", ""],
    "s06-no-answer-alone": ["silent=0"],
    "s07-late-head": ["slow=20", ""],
    "s07-late-token": ["first_token=20", ""],
    "s08-cut": ["tokens=60,cut=40,pause_ms=1", "tokens=60"],
    "s09-stall": ["tokens=60,stall=30", "tokens=60"],
    "s10-malformed": ["tokens=20,malformed=7", "tokens=20"],
    "s10-malformed-first": ["tokens=20,malformed=0", "tokens=20"],
    "s11-no-end-mark": ["tokens=20,no_done=1", ""],
    "ends-early": ["tokens=60,end=30", "tokens=60"],
    "ends-at-once": ["end=0", ""],
    "s13-filtered": ["content_filter=400", ""],
    "s13-filtered-at-the-end": ["content_filter=finish", ""],
    "s14-cut-no-prefill": ["tokens=60,cut=40,pause_ms=1", "refuse_prefill=1"],
    "s16-failed-over": ["status=500", "tokens=12"],
    "refused": ["dead/", ""],
    "refused-alone": ["dead/"],
    "garbage": ["garbage=1", ""],
    "head-then-reset": ["reset=1", ""],
    "error-event": ["tokens=20,error_event=8,pause_ms=5", ""],
    "error-event-first": ["error_event=0", ""],
    "vllm-error": ["tokens=20,vllm_error=8,pause_ms=5", ""],
    "large-cut": ["size=6000000,cut=1"],
    "client-error": ["status=422", ""],
    "not-found": ["status=404", ""],
    "all-503": ["status=503,retry_after=60", "status=503,retry_after=60"],
}


class Faults:
    """The matrix; the classes below say for which API."""

    path = ""
    protocol = "openai"

    @classmethod
    def configure(cls, url):
        deadlines = {"first_byte_timeout_ms": DEADLINE_MS, "idle_timeout_ms": DEADLINE_MS,
                     "connect_timeout_ms": DEADLINE_MS}
        upstreams = [configuration.upstream(name, url, cls.protocol, **deadlines) for name in ("a", "b")]
        upstreams.append(configuration.upstream("dead", "http://127.0.0.1:9/v1", cls.protocol, **deadlines))
        models = []
        for name, behaviours in SCENARIOS.items():
            targets = ["dead" if behaviour == "dead/" else f"{upstream}/{cls.target(name, number)}"
                       for number, (upstream, behaviour) in enumerate(zip("ab", behaviours))]
            models.append(configuration.model(name, *targets))
        models += [configuration.model("s12-context", "a/sim/context_length=1000,tag=s12-small", larger="s12-larger"),
                   configuration.model("s12-larger", "b/sim/tag=s12-large"),
                   configuration.model("s12-nothing-larger", "a/sim/context_length=1000,tag=s12-alone")]
        return configuration.render(upstreams, models, breaker={"failures": 0}, retries={"retry_after_s_max": 5})

    @staticmethod
    def target(scenario, number):
        return f"sim/{SCENARIOS[scenario][number]},tag={scenario}-{number}"

    def hits(self, scenario, number):
        return self.seen(self.target(scenario, number))

    def run_scenario(self, name, stream):
        started = time.monotonic()
        answer = self.ask(name, self.path, stream)
        answer.seconds = time.monotonic() - started
        return answer

    # --- what an API calls whole, broken and an error ---

    def text(self, answer):
        """The text that the client has got, from a body or a stream."""
        if "event-stream" not in answer.header("content-type", ""):
            body = answer.json()
            if "choices" in body:
                return body["choices"][0]["message"]["content"]
            return (body.get("output") or body["content"])[0].get("text") or body["output"][0]["content"][0]["text"]
        parts = []
        for event in answer.parsed_events():
            if event.get("choices"):
                parts.append(event["choices"][0]["delta"].get("content") or "")
            elif event.get("type") == "response.output_text.delta":
                parts.append(event["delta"])
            elif event.get("type") == "content_block_delta":
                parts.append(event["delta"].get("text", ""))
        return "".join(parts)

    def assert_whole(self, answer, words=None):
        self.assertEqual((answer.status, answer.error), (200, ""), answer.body[:300])
        self.assertTrue(answer.clean)
        if words is not None:
            self.assertEqual(self.text(answer).split(), [f"w{number}" for number in range(words)])
        if "event-stream" in answer.header("content-type", ""):
            self.assertFalse(self.error_events(answer))

    def error_events(self, answer):
        return [event for event in answer.parsed_events() if event.get("error") or event.get("type") == "error" or
                event.get("type") == "response.failed"]

    def end_marks(self, answer):
        ends = [data for _, data in answer.events() if data == "[DONE]"]
        return ends + [event["type"] for event in answer.parsed_events()
                       if event.get("type") in ("message_stop", "response.completed", "response.incomplete")]

    def assert_broken(self, answer, words):
        """A stream that broke after `words` tokens: they came, nothing broken was forwarded, and it does not look ended."""
        self.assertEqual(answer.status, 200)
        self.assertEqual(self.end_marks(answer), [])
        self.assertEqual(self.text(answer).split(), [f"w{number}" for number in range(words)])
        self.assert_error_event(answer)

    def assert_error_event(self, answer):
        event = answer.parsed_events()[-1]
        if self.path.endswith("chat/completions"):
            self.assertTrue(event["error"]["message"] and event["error"]["type"], event)
            self.assertIn("code", event["error"])
        elif self.path.endswith("responses"):
            numbers = [e["sequence_number"] for e in answer.parsed_events()]
            self.assertEqual(event["type"], "response.failed")
            self.assertEqual(answer.events()[-1][0], "response.failed")
            self.assertEqual(numbers, list(range(len(numbers))))
            self.assertEqual(event["response"]["status"], "failed")
            self.assertTrue(event["response"]["error"]["message"] and event["response"]["error"]["code"])
        else:
            self.assertEqual((answer.events()[-1][0], event["type"]), ("error", "error"))
            self.assertTrue(event["error"]["type"] and event["error"]["message"])

    def assert_refused(self, answer, status):
        self.assertEqual(answer.status, status, answer.body[:300])
        self.assertTrue(answer.clean)
        error = answer.json()["error"]
        self.assertTrue(error["message"] and error["type"])
        if self.protocol == "anthropic":
            self.assertEqual(answer.json()["type"], "error")
        else:
            self.assertIn("code", error)

    def assert_served_by_fallback(self, name, stream, seconds_max=5, words=None):
        answer = self.run_scenario(name, stream)
        self.assert_whole(answer, words)
        self.assertGreaterEqual(len(self.hits(name, 1)), 1)
        self.assertLess(answer.seconds, seconds_max)
        self.expect_recorded(answer.call_id, status="ok", upstream="b", http_status=200, retries=lambda n: n >= 1)
        return answer

    def both_ways(self):
        for stream in (False, True):
            with self.subTest(stream=stream):
                self.upstream.llm.counts.clear()
                yield stream

    # --- S01..S07: before the first byte, the client notices nothing ---

    def test_s01_a_retry_after_is_waited_for(self):
        for stream in self.both_ways():
            before = len(self.hits("s01-retry-after", 0))
            self.assert_whole(self.run_scenario("s01-retry-after", stream))
            first, second = self.hits("s01-retry-after", 0)[before:]
            self.assertGreaterEqual(second.arrived - first.arrived, 1.0)
            self.assertLess(second.arrived - first.arrived, 2.5)

    def test_s01_a_retry_after_beyond_the_limit_goes_to_the_client_at_once(self):
        for stream in self.both_ways():
            answer = self.run_scenario("s01-retry-after-too-long", stream)
            self.assert_refused(answer, 429)
            self.assertEqual(answer.header("retry-after"), "60")
            self.assertLess(answer.seconds, 2)
            self.expect_recorded(answer.call_id, status="upstream_error", http_status=429)

    def test_s02_to_s05_refusals_and_resets_fail_over(self):
        for name in ("s02-429-for-good", "s04-503", "s05-reset", "garbage", "refused", "s16-failed-over"):
            with self.subTest(fault=name):
                for stream in self.both_ways():
                    self.assert_served_by_fallback(name, stream)

    def test_s03_one_failure_is_retried_where_there_is_no_fallback(self):
        for name in ("s03-500-once", "s05-reset-once"):
            with self.subTest(fault=name):
                for stream in self.both_ways():
                    answer = self.run_scenario(name, stream)
                    self.assert_whole(answer)
                    # A kept connection that is reset before the answer is replaced unseen: no retry of ours.
                    expected = 1 if name == "s03-500-once" else lambda n: n <= 1
                    self.expect_recorded(answer.call_id, status="ok", retries=expected, upstream="a")

    def test_s06_s07_late_answers_fail_over_at_the_deadline(self):
        for name in ("s06-no-answer", "s07-late-head", "s07-late-token"):
            with self.subTest(fault=name):
                for stream in self.both_ways():
                    if name == "s07-late-token" and not stream:
                        continue
                    answer = self.assert_served_by_fallback(name, stream, seconds_max=3)
                    self.assertGreaterEqual(answer.seconds, DEADLINE_MS / 1000 * 0.9)

    def test_s06_no_answer_and_no_fallback_is_a_504(self):
        for stream in self.both_ways():
            answer = self.run_scenario("s06-no-answer-alone", stream)
            self.assert_refused(answer, 504)
            self.assertLess(answer.seconds, 5)
            self.expect_recorded(answer.call_id, status="failed", http_status=504)

    def test_nobody_listens_and_no_fallback_is_a_502(self):
        for stream in self.both_ways():
            answer = self.run_scenario("refused-alone", stream)
            self.assert_refused(answer, 502)
            self.expect_recorded(answer.call_id, status="failed", http_status=502)

    def test_the_last_refusal_is_relayed_when_every_upstream_refuses(self):
        for stream in self.both_ways():
            answer = self.run_scenario("all-503", stream)
            self.assert_refused(answer, 503)
            self.assertIn("SIMULATED fault 503", answer.body.decode())
            self.assertTrue(self.hits("all-503", 1))

    def test_a_head_without_a_body_fails_over(self):
        self.assert_served_by_fallback("head-then-reset", True)

    def test_an_error_as_the_first_event_fails_over(self):
        self.assert_served_by_fallback("error-event-first", True)

    def test_a_stream_that_ends_before_it_began_fails_over(self):
        self.assert_served_by_fallback("ends-at-once", True)

    # --- S08..S11, S14: after the first byte ---

    def test_s08_s14_a_cut_stream_ends_in_an_error_and_is_never_whole(self):
        for name in ("s08-cut", "s14-cut-no-prefill"):
            with self.subTest(fault=name):
                before = len(self.hits(name, 1))
                answer = self.run_scenario(name, True)
                self.assert_broken(answer, 40)
                self.assertEqual(len(self.hits(name, 1)), before, "what was sent cannot be taken back")
                self.expect_recorded(answer.call_id, status="truncated", upstream="a",
                                     response=lambda held: "w39" in str(held) and "w40" not in str(held),
                                     **{"usage.completion_tokens": lambda n: n > 0, "usage.estimated":
                                        lambda estimated: estimated or self.protocol == "anthropic"})

    def test_s08_a_cut_body_fails_over(self):
        self.assert_served_by_fallback("s08-cut", False, words=60)

    def test_a_large_body_that_breaks_off_never_looks_whole(self):
        answer = self.run_scenario("large-cut", False)
        self.assertFalse(answer.status == 200 and answer.clean, (answer.status, len(answer.body)))

    def test_s09_a_stalled_stream_ends_in_an_error_at_the_idle_deadline(self):
        answer = self.run_scenario("s09-stall", True)
        self.assert_broken(answer, 30)
        self.assertLess(answer.seconds, 3)
        gone = self.upstream.wait_for(lambda: [s for s in self.hits("s09-stall", 0) if s.gone])
        self.assertTrue(gone, "the stalled upstream was left connected")
        self.expect_recorded(answer.call_id, status="truncated", upstream="a")

    def test_s09_a_stalled_body_fails_over(self):
        self.assert_served_by_fallback("s09-stall", False, seconds_max=3, words=60)

    def test_s10_a_malformed_chunk_is_not_forwarded(self):
        answer = self.run_scenario("s10-malformed", True)
        self.assertNotIn(b"oops", answer.body)
        self.assert_broken(answer, 7)
        self.expect_recorded(answer.call_id, status=lambda status: status != "ok")

    def test_s10_a_malformed_first_chunk_or_body_fails_over(self):
        self.assert_served_by_fallback("s10-malformed", False, words=20)
        self.assert_served_by_fallback("s10-malformed-first", True, words=20)

    def test_s11_a_stream_without_its_end_mark_is_judged_by_its_finish_reason(self):
        answer = self.run_scenario("s11-no-end-mark", True)
        self.assertEqual(self.text(answer).split(), [f"w{number}" for number in range(20)])
        if self.path.endswith("responses"):  # its end mark is the event that says how it ended
            self.assert_error_event(answer)
        else:
            self.assert_whole(answer, 20)
            self.expect_recorded(answer.call_id, status="ok", finish_reason="stop")

    def test_a_clean_end_in_the_middle_of_an_answer_is_an_error(self):
        answer = self.run_scenario("ends-early", True)
        self.assert_broken(answer, 30)
        self.expect_recorded(answer.call_id, status="truncated")

    def test_an_error_event_of_the_upstream_is_relayed(self):
        answer = self.run_scenario("error-event", True)
        self.assertIn(len(self.text(answer).split()), (6, 7, 8))  # of eight events, some begin the answer
        self.assertEqual(self.end_marks(answer), [])
        self.assertIn("SIMULATED error in a stream", json.dumps(self.error_events(answer)))
        self.expect_recorded(answer.call_id, status="upstream_error")

    def test_an_error_that_no_sdk_recognises_is_made_one_that_they_do(self):
        answer = self.run_scenario("vllm-error", True)
        self.assertEqual(self.end_marks(answer), [])
        self.assertIn(len(self.text(answer).split()), (6, 7, 8))
        self.assert_error_event(answer)
        self.assertIn("SIMULATED vLLM error", json.dumps(self.error_events(answer)))

    # --- S12, S13, client errors: what another upstream may and may not answer ---

    def test_s12_a_prompt_that_is_too_long_goes_to_the_larger_model(self):
        for stream in self.both_ways():
            answer = self.run_scenario("s12-context", stream)
            self.assert_whole(answer)
            self.assertTrue(self.seen("sim/tag=s12-large"))
            self.expect_recorded(answer.call_id, status="ok", upstream="b", requested_model="s12-context")

    def test_s12_without_a_larger_model_the_refusal_is_the_clients(self):
        for stream in self.both_ways():
            answer = self.run_scenario("s12-nothing-larger", stream)
            self.assert_refused(answer, 400)
            self.assertRegex(answer.body.decode(), "context_length_exceeded|prompt is too long")

    def test_s13_a_content_filter_is_never_routed_around(self):
        for stream in self.both_ways():
            answer = self.run_scenario("s13-filtered", stream)
            self.assert_refused(answer, 400)
            self.assertIn("content management policy", answer.body.decode())
            answer = self.run_scenario("s13-filtered-at-the-end", stream)
            self.assertEqual((answer.status, answer.clean), (200, True))
            self.assertRegex(answer.body.decode(), "content_filter|refusal")
            self.expect_recorded(answer.call_id, upstream="a", finish_reason="content_filter")
        self.assertEqual(self.hits("s13-filtered", 1) + self.hits("s13-filtered-at-the-end", 1), [])
        self.assertEqual(len(self.hits("s13-filtered", 0)), 2, "one try for each call")

    def test_a_clients_own_error_is_not_tried_elsewhere(self):
        for name, status in (("client-error", 422), ("not-found", 404)):
            with self.subTest(status=status):
                for stream in self.both_ways():
                    self.assert_refused(self.run_scenario(name, stream), status)
                self.assertEqual(self.hits(name, 1), [])
                self.assertEqual(len(self.hits(name, 0)), 2)

    # --- S16 and the records ---

    def test_s16_a_failed_over_call_is_counted_once(self):
        answer = self.assert_served_by_fallback("s16-failed-over", False, words=12)
        usage = answer.json()["usage"]
        tokens = usage.get("completion_tokens") or usage["output_tokens"]
        self.expect_recorded(answer.call_id, status="ok", upstream="b", requested_model="s16-failed-over",
                             **{"usage.completion_tokens": tokens, "usage.estimated": False})

    def test_zz_what_was_recorded(self):
        self.check_recorded()


class ChatCompletions(Faults, gateway_case.GatewayCase):
    path = "/v1/chat/completions"


class Responses(Faults, gateway_case.GatewayCase):
    path = "/v1/responses"


class Messages(Faults, gateway_case.GatewayCase):
    path = "/v1/messages"
    protocol = "anthropic"


class Breaker(gateway_case.GatewayCase):
    """S15: an upstream that keeps failing is left alone, probed once when the time is up, and taken back."""

    @classmethod
    def configure(cls, url):
        return configuration.render(
            [configuration.upstream(name, url) for name in ("flapping", "steady", "other")],
            [configuration.model("flap", "flapping/sim/status=500,tag=flap,times=4", "steady/sim/tag=steady"),
             configuration.model("alone", "other/sim/status=503,tag=alone")],
            breaker={"failures": 3, "window_s": 30, "open_s": 1}, retries={"attempts_max": 2})

    def test_s15_the_breaker_opens_probes_and_closes(self):
        flapping = "sim/status=500,tag=flap,times=4"
        for _ in range(12):
            answer = self.ask("flap")
            self.assertEqual(answer.status, 200, "the fallback answers all along")
        self.assertEqual(len(self.seen(flapping)), 3, "after three failures it is left alone")
        time.sleep(1.1)
        self.assertEqual([self.ask("flap").status for _ in range(4)], [200] * 4)
        self.assertEqual(len(self.seen(flapping)), 4, "one probe, which failed: open again")
        time.sleep(1.1)
        answers = [self.ask("flap") for _ in range(6)]
        self.assertEqual([answer.status for answer in answers], [200] * 6)
        self.assertGreaterEqual(len(self.seen(flapping)), 4 + 6, "the probe was answered: it is back")
        self.expect_recorded(answers[-1].call_id, upstream="flapping", retries=0)

    def test_an_open_breaker_without_a_fallback_refuses_at_once_and_says_so(self):
        answers = [self.ask("alone") for _ in range(6)]
        self.assertTrue(all(answer.status == 503 for answer in answers), [a.status for a in answers])
        hits = len(self.seen("sim/status=503,tag=alone"))
        self.assertLessEqual(hits, 4, "it is not asked any more")
        last = answers[-1]
        self.assertTrue(last.json()["error"]["message"])
        self.assertLess(last.end_seconds, 0.5)

    def test_zz_what_was_recorded(self):
        self.check_recorded()


if __name__ == "__main__":
    support.main()
