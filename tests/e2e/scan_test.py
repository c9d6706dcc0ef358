"""`understudy scan`: spans in code points, JSON as a tree, bad lines told and counted, hostile input survived."""

import gzip
import json

import support


class Scan(support.ProgramTest):
    def scan(self, lines, *options):
        path = self.directory / "texts.jsonl"
        path.write_bytes(b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines))
        return self.program.run("scan", path, *options)

    def spans(self, text, *options):
        done = self.scan([{"id": 1, "text": text}], *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)["spans"]

    def found(self, text, *options):
        return [(span["type"], text[span["start"]:span["end"]]) for span in self.spans(text, *options)]

    def test_places_count_code_points(self):
        text = "\N{GRINNING FACE} né: mary@example.org, SSN 536-22-1234"
        self.assertEqual(self.found(text), [("EMAIL_ADDRESS", "mary@example.org"), ("US_SSN", "536-22-1234")])

    def test_a_json_text_is_searched_as_a_tree(self):
        text = json.dumps({"arguments": json.dumps({"email": "zoë@example.org", "note": "a \"quote\""}),
                           "value": "4155552671", "name": "phone"})
        self.assertEqual([kind for kind, _ in self.found(text)], ["EMAIL_ADDRESS", "PHONE_NUMBER"])

    def test_a_secret_says_which_kind(self):
        key = "gh" + "p_" + "wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx"
        span, = self.spans(f"use {key} now")
        self.assertEqual((span["type"], span["kind"]), ("SECRET", "github_token"))

    def test_all_candidates_come_with_a_score_min_of_0(self):
        self.assertEqual(self.found("4010232137"), [])
        self.assertIn(("UK_NHS", "4010232137"), self.found("4010232137", "--score-min", "0"))

    def test_bad_lines_are_told_and_the_others_scanned(self):
        done = self.scan([{"id": 1, "text": "a@example.org"}, b"{no json", {"id": 3}, b"", {"id": "x", "text": "b"}])
        self.assertEqual(done.returncode, 3)
        self.assertEqual([json.loads(line)["id"] for line in done.stdout.splitlines()], [1, "x"])
        self.assertIn("texts.jsonl:2:", done.stderr)
        self.assertIn("texts.jsonl:3:", done.stderr)
        self.assertIn("2 lines", done.stderr)

    def test_hostile_input_is_survived_and_counted(self):
        deep = "[" * 1000 + '"a@example.org"' + "]" * 1000
        long = "x " * 5_000_000 + "b@example.org"
        done = self.scan([{"id": 1, "text": deep}, {"id": 2, "text": long},
                          b'{"id": 3, "text": "\xff\xfe c@example.org \xe2\x82"}', {"id": 4, "text": ""}], "--counts")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([len(json.loads(line)["spans"]) for line in done.stdout.splitlines()], [1, 1, 1, 0])
        counts = json.loads(done.stderr.splitlines()[-1])
        self.assertEqual((counts["texts"], counts["repaired_lines"], counts["bad_lines"]), (4, 1, 0))

    def test_gzip_and_missing_files(self):
        path = self.directory / "texts.gz"
        path.write_bytes(gzip.compress(b'{"id": 1, "text": "a@example.org"}\n'))
        self.assertEqual(len(json.loads(self.program.text("scan", path))["spans"]), 1)
        self.assertEqual(self.program.run("scan", self.directory / "none").returncode, 5)

    def test_rules_of_ones_own(self):
        self.home.mkdir()
        (self.home / "understudy.toml").write_text(
            '[[curate.rule]]\nname = "ticket"\npattern = "TCK-[0-9]{4,8}"\n')
        span, = self.spans("see TCK-123456")
        self.assertEqual((span["type"], span["kind"], span["end"]), ("CUSTOM", "ticket", 14))
        (self.home / "understudy.toml").write_text('[[curate.rule]]\nname = "x"\npattern = "("\n')
        done = self.scan([{"id": 1, "text": ""}])
        self.assertEqual(done.returncode, 3)
        self.assertIn("(", done.stderr)


if __name__ == "__main__":
    support.main()
