"""What a record says beyond the bytes: sessions, tool results, who asked, usage; feedback that comes later; metrics.

Expects of the program: `log cat --json`; POST /v1/understudy/feedback {"call_id" | "session_id", "reward"} -> 202;
x-understudy-session, x-understudy-human: 1 and [[human_facing]] rules; GET /metrics with understudy_* names and a
histogram of the gateway's own overhead; a tau-bench dialogue set in at most 15 % of its JSONL size.
"""

import gzip
import json
import re
import unittest

import configuration
import gateway_case
import raw_http
import support

LOG_SHARE_MAX = 0.15
CHAT = "/v1/chat/completions"


class Records(gateway_case.GatewayCase):
    @classmethod
    def configure(cls, url):
        text = configuration.render([configuration.upstream("openai", url),
                                     configuration.upstream("anthropic", url, "anthropic")],
                                    breaker={"failures": 0}, retries={"attempts_max": 1})
        return text + "\n" + configuration.table("[[human_facing]]", {"user_agent_prefix": "Mozilla/"})

    def converse(self, turns, path=CHAT, system="You help.", headers=None):
        """The answers of one conversation that is sent anew, and longer, with each turn."""
        history, answers = [], []
        for text in turns:
            history.append({"role": "user", "content": text})
            request = {"model": "sim/tag=talk", "messages": list(history)}
            if path == CHAT:
                request["messages"].insert(0, {"role": "system", "content": system})
            else:
                request |= {"system": system, "max_tokens": 500}
            answer = raw_http.ask(self.url, path, request, headers)
            self.assertEqual(answer.status, 200)
            body = answer.json()
            history.append(body["choices"][0]["message"] if path == CHAT else
                           {"role": "assistant", "content": body["content"]})
            answers.append(answer)
        return answers

    def test_a_conversation_is_one_session_in_steps(self):
        for path in (CHAT, "/v1/messages"):
            for step, answer in enumerate(self.converse(["first", "second", "third"], path, f"You help on {path}.")):
                self.expect_recorded(answer.call_id, step=step, session=lambda session: bool(session),
                                     parent=(lambda parent: not parent) if step == 0 else (lambda parent: bool(parent)))

    def test_a_session_header_wins(self):
        first, second = (self.ask("sim/", text=f"alone {n}", headers={"x-understudy-session": "run-7"}) for n in range(2))
        self.__class__.named = (first.call_id, second.call_id)
        self.expect_recorded(first.call_id, session=lambda session: bool(session))

    def test_calls_of_people_are_told_apart(self):
        for headers, human in (({}, False), ({"x-understudy-human": "1"}, True), ({"User-Agent": "Mozilla/5.0"}, True),
                               ({"User-Agent": "OpenAI/Python"}, False)):
            answer = self.ask("sim/", text=f"human {human} {headers}", headers=headers)
            self.expect_recorded(answer.call_id, human_facing=human)

    def test_usage_that_the_wire_lacks_is_estimated_and_marked(self):
        for stream in (False, True):
            answer = self.ask(f"sim/tokens=40,no_usage=1,tag={stream}", stream=stream)
            self.expect_recorded(answer.call_id, **{"usage.estimated": True, "usage.completion_tokens":
                                                    lambda tokens: 20 <= tokens <= 120,
                                                    "usage.prompt_tokens": lambda tokens: tokens > 0})
        answer = self.ask("sim/tokens=40,tag=counted")
        self.expect_recorded(answer.call_id, **{"usage.estimated": False, "usage.completion_tokens":
                                                answer.json()["usage"]["completion_tokens"]})

    def test_a_stream_without_usage_asked_for_shows_the_client_none(self):
        answer = self.ask("sim/tokens=5,tag=unasked", stream=True)
        self.assertFalse([event for event in answer.parsed_events() if event.get("usage") or not event["choices"]])
        self.expect_recorded(answer.call_id, **{"usage.completion_tokens": lambda tokens: tokens > 0})

    def test_the_record_holds_request_and_response_of_the_clients_api(self):
        answer = self.ask("sim/tokens=7,tag=held", text="ünique text")
        self.expect_recorded(answer.call_id, requested_model="sim/tokens=7,tag=held", http_status=200, source="gateway",
                             **{"request.messages": [{"role": "user", "content": "ünique text"}],
                                "response.choices": lambda choices: choices[0]["message"]["content"].endswith("w6")})
        times = ("started_at", "first_byte_at", "ended_at")
        self.expect_recorded(self.ask("sim/tag=timed").call_id, **{key: lambda micros: micros > 1.7e15 for key in times})

    def test_feedback_is_taken_and_checked(self):
        answer = self.ask("sim/tag=feedback")
        good = ({"call_id": answer.call_id, "reward": 0.5}, {"session_id": "run-7", "reward": 1, "comment": "did it"})
        for body in good:
            self.assertEqual(raw_http.ask(self.url, "/v1/understudy/feedback", body).status, 202, body)
        for body in ({}, {"call_id": answer.call_id, "reward": "much"}, [], {"reward": 1}):
            self.assertEqual(raw_http.ask(self.url, "/v1/understudy/feedback", body).status, 400, body)
        large = {"call_id": answer.call_id, "reward": 1, "comment": "x" * 100_000}
        self.assertEqual(raw_http.ask(self.url, "/v1/understudy/feedback", large).status, 413)
        self.assertFalse([seen for seen in self.upstream.seen if "feedback" in seen.path], "it is no business of the LLM")
        self.expect_recorded(answer.call_id, reward=0.5)

    def test_zz_what_was_recorded(self):
        records = self.check_recorded()
        talks = {}
        for record in records.values():
            if "You help on" in json.dumps(record["request"]):
                talks.setdefault(record["api"], []).append(record)
        for api, calls in talks.items():
            with self.subTest(api=api):
                calls.sort(key=lambda call: call["step"])
                self.assertEqual(len({call["session"] for call in calls}), 1)
                self.assertEqual([call["parent"] for call in calls[1:]], [call["id"] for call in calls[:-1]])
        first, second = (records[call_id]["session"] for call_id in self.named)
        self.assertEqual(first, second)


class DurableRecords(gateway_case.GatewayCase):
    """A call that is on the disk before its last byte goes out was settled before that, too."""
    serve_words = ("--capture", "durable")

    def test_usage_is_estimated_before_the_record_is_made(self):
        for stream in (False, True):
            answer = self.ask(f"sim/tokens=40,no_usage=1,tag={stream}", stream=stream)
            self.expect_recorded(answer.call_id, **{"usage.estimated": True,
                                                    "usage.prompt_tokens": lambda tokens: tokens > 0})

    def test_zz_what_was_recorded(self):
        self.check_recorded()


class Dialogues(support.ProgramTest):
    @support.needs_shared_data
    def test_a_dialogue_set_takes_a_seventh_of_its_size(self):
        self.with_keys()
        path = support.SHARED_DATA / "calls/tau_airline_gpt4o.jsonl.gz"
        with gzip.open(path, "rb") as lines:
            size = sum(len(line) for line in lines)
        self.program.json("import", path)
        stored = sum(file.stat().st_size for file in (self.home / "log").rglob("*") if file.is_file())
        self.assertLessEqual(stored / size, LOG_SHARE_MAX, f"{stored} of {size} bytes")


if __name__ == "__main__":
    support.main()
