"""SIGKILL under load, ten rounds (`./dev bench kill9` does 200): in durable mode no acknowledged call is lost.

Expects of the program: `serve --capture durable`, or [capture] mode = "durable" by --config; `log cat --metadata --json`
lists the ids that x-understudy-call named.
"""

import sys

import support
from support import harness

sys.path.insert(0, str(support.PROJECT / "bench"))
import gateway_systems  # noqa: E402  (the path is set above)
import kill9_rounds  # noqa: E402

ROUNDS = 10
LAST_GROUP_SECONDS = 1.0  # 60 ms; the bench asks for 0.25 on a quiet machine, tests share theirs


class Kill9(support.ProgramTest):
    def rounds(self, mode, count):
        try:
            systems = self.enterContext(gateway_systems.Systems(self.with_keys(), self.directory / "bench"))
            upstream = systems.mock("--deltas", "6", "--interval-ms", "2")
        except harness.Failure as reason:
            self.skipTest(str(reason))
        words = systems.serve_words(mode, upstream.port, self.directory)
        if words is None:
            self.skipTest(f"this program's `serve` cannot be told to capture in {mode} mode")
        results, statistics, by_id = kill9_rounds.run_rounds(self.program, self.children, words, count, name=mode)
        if not by_id:
            self.skipTest("RECORDS NOT CHECKED: this program has no `understudy log cat --metadata --json`")
        acknowledged = sum(len(result.acknowledged) for result in results)
        self.assertGreater(acknowledged, 10 * count, "the load was too small to say anything")
        self.assertEqual(sum(result.unnamed for result in results), 0, "answers that name no record")
        return results, statistics

    def test_durable_mode_loses_no_acknowledged_call(self):
        results, statistics = self.rounds("durable", ROUNDS)
        lost = [f"{1000 * age:.0f} ms before kill {number}" for number, result in enumerate(results) for age in result.lost]
        self.assertEqual(lost, [])
        self.assertEqual(statistics["corrupt"], [])

    def test_async_mode_loses_at_most_the_last_group(self):
        results, _ = self.rounds("async", 4)
        ages = [age for result in results for age in result.lost]
        self.assertLessEqual(max(ages, default=0), LAST_GROUP_SECONDS)


if __name__ == "__main__":
    support.main()
