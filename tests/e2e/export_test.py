"""`understudy curate` and `export dataset`: JSON lines and Parquet say the same, pyarrow reads it, and it is audited."""

import json
import unittest

import support

try:
    import pyarrow.parquet
except ImportError:
    pyarrow = None


class Export(support.ProgramTest):
    def setUp(self):
        super().setUp()
        calls = self.directory / "calls.jsonl"
        with calls.open("w") as out:
            for i in range(120):
                out.write(json.dumps({
                    "id": f"c{i}", "source": "test", "meta": {"session": f"s{i // 3}"},
                    "request": {"model": "m", "messages": [
                        {"role": "user", "content": f"Dear team, write to zoe{i}@acme.example about box {i} in hall {i * 7}."}]},
                    "response": {"choices": [{"message": {"role": "assistant", "content": f"Wrote to zoe{i}@acme.example."}}]}})
                    + "\n")
        self.program.text("keys", "init")
        self.program.text("import", calls)
        self.report = self.program.json("curate")

    def lines(self, *options):
        return [json.loads(line) for line in self.program.text("export", "dataset", *options).splitlines()]

    def test_lines_hold_the_whole_data_set_without_originals(self):
        rows = self.lines()
        self.assertEqual(len(rows), self.report["examples"])
        self.assertNotIn("zoe1@", json.dumps(rows))
        for row in rows:
            answer = row["response"]["choices"][0]["message"]["content"].removeprefix("Wrote to ").rstrip(".")
            self.assertIn(answer, row["request"]["messages"][0]["content"], "what the answer copies is in the prompt")

    def test_a_split_is_a_part(self):
        parts = {split: len(self.lines("--split", split)) for split in ("train", "calibration", "test")}
        self.assertEqual({name: count for name, count in parts.items() if count}, self.report["splits"])

    def test_the_curators_key_opens_it_too_and_the_trail_says_who_it_was(self):
        self.assertEqual(len(self.lines("--role", "curator")), self.report["examples"])
        trail = self.program.text("audit", "show", "--json")
        self.assertIn("export dataset", trail)

    def test_without_the_key_nothing_is_written(self):
        (self.program.home / "keys/trainer.key").unlink()
        target = self.directory / "out.jsonl"
        self.assertNotEqual(self.program.run("export", "dataset", "--output", target).returncode, 0)
        self.assertEqual([path.name for path in self.directory.glob("out*")], [])

    @unittest.skipIf(pyarrow is None, "there is no pyarrow here")
    def test_pyarrow_reads_the_parquet_file(self):
        target = self.directory / "out.parquet"
        done = self.program.json("export", "dataset", "--format", "parquet", "--output", target)
        self.assertEqual(done["examples"], self.report["examples"])
        self.assertEqual(target.stat().st_mode & 0o777, 0o600)
        rows = pyarrow.parquet.read_table(target).to_pylist()
        lines = self.lines()
        self.assertEqual([row["call"] for row in rows], [line["call"] for line in lines])
        for row, line in zip(rows, lines):
            self.assertEqual(json.loads(row["request"]), line["request"])
            self.assertEqual(json.loads(row["response"]), line["response"])
            for key in ("split", "session", "started_at", "repeats", "asked", "latency_us"):
                self.assertEqual(row[key], line[key])

    def test_the_page_is_self_contained_and_shows_no_value(self):
        page = (self.program.home / "reports/curate.html").read_text()
        self.assertIn("xxx9@xxxx", page)
        self.assertNotIn("zoe1", page)
        self.assertNotIn("http", page)

    def test_settings_say_what_is_done_with_each_type(self):
        settings = self.program.home / "understudy.toml"
        settings.write_text('[curate]\nscope = "project"\n[curate.actions]\nemail = "mask"\n')
        self.program.json("curate")
        self.assertIn("<EMAIL_ADDRESS>", json.dumps(self.lines()))
        settings.write_text('[curate.actions]\nsecret = "keep"\n')
        done = self.program.run("curate")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("understudy.toml:2", done.stderr)

    def test_the_same_log_gives_the_same_data_set(self):
        self.assertEqual(self.program.json("curate")["dataset"], self.report["dataset"])
        self.assertFalse((self.program.home / "datasets/unfinished").exists())


if __name__ == "__main__":
    support.main()
