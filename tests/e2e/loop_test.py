"""The loop S1..S6 in small, with classifiers only: from recorded calls to calls that a small model serves."""

import time

import support
from support import agents, harness


class Loop(support.ProgramTest):
    def wait_for(self, gateway, served_by, task):
        """The share of 60 fresh calls that `served_by` answered, once the gateway follows the newest policy."""
        deadline = time.monotonic() + 30
        follows = False  # not yet in the batch in which it began to
        while True:
            fresh = agents.generate("intent", 9, 60)
            replies = harness.send(gateway.url, fresh, concurrency=4, stream_share=0.3)
            mine = [(c, r) for c, r in zip(fresh, replies) if r.served_by == served_by]
            if follows or time.monotonic() > deadline:
                return fresh, mine
            follows = bool(mine) and (served_by != "llm" or len(mine) == len(fresh))
            time.sleep(0.3)

    def test_a_task_is_learned_proven_served_and_given_back(self):
        self.with_keys()
        self.program.json("import", self.write_lines("calls.jsonl", support.records("intent", 1, 1200) +
                                                     support.records("writing", 1, 150)))
        curated = self.program.json("curate")
        self.assertGreater(sum(v for v in curated.values() if isinstance(v, int)), 0)
        self.program.json("cluster")
        assigned = self.program.assignments()
        tasks = {task["id"]: task for task in self.program.json("tasks")}
        own = {assigned.get(f"intent-1-{number}") for number in range(1200)} - {None}
        self.assertEqual(len(own), 1, "one system prompt with closed answers is one task")
        task = own.pop()
        self.assertEqual((tasks[task]["answer_form"], len(tasks[task]["answer_set"])), ("label", 12))
        self.assertTrue(self.program.json("tasks", "show", task)["examples"])

        candidates = self.program.json("select", task)["candidates"]
        self.assertIn("classifier", [c["kind"] for c in candidates if c["eligible"]])
        self.assert_fails(support.EXIT_NOT_FOUND, "evaluate", task, says=["tune"])
        self.program.json("tune", task, "--candidate", "classifier")
        evaluation = self.program.json("evaluate", task, "--alpha", "0.05", "--delta", "0.1")
        self.assertEqual(evaluation["verdict"], "convert", evaluation["reason"])
        self.assertGreaterEqual(evaluation["test"]["agreed"], 0.9 * evaluation["test"]["kept"])
        self.assert_fails(support.EXIT_BAD_INPUT, "evaluate", task, "--samples", 3, says=["classifier", "same answer"])
        self.program.json("promote", task)

        upstream = self.children.upstream("oracle")
        gateway = self.children.gateway(self.program, upstream.url)
        fresh, served = self.wait_for(gateway, "slm", task)
        self.assertGreater(len(served), len(fresh) // 2)
        agreed = sum(agents.same_answer(reply.message, call.answer) for call, reply in served)
        self.assertGreaterEqual(agreed, 0.9 * len(served))
        for _, reply in served:
            self.assertEqual((reply.headers["x-understudy-task"], reply.reason), (task, "accepted"))
        writing = harness.send(gateway.url, agents.generate("writing", 9, 5))
        self.assertEqual({reply.served_by for reply in writing}, {"llm"})

        report = self.program.json("report")
        page = open(report["html"], encoding="utf-8").read()
        self.assertIn("<html", page)
        self.assertNotIn("<script src", page)
        self.assertNotIn("<link", page)

        self.program.json("rollback", task)
        _, back = self.wait_for(gateway, "llm", task)
        self.assertEqual(len(back), 60, "after a rollback the LLM answers everything")


if __name__ == "__main__":
    support.main()
