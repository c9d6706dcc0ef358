"""What a small model has to beat, and what its proof leaves out: an exact-match cache, a cheaper API model, task success
where calls have a reward, and one proof for several small tasks."""

import random

import support


def label(record):
    return record["response"]["choices"][0]["message"]["content"]


class BaselinesTest(support.ProgramTest):
    def task_of(self, records):
        self.program.json("import", self.write_lines("calls.jsonl", records))
        self.program.json("curate")
        self.program.json("cluster")
        task = max(self.program.json("tasks"), key=lambda entry: entry["statistics"]["calls"])["id"]
        self.program.json("tune", task, "--candidate", "classifier")
        return task

    def test_a_cheaper_model_and_task_success_stand_beside_the_agreement(self):
        self.with_keys()
        records = support.records("intent", 1, 900)
        rng = random.Random(5)
        for record in records:
            record["meta"] = {"reward": rng.choice([0.5, 1])}
        task = self.task_of(records)
        (self.home / "prices.toml").write_text('[cheaper]\nmodel = "gpt-4o-mini"\n')
        baselines = self.program.json("select", task)["baselines"]
        self.assertEqual([entry["name"] for entry in baselines], ["exact-match cache", "gpt-4o-mini"])
        model = support.SimulatedChat(label(records[0]))
        self.addCleanup(model.close)
        evaluation = self.program.json("evaluate", task, "--cheaper", model.url,
                                       environment={"UNDERSTUDY_CHEAPER_KEY": "secret"})
        cheaper, outcomes = evaluation["cheaper"], evaluation["outcomes"]
        self.assertEqual(cheaper["calls"], min(200, evaluation["test"]["calls"]))
        self.assertEqual({(path, key, body["model"], len(body["messages"])) for path, key, body in model.asked},
                         {("/v1/chat/completions", "Bearer secret", "gpt-4o-mini", len(records[0]["request"]["messages"]))})
        self.assertEqual(len(model.asked), cheaper["calls"])
        self.assertGreater(cheaper["agreed"], 0)
        self.assertLess(cheaper["rate"], evaluation["test"]["rate"])
        self.assertEqual(outcomes["calls"], evaluation["test"]["calls"])
        self.assertEqual(outcomes["only_llm_right"], evaluation["test"]["kept"] - evaluation["test"]["agreed"])
        self.assertLessEqual(outcomes["difference_lower"], outcomes["difference"])
        self.assertIn("gpt-4o-mini: agrees with the LLM on",
                      self.program.text("evaluate", task, "--cheaper", model.url))
        (self.home / "prices.toml").unlink()
        self.assert_fails(3, "evaluate", task, "--cheaper", "http://127.0.0.1:1/v1", says=["--cheaper-model"])

    def test_a_model_that_answers_no_more_than_a_cache_is_not_recommended(self):
        self.with_keys()
        once = support.records("intent", 1, 500)
        often = [dict(record, id=f"{record['id']}-{again}", session=f"{record['session']}-{again}")
                 for record in once for again in range(60)]
        task = self.task_of(often)
        self.assertGreater(self.program.json("select", task)["baselines"][0]["share_of_calls"], 0.98)
        # At alpha 0.05 some draws of 90 calibration calls prove nothing, and nothing is taken back then.
        evaluation = self.program.json("evaluate", task, "--alpha", "0.1")
        cache = evaluation["cache"]
        self.assertEqual(cache["agreed"], cache["hits"])
        self.assertGreater(cache["share"], 0.98)
        if cache["share_of_model"] <= cache["share"]:
            self.assertEqual(evaluation["verdict"], "keep_llm")
            self.assertIn("exact-match cache", evaluation["reason"])

    def test_candidates_compete_and_the_winner_is_the_newest(self):
        self.with_keys()
        self.program.json("import", self.write_lines("calls.jsonl", support.records("intent", 1, 900)))
        self.program.json("curate")
        self.program.json("cluster")
        task = max(self.program.json("tasks"), key=lambda entry: entry["statistics"]["calls"])["id"]
        made = self.program.json("select", task, "--bake-off", "--max-minutes", "0.1")
        self.assertEqual([len(entry["contenders"]) for entry in made["rounds"]], [2, 1])
        self.assertEqual([entry["minutes"] for entry in made["rounds"]], [0.05, 0.1])
        shares = [entry["certified_share"] for entry in made["rounds"][0]["contenders"]]
        winner = made["rounds"][1]["contenders"][0]
        self.assertEqual(winner["candidate"], made["rounds"][0]["contenders"][shares.index(max(shares))]["candidate"])
        self.assertEqual(made["winner"]["delta"], 0.05)  # two candidates share 0.1
        self.assertEqual(made["winner"]["artifact"], winner["artifact"])
        self.assertEqual(self.program.json("evaluate", task)["artifact"], winner["artifact"])

    def test_small_tasks_share_one_proof(self):
        self.with_keys()
        records = support.records("intent", 1, 160)
        for record in support.records("intent", 2, 160):  # the same work behind another prompt: a task of its own
            messages = record["request"]["messages"]
            messages[0]["content"] = "You sort notes of business customers in the north.\nAnswer with one word of your list."
            messages[-1]["content"] = "Note from the north:\n" + messages[-1]["content"] + "\nIts kind is:"
            records.append(record)
        self.program.json("import", self.write_lines("calls.jsonl", records))
        self.program.json("curate")
        self.program.json("cluster")
        tasks = [entry["id"] for entry in self.program.json("tasks") if entry["answer_form"] == "label"][:2]
        self.assertEqual(len(tasks), 2)
        for task in tasks:
            self.program.json("tune", task, "--candidate", "classifier")
        pooled = self.program.json("evaluate", tasks[0], "--pool-with", tasks[1])["evaluations"]
        self.assertEqual([entry["task"] for entry in pooled], tasks)
        for entry in pooled:
            self.assertEqual(entry["pool"], tasks)
            self.assertEqual(entry["verdict"], pooled[0]["verdict"], pooled)
            self.assertIn("2 tasks together", entry["reason"])
            if entry["verdict"] == "convert":
                self.program.json("promote", entry["task"])
        self.assert_fails(3, "evaluate", tasks[0], "--pool-with", tasks[0], says=["different tasks"])


if __name__ == "__main__":
    support.main()
