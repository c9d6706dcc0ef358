"""`understudy models` on the real binary: a small model that the trainer makes is taken in, measured and given back."""

import json
import pathlib
import subprocess
import unittest

import support

TRAINER = pathlib.Path(support.PROGRAM).resolve().parent / "understudy-train"


@unittest.skipUnless(TRAINER.exists(), "this build has no understudy-train")
class Models(support.ProgramTest):
    def setUp(self):
        super().setUp()
        lines = self.write_lines("lines.jsonl", [{"prompt": f"say {i % 7}", "answer": str(i % 7)} for i in range(100)])
        subprocess.run([TRAINER, "--data", lines, "--out", self.directory / "nano", "--steps", "3", "--quiet"], check=True,
                       stdout=subprocess.DEVNULL, timeout=120)
        self.file = self.directory / "nano/model.gguf"

    def test_a_model_is_added_measured_and_removed(self):
        self.assertEqual(self.program.json("models")["models"], [])
        added = self.program.json("models", "add", self.file, "--name", "tiny")
        self.assertEqual(added["architecture"], "llama")
        self.assertGreater(added["parameters"], 100_000)
        measured = self.program.json("models", "measure", "tiny")["measured"]
        self.assertGreater(measured["answer_tokens_per_s"], 0)
        listed = self.program.json("models", "list")
        self.assertEqual([model["name"] for model in listed["models"]], ["tiny"])
        self.assertEqual(listed["models"][0]["measured"], measured)
        self.assertGreater(listed["machine"]["multiply_flops"], 1e9)
        self.assertGreater(listed["machine"]["memory_bytes_per_s"], 1e8)
        self.program.text("models", "remove", "tiny")
        self.assertEqual(self.program.json("models")["models"], [])

    def test_catalogue_entries_carry_their_sources(self):
        entry = self.program.json("models", "show", "Qwen3-0.6B")["catalogue"]
        self.assertEqual(entry["licence"], "apache-2.0")
        self.assertIn("tool_use_bfcl_v4", entry["sources"])

    def test_what_is_no_model_is_refused_with_a_remedy(self):
        for words, code in ((("add", self.directory / "nano/card.json"), support.EXIT_CORRUPT),
                            (("add", self.directory / "absent.gguf"), support.EXIT_NOT_FOUND),
                            (("remove", "absent"), support.EXIT_NOT_FOUND),
                            (("measure", "absent"), support.EXIT_NOT_FOUND)):
            done = self.program.run("models", *words)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertEqual(len(done.stderr.strip().splitlines()), 2, done.stderr)


if __name__ == "__main__":
    support.main()
