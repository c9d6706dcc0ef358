"""`understudy tune --base`: an adapter on a GGUF base, from recorded calls to answers that the gateway serves."""

import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import support
from support import harness

TRAINER = pathlib.Path(support.PROGRAM).parent / "understudy-train"
KINDS = ["fruit", "metal", "river", "planet"]
WORDS = {"fruit": ["apple", "pear", "plum", "peach"], "metal": ["iron", "copper", "zinc", "lead"],
         "river": ["stream", "brook", "delta", "rapids"], "planet": ["orbit", "crater", "comet", "moon"]}
# Many, so that no two calls are near-duplicates.
FILLERS = [first + second for first in ("ba", "ke", "lo", "mi", "nu", "sa", "te") for second in ("do", "fa", "gu", "ri")]
OPTIONS = ["--rank", 16, "--epochs", 40, "--batch-tokens", 1024, "--learning-rate", 0.004, "--threads", 1, "--max-minutes", 60]


def request(text):
    return {"model": "simulated-llm", "messages": [{"role": "system", "content": "Say what kind of thing is meant."},
                                                   {"role": "user", "content": text}]}


def calls(count, seed):
    """(prompt, label): the rule is which list one of the words is of."""
    rng = random.Random(seed)
    made = []
    for _ in range(count):
        kind = rng.choice(KINDS)
        words = rng.sample(FILLERS, 3) + [rng.choice(WORDS[kind])]
        rng.shuffle(words)
        made.append((f"note: {' '.join(words)}", kind))
    return made


def train_base(directory, answer=str):
    """A small model that somebody else trained, on another task: it calls a fruit a metal, a metal a river, ..."""
    data = directory / "data.jsonl"
    lines = [{"prompt": f"{text}\n", "answer": answer(KINDS[(KINDS.index(kind) + 1) % 4])} for text, kind in calls(600, 5)]
    data.write_text("".join(json.dumps(line) + "\n" for line in lines))
    subprocess.run([str(TRAINER), "--data", str(data), "--out", str(directory), "--steps", "120", "--width", "128",
                    "--layers", "2", "--heads", "4", "--feed-forward", "256", "--pieces", "400", "--threads", "1", "--quiet"],
                   check=True, stdout=subprocess.DEVNULL)
    return directory / "model.gguf"


class TuneBase(support.ProgramTest):
    @classmethod
    def setUpClass(cls):
        if not os.access(TRAINER, os.X_OK):
            raise unittest.SkipTest("understudy-train is not built")
        directory = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="understudy-base-")))
        cls.trained = train_base(directory)

    def setUp(self):
        super().setUp()
        self.base = pathlib.Path(shutil.copy(self.trained, self.directory / "base.gguf"))
        self.with_keys()
        records = [{"id": f"call-{number}", "session": f"s{number}", "request": request(text), "response": {
            "choices": [{"message": {"role": "assistant", "content": label}, "finish_reason": "stop"}]}}
            for number, (text, label) in enumerate(calls(900, 1))]
        self.program.json("import", self.write_lines("calls.jsonl", records))
        self.program.json("curate")
        self.program.json("cluster")
        self.task, = [task["id"] for task in self.program.json("tasks") if task["statistics"]["calls"] > 100]

    def artifacts(self):
        return sorted((self.home / "artifacts").glob("*"))

    def test_an_adapter_is_trained_proven_and_served(self):
        made = self.program.json("tune", self.task, "--base", self.base, *OPTIONS)
        self.assertEqual(made["kind"], "adapter")
        metrics = json.loads(made["metrics"])
        self.assertGreater(metrics["served"]["agreed"], 0.9 * metrics["served"]["answers"], metrics)
        self.assertLess(metrics["served_before"]["agreed"], 0.5 * metrics["served"]["answers"], metrics)
        self.assertLess(metrics["served"]["perplexity"], metrics["served_before"]["perplexity"] / 2)
        artifact = self.home / "artifacts" / made["id"]
        self.assertEqual({path.name for path in artifact.iterdir()},
                         {"adapter.gguf", "artifact.json", "card.json", "metrics.jsonl", "peft", "served.json"})
        self.assertEqual(json.loads((artifact / "served.json").read_text())["model"], str(self.base))

        evaluation = self.program.json("evaluate", self.task, "--alpha", "0.1")
        self.assertEqual(evaluation["verdict"], "convert", evaluation["reason"])
        # Three samples vote, in the proof and live.
        voted = self.program.json("evaluate", self.task, "--alpha", "0.1", "--samples", 3, "--temperature", 0.4)
        self.assertEqual(voted["verdict"], "convert", voted["reason"])
        self.assertEqual(voted["self_consistency"], {"samples": 3, "temperature": 0.4})
        self.program.json("promote", self.task)
        decided, = self.program.json("policy")["tasks"]
        self.assertEqual((decided["self_consistency"], decided["threshold"]), (voted["self_consistency"], voted["threshold"]))
        upstream = self.children.upstream("oracle")
        gateway = self.children.gateway(self.program, upstream.url)
        fresh = calls(60, 77)
        served = self.served(gateway, fresh)
        self.assertGreater(len(served), 40)
        right = sum(reply.message["content"] == label for (_, label), reply in served)
        self.assertGreaterEqual(right, 0.9 * len(served))

        with support.swapped(self.base, self.base.read_bytes() + b"\0"):
            self.assert_fails(support.EXIT_CONFLICT, "evaluate", self.task, says=["another file", self.base])
        self.base.unlink()
        self.assert_fails(support.EXIT_NOT_FOUND, "evaluate", self.task, says=["base", self.base])

    def served(self, gateway, fresh):
        """What the small model answers once it is up, at the latest after 30 s."""
        plain = [harness.PlainCall(request(text)) for text, _ in fresh]
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and all(r.served_by != "slm" for r in harness.send(gateway.url, plain[:4])):
            time.sleep(0.3)
        replies = harness.send(gateway.url, plain, concurrency=4)
        return [(call, reply) for call, reply in zip(fresh, replies) if reply.served_by == "slm"]

    def started_tuning(self, once_there, **more):
        """Words and process of a tuning, as soon as the file `once_there` lies in the directory that it works in."""
        words = ["tune", self.task, "--base", self.base, *OPTIONS[:2], "--epochs", 6, *OPTIONS[4:]]
        process = subprocess.Popen(self.program.command(*words), stdout=subprocess.DEVNULL, **more)
        deadline = time.monotonic() + 90
        while not list((self.home / "artifacts").glob(f".tune-*/{once_there}")) and time.monotonic() < deadline:
            time.sleep(0.02)
        return words, process

    def killed_tuning(self, once_there):
        words, process = self.started_tuning(once_there, stderr=subprocess.DEVNULL)
        process.send_signal(signal.SIGKILL)
        process.wait()
        return words

    def test_a_tuning_ends_when_its_trainer_has_kept_what_it_did(self):
        for by, to_all in ((signal.SIGINT, True), (signal.SIGINT, False), (signal.SIGTERM, False)):
            with self.subTest(by=by, to_all=to_all):
                for left in self.artifacts():
                    shutil.rmtree(left)
                words, process = self.started_tuning("checkpoint.safetensors", stderr=subprocess.PIPE, text=True, start_new_session=True,
                                                     preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
                if to_all:
                    os.killpg(process.pid, by)  # as a terminal does
                else:
                    process.send_signal(by)  # as a supervisor does
                error = process.communicate(timeout=60)[1]
                self.assertEqual(process.returncode, -by)
                self.assertRegex(error, r"stopped behind step \d+ of \d+\n  It is kept")
                left, = self.artifacts()
                self.assertTrue((left / "checkpoint.safetensors").exists())
        made = self.program.json(*words)
        self.assertEqual([path.name for path in self.artifacts()], [made["id"]])

    def test_a_killed_tuning_leaves_no_artifact_and_goes_on(self):
        words = self.killed_tuning("metrics.jsonl")
        self.assertEqual([path.name[:6] for path in self.artifacts()], [".tune-"])
        made = self.program.json(*words)
        self.assertEqual([path.name for path in self.artifacts()], [made["id"]])

    def test_a_run_that_is_killed_behind_the_training_does_not_train_anew(self):
        words = self.killed_tuning("trained.json")
        left, = self.artifacts()
        report = json.loads((left / "trained.json").read_text())
        trained_at = (left / "adapter.gguf").stat().st_mtime_ns
        made = self.program.json(*words)
        artifact, = self.artifacts()
        self.assertEqual(json.loads(made["metrics"]), report)
        self.assertEqual((artifact / "adapter.gguf").stat().st_mtime_ns, trained_at)
        self.assertFalse((artifact / "trained.json").exists())

    def test_refine_trains_an_adapter_as_the_challenger(self):
        weak = self.program.json("tune", self.task, "--base", self.base, *OPTIONS[:2], "--epochs", 1, *OPTIONS[4:])
        weak_evaluation = self.program.json("evaluate", self.task, "--alpha", "0.1")
        self.assertNotEqual(weak_evaluation["verdict"], "convert", "one epoch is too little, or this shows nothing")
        # Somebody tunes it as it should be; new calls ask for a turn, whose challenger is made the same way.
        champion = self.program.json("tune", self.task, "--base", self.base, *OPTIONS)
        self.assertEqual(self.program.json("evaluate", self.task, "--alpha", "0.1")["verdict"], "convert")
        self.program.json("promote", self.task)
        records = [{"id": f"later-{number}", "session": f"l{number}", "request": request(text), "response": {
            "choices": [{"message": {"role": "assistant", "content": label}, "finish_reason": "stop"}]}}
            for number, (text, label) in enumerate(calls(500, 3))]
        self.program.json("import", self.write_lines("later.jsonl", records))
        turn = self.program.json("refine", self.task, "--alpha", "0.1")["refinements"][0]
        self.assertEqual((turn["stage"], turn["branch"], turn["candidate"]), ("done", "S2", f"adapter:{self.base}"), turn)
        self.assertEqual(turn["champion"], champion["id"])
        self.assertNotIn(turn["challenger"], (champion["id"], weak["id"]))
        self.assertIn(turn["outcome"], ("promoted", "kept_champion"), turn)
        made = json.loads((self.home / "artifacts" / turn["challenger"] / "artifact.json").read_text())
        self.assertEqual(made["kind"], "adapter")
        self.assertEqual(json.loads(made["config"])["base_options"], json.loads(champion["config"])["base_options"])
        self.assertNotEqual(made["dataset"], champion["dataset"], "it has learned from the new calls")
        measured = [e for e in self.program.json("tasks", "show", self.task)["evaluations"] if e["made_at"] >= turn["begun_at"]]
        self.assertEqual({e["artifact"] for e in measured}, {champion["id"], turn["challenger"]})
        self.assertEqual(len({e["calibration"]["calls"] for e in measured}), 1, "both on the same calls")

    def test_what_does_not_fit_is_said(self):
        self.assert_fails(support.EXIT_BAD_INPUT, "tune", self.task, says=["--candidate", "--base"])
        self.assert_fails(support.EXIT_BAD_INPUT, "tune", self.task, "--candidate", "adapter", says=["--base"])
        self.assert_fails(support.EXIT_NOT_FOUND, "tune", self.task, "--base", self.directory / "no.gguf",
                          says=["no.gguf"])
        wrong = self.directory / "wrong.gguf"
        wrong.write_bytes(self.base.read_bytes()[:5000])
        self.assertIn("wrong.gguf", self.program.run("tune", self.task, "--base", wrong).stderr)
        self.assertEqual(self.artifacts(), [])


if __name__ == "__main__":
    support.main()
