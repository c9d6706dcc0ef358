"""`evaluate --judge`: a judge model is asked, in both orders, about answers that differ; its word is a figure beside the
agreement and never changes the verdict. `evaluate --cheaper`: another API's model as a baseline that must be beaten."""

import http.server
import json
import random
import threading

import support


class Judge(http.server.BaseHTTPRequestHandler):
    """SIMULATED: says "first" whatever stands there, or "equal"."""

    word = "equal"
    asked = []

    def do_POST(self):
        self.say(json.loads(self.rfile.read(int(self.headers["Content-Length"]))), self.word)

    def say(self, body, word):
        self.asked.append((self.path, self.headers.get("Authorization"), body["model"], body["messages"][0]["content"]))
        answer = json.dumps({"choices": [{"message": {"role": "assistant", "content": word}}]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


class JudgeTest(support.ProgramTest):
    def test_the_judge_is_asked_about_differing_answers_in_both_orders(self):
        self.with_keys()
        records = support.records("intent", 1, 1200)
        rng = random.Random(5)
        labels = [record["response"]["choices"][0]["message"]["content"] for record in records]
        for record in records:  # a teacher that is sometimes wrong: then the answers differ
            if rng.random() < 0.1:
                record["response"]["choices"][0]["message"]["content"] = rng.choice(labels)
        self.program.json("import", self.write_lines("calls.jsonl", records))
        self.program.json("curate")
        self.program.json("cluster")
        task = max(self.program.json("tasks"), key=lambda entry: entry["statistics"]["calls"])["id"]
        self.program.json("tune", task, "--candidate", "classifier")
        plain = self.program.json("evaluate", task, "--alpha", "0.25")
        self.assertIsNone(plain["judged"])
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Judge)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(lambda: (server.shutdown(), server.server_close()))
        url = f"http://127.0.0.1:{server.server_port}/v1"
        for word, field in (("equal", "equal"), ("first", "inconsistent")):
            Judge.word, Judge.asked = word, []
            evaluation = json.loads(self.program.text("evaluate", task, "--alpha", "0.25", "--judge", url, "--judge-model", "j", "--json",
                                                      environment={"UNDERSTUDY_JUDGE_KEY": "secret"}))
            judged = evaluation["judged"]
            # Where no threshold is proven, all test calls are looked at.
            kept = evaluation["test"]["kept"]
            differing = kept - evaluation["test"]["agreed"] if kept else judged["calls"]
            self.assertGreater(differing, 0, evaluation)
            self.assertEqual((judged["judge"], judged["calls"], judged[field]), ("j", differing, differing))
            self.assertEqual(len(Judge.asked), 2 * differing)
            self.assertEqual({entry[:3] for entry in Judge.asked}, {("/v1/chat/completions", "Bearer secret", "j")})
            self.assertEqual(evaluation["verdict"], plain["verdict"])
        self.assert_fails(6, "evaluate", task, "--judge", "http://127.0.0.1:1/v1", says=["127.0.0.1:1"])

    def test_a_cheaper_model_that_saves_more_is_recommended_instead_and_rated_calls_are_compared(self):
        """The cheaper endpoint is SIMULATED: it answers with the recorded label."""
        self.with_keys()
        records = support.records("intent", 1, 1200)
        for record in records:
            record["request"]["model"] = record["response"]["model"] = "dear"
            record["response"]["usage"] = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
            record["reward"] = 1
        labels = {record["request"]["messages"][-1]["content"]: record["response"]["choices"][0]["message"]["content"]
                  for record in records}
        self.program.json("import", self.write_lines("calls.jsonl", records))
        self.program.json("curate")
        self.program.json("cluster")
        task = max(self.program.json("tasks"), key=lambda entry: entry["statistics"]["calls"])["id"]
        self.program.json("tune", task, "--candidate", "classifier")
        (self.home / "prices.toml").write_text("".join(
            f'[[price]]\nmodel = "{model}"\ninput_usd_per_million = {usd}\noutput_usd_per_million = {usd}\n'
            'as_of = "2026-11-28"\nsource = "made up"\n' for model, usd in (("dear", 10), ("small", 0.0001))))
        plain = self.program.json("evaluate", task)
        self.assertEqual(plain["verdict"], "convert", plain["reason"])
        self.assertIsNone(plain["cheaper"])
        self.assertAlmostEqual(plain["usd_per_call"]["llm"], 110 * 10 / 1e6)
        self.assertGreater(plain["outcomes"]["calls"], 50)
        self.assertEqual(plain["outcomes"]["llm_right"], plain["outcomes"]["calls"])

        class Cheaper(Judge):
            def do_POST(self):
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.say(asked, labels.get(asked["messages"][-1]["content"], "?"))

        Judge.asked = []
        server = http.server.HTTPServer(("127.0.0.1", 0), Cheaper)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(lambda: (server.shutdown(), server.server_close()))
        url = f"http://127.0.0.1:{server.server_port}/v1"
        beaten = self.program.json("evaluate", task, "--cheaper", url, "--cheaper-model", "small")
        self.assertEqual({entry[2] for entry in Judge.asked}, {"small"})
        self.assertTrue(beaten["cheaper"]["proven"], beaten)
        if beaten["calibration"]["coverage"] < 1:
            self.assertEqual((beaten["verdict"], beaten["beaten_by"]), ("keep_llm", "cheaper_model"), beaten)
        self.assertIn("small", self.program.text("evaluate", task, "--cheaper", url, "--cheaper-model", "small"))
        self.assert_fails(6, "evaluate", task, "--cheaper", "http://127.0.0.1:1/v1", says=["127.0.0.1:1"])


if __name__ == "__main__":
    support.main()
