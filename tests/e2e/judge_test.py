"""`evaluate --judge`: a judge model is asked, in both orders, about answers that differ; its word is a figure beside the
agreement and never changes the verdict."""

import json
import random

import support


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
        plain = self.program.json("evaluate", task, "--alpha", "0.5")
        self.assertIsNone(plain["judged"])
        judge = support.SimulatedChat("equal")
        self.addCleanup(judge.close)
        for word, field in (("equal", "equal"), ("first", "inconsistent")):
            judge.says, judge.asked = word, []
            evaluation = json.loads(self.program.text("evaluate", task, "--alpha", "0.5", "--judge", judge.url, "--judge-model", "j", "--json",
                                                      environment={"UNDERSTUDY_JUDGE_KEY": "secret"}))
            judged = evaluation["judged"]
            # Where no threshold is proven, all test calls are looked at.
            kept = evaluation["test"]["kept"]
            differing = kept - evaluation["test"]["agreed"] if kept else judged["calls"]
            self.assertGreater(differing, 0, evaluation)
            self.assertEqual((judged["judge"], judged["calls"], judged[field]), ("j", differing, differing))
            self.assertEqual(len(judge.asked), 2 * differing)
            self.assertEqual({(path, key, body["model"]) for path, key, body in judge.asked}, {("/v1/chat/completions", "Bearer secret", "j")})
            self.assertEqual(evaluation["verdict"], plain["verdict"])
        self.assert_fails(6, "evaluate", task, "--judge", "http://127.0.0.1:1/v1", says=["127.0.0.1:1"])


if __name__ == "__main__":
    support.main()
