"""The loop: `understudy refine` trains, measures and promotes by itself, and a kill -9 at any moment leaves a home that
is consistent, never serves what is not proven, and goes on."""

import contextlib
import json
import random
import signal
import sqlite3
import subprocess
import time
import unittest

import support



def served_artifacts(home):
    """{artifact that may answer: task} of the policy in force, read as the gateway reads it."""
    current = home / "policy/current"
    if not current.exists():
        return {}
    version = int(current.read_text())
    policy = json.loads(json.loads((home / f"policy/{version:06}.json").read_text())["policy"])
    return {task["artifact"]: task["task"] for task in policy["tasks"] if task["mode"] in ("canary", "active")}


def check_consistent(test, program):
    """Whatever is served is whole and has evidence that converts; every verb can read the home."""
    served = served_artifacts(program.home)
    program.json("policy")
    for artifact, task in served.items():
        test.assertTrue((program.home / "artifacts" / artifact / "artifact.json").exists(), artifact)
        evaluations = program.json("tasks", "show", task)["evaluations"]
        test.assertTrue(any(e["artifact"] == artifact and e["verdict"] == "convert" for e in evaluations),
                        f"{artifact} answers without evidence")
    return served


# What is done of a turn at most when it is killed in this stage: "none" is before there is a turn.
STAGES = ("none", "begun", "curated", "assigned", "tuned", "measured", "done")


def newest_stage(database, known):
    """How far the turns came that are not in `known`: {id: stage}, and the stage of the newest."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=1)) as connection:
            rows = [json.loads(row[0]) for row in connection.execute("SELECT record FROM refinement ORDER BY id DESC")]
    except sqlite3.Error:
        return {}, "none"
    stages = {run["id"]: run["stage"] for run in rows if known.get(run["id"]) != run["stage"]}
    return stages, next(iter(stages.values()), "none")


class Refining:
    """`understudy refine` as a child whose stages are looked at from outside while it works."""

    def __init__(self, program, *words):
        self.database = program.home / "metadata.db"
        self.before = newest_stage(self.database, {})[0]
        self.begun = time.monotonic()
        self.process = subprocess.Popen(program.command("refine", *words), stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)

    def stage(self):
        return newest_stage(self.database, self.before)[1]

    def spans(self):
        """{stage: seconds}, once it has run to its end."""
        seen, at, stage = {}, self.begun, "none"
        while self.process.poll() is None:
            now = self.stage()
            if now != stage:
                seen[stage] = seen.get(stage, 0) + time.monotonic() - at
                at, stage = time.monotonic(), now
            time.sleep(0.001)
        seen[stage] = seen.get(stage, 0) + time.monotonic() - at
        return seen

    def kill_in(self, stage, after_seconds):
        """The stage in which it was killed; None where it had ended before."""
        while self.process.poll() is None and STAGES.index(self.stage()) < STAGES.index(stage):
            time.sleep(0.001)
        time.sleep(after_seconds)
        if self.process.poll() is not None:
            return None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        return self.stage()


class RefineTest(support.ProgramTest):
    def learned(self, calls):
        """A home with one clustered task of which nothing is known yet."""
        self.with_keys()
        self.program.json("import", self.write_lines("calls.jsonl", support.records("intent", 1, calls)))
        self.program.json("curate")
        self.program.json("cluster")
        return max(self.program.json("tasks"), key=lambda task: task["statistics"]["calls"])["id"]

    def more_calls(self, seed, count):
        self.program.json("import", self.write_lines(f"calls-{seed}.jsonl", support.records("intent", seed, count)))

    def test_a_turn_makes_proves_and_promotes_and_the_next_one_needs_a_reason(self):
        task = self.learned(1200)
        first = self.program.json("refine", task, "--go-live", "canary")["refinements"]
        self.assertEqual([(run["outcome"], run["branch"]) for run in first], [("promoted", "S4")], first)
        self.assertEqual(list(check_consistent(self, self.program).values()), [task])
        self.assertEqual(self.program.json("route")["routes"][0]["mode"], "canary")

        again = self.program.json("refine", task)
        self.assertEqual(again["refinements"], [], "nothing has changed")

        self.more_calls(2, 600)
        turn = self.program.json("refine")["refinements"]
        self.assertEqual(turn[0]["branch"], "S2")
        self.assertIn("new data", turn[0]["trigger"])
        self.assertIn(turn[0]["outcome"], ("promoted", "kept_champion"))
        self.assertEqual(turn[0]["champion"], first[0]["challenger"])
        self.assertEqual(self.program.json("route")["routes"][0]["mode"], "canary", "a live task keeps its mode")
        check_consistent(self, self.program)
        self.assertGreaterEqual(len(self.program.json("refine", "--list")), 2)

    def test_a_kill_at_any_moment_is_gone_on_with(self):
        task = self.learned(900)
        spans = Refining(self.program, task, "--go-live", "active").spans()
        rng = random.Random(7)
        killed = []
        for number, stage in enumerate(("begun", "assigned", "tuned", "measured")):
            self.more_calls(10 + number, 40)
            child = Refining(self.program, "--force", "--go-live", "active")
            killed.append(child.kill_in(stage, rng.uniform(0, spans.get(stage, 0))))
            check_consistent(self, self.program)
        self.assertGreater(len([stage for stage in killed if stage]), 1, killed)
        self.program.json("refine", "--go-live", "active")
        self.assertTrue(all(run["stage"] == "done" for run in self.program.json("refine", "--list")))
        self.assertEqual(list(check_consistent(self, self.program).values()), [task])
        leftovers = [path.name for path in (self.home / "artifacts").iterdir() if path.name.startswith(".")]
        self.assertEqual(leftovers, [])

    def test_two_at_once_are_told_so(self):
        self.learned(300)
        held = subprocess.Popen(["flock", str(self.home / "refine.lock"), "sleep", "30"])
        try:
            time.sleep(0.3)
            done = self.program.run("refine")
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("another refine is at work", done.stderr)
        finally:
            held.terminate()
            held.wait()


if __name__ == "__main__":
    support.main()
