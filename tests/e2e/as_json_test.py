"""`--json`: every verb takes it, and what goes wrong then is JSON, too, with the exit code's name."""

import json

import support


class AsJson(support.ProgramTest):
    """Results and errors as JSON, for every verb."""

    def verbs_below(self, verb):
        for inner in verb["verbs"]:
            yield inner
            yield from self.verbs_below(inner)

    def test_every_verb_takes_json(self):
        program = self.program.json("reference", "cli")["program"]
        verbs = list(self.verbs_below(program))
        self.assertGreater(len(verbs), 50)
        for verb in verbs:
            if not verb["verbs"] or verb["verb"] == "tasks":  # else it is a heading only
                with self.subTest(verb=verb["verb"]):
                    self.assertIn("--json", [name for option in verb["options"] for name in option["names"]])

    def test_each_exit_code_comes_with_an_error_that_programs_can_read(self):
        self.program.text("init", "--upstream", "https://api.example.com/v1")
        record = self.write_lines("calls.jsonl", support.records("intent", 1, 3))
        self.program.text("import", record)
        (self.directory / "broken.jsonl").write_text("no json\n")
        (self.home / "keys/curator.key").chmod(0o644)
        for code, name, words in (
                (2, "usage", ("fly",)), (2, "usage", ("import",)), (2, "usage", ("tasks", "--colour")),
                (3, "invalid_input", ("import", self.directory / "broken.jsonl")),
                (4, "denied", ("log", "cat")), (5, "not_found", ("tasks", "show", "t-none")),
                (9, "conflict", ("init", "--upstream", "https://api.example.com/v1"))):
            with self.subTest(words=words):
                done = self.program.run(*words, "--json")
                self.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)
                error = json.loads(done.stderr.splitlines()[-1])["error"]
                self.assertEqual((error["code"], error["exit_code"]), (name, code))
                self.assertTrue(error["message"])

    def test_pages_scripts_and_the_validation(self):
        self.program.text("init", "--upstream", "https://api.example.com/v1", "--listen", "127.0.0.1:0")
        self.assertEqual(self.program.json("serve", "--validate"), {"in_order": True, "upstreams": 1, "models": 0, "listen": "127.0.0.1:0"})
        self.assertEqual(self.program.json("completion", "bash"), {"shell": "bash", "text": self.program.text("completion", "bash")})
        self.assertEqual(self.program.json("reference", "man")["text"], self.program.text("reference", "man"))


if __name__ == "__main__":
    support.main()
