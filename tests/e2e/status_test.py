"""`understudy status`: what was recorded, who answers which task, and what to do next, from an empty home to a live model."""

import support


class Status(support.ProgramTest):
    def next_steps(self):
        return " / ".join(self.program.json("status")["next"])

    def test_it_leads_from_an_empty_home_to_a_live_model(self):
        self.assertTrue(self.next_steps().startswith("understudy init"), self.next_steps())
        self.assertIn("keys init", self.next_steps())
        self.with_keys()
        self.assertIn("then `understudy up`", self.next_steps())
        self.program.json("import", self.write_lines("calls.jsonl", support.records("intent", 1, 1200)))
        self.assertIn("curate", self.next_steps())
        self.program.json("curate")
        self.assertIn("cluster", self.next_steps())
        self.program.json("cluster")
        task = self.program.json("tasks")[0]["id"]
        self.assertIn(f"select {task}", self.next_steps())
        self.program.json("tune", task, "--candidate", "classifier")
        self.assertIn(f"evaluate {task}", self.next_steps())
        self.assertEqual(self.program.json("evaluate", task)["verdict"], "convert")
        self.assertIn(f"promote {task}", self.next_steps())
        self.program.json("promote", task)
        status = self.program.json("status")
        self.assertEqual([status["tasks"][0][key] for key in ("id", "served_by", "verdict")],
                         [task, "small model", "convert"])
        self.assertEqual(status["log"]["calls"], 1200)
        self.assertIn("report", " ".join(status["next"]))
        screen = self.program.text("status")
        for words in ("1,200", task, "small model", "active", "policy  version 1", "checks are ok", "next:"):
            self.assertIn(words, screen)
        self.assertLess(len(screen.splitlines()), 30, "it is one screen")
        (self.home / "keys/curator.key").chmod(0o644)
        self.assertIn("chmod 600", self.program.text("status"), "what is wrong comes with its remedy")
        self.assertFalse(self.program.json("status")["health"]["sound"])

    def test_where_no_call_was_answered_it_looks_for_the_reason_first(self):
        self.with_keys()
        failed = [record | {"response": {"error": {"type": "overloaded", "message": "no"}}} for record in support.records("intent", 1, 20)]
        self.program.json("import", self.write_lines("calls.jsonl", failed))
        self.assertTrue(self.next_steps().startswith("understudy doctor"), self.next_steps())

    def test_without_a_key_it_says_so_and_goes_on(self):
        self.with_keys()
        self.program.json("import", self.write_lines("calls.jsonl", support.records("intent", 1, 20)))
        for role in ("auditor", "curator"):
            (self.home / f"keys/{role}.key").unlink()
        status = self.program.json("status")
        self.assertIsNone(status["log"])
        self.assertTrue(status["log_problem"])
        self.assertTrue(status["next"])


if __name__ == "__main__":
    support.main()
