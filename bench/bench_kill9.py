"""SIGKILL under load: in durable mode no acknowledged call may be lost, in async mode at most the last group."""

import sys

import gateway_systems
import harness
import kill9_rounds
import machine

ROUNDS_PER_HOME = 20     # a new home now and then, so that listing the log stays quick
LAST_GROUP_SECONDS = 0.25  # an answer that was out longer had to be in the log: it is with the system after 60 ms


def run_mode(systems, upstream, mode, rounds, steps):
    """Figures of one capture mode; None where this program has no such mode."""
    total = {"rounds": 0, "acknowledged": 0, "unnamed": 0, "lost": 0, "oldest_lost_ms": 0.0, "logged": 0, "by_id": True}
    with steps.step(f"{rounds} kills, {mode}"):
        while total["rounds"] < rounds:
            count = min(ROUNDS_PER_HOME, rounds - total["rounds"])
            home = systems.directory / f"{mode}-{total['rounds']}"
            home.mkdir()
            program = harness.Program(systems.program.path, home / "home")
            words = systems.serve_words(mode, upstream, home)
            if words is None:
                return None
            program.text("keys", "init")
            results, statistics, by_id = kill9_rounds.run_rounds(program, systems.children, words, count,
                                                                 seed=total["rounds"], name=mode)
            total["rounds"] += count
            total["acknowledged"] += sum(len(result.acknowledged) for result in results)
            total["unnamed"] += sum(result.unnamed for result in results)
            total["lost"] += sum(len(result.lost) for result in results)
            ages = [1000 * age for result in results for age in result.lost]
            total["oldest_lost_ms"] = round(max([total["oldest_lost_ms"], *ages]), 1)
            total["logged"] += statistics["calls"]
            total["by_id"] = total["by_id"] and by_id
            print(f"  {mode}: {total}", file=sys.stderr, flush=True)
    return total


def run(program, _, options):
    steps = machine.Steps()
    with gateway_systems.Systems(program, program.home) as systems:
        upstream = systems.mock("--deltas", "6", "--interval-ms", "2").port
        durable = run_mode(systems, upstream, "durable", options.kills, steps)
        asynchronous = run_mode(systems, upstream, "async", max(5, options.kills // 10), steps)
        targets = {"durable mode exists": durable is not None}
        if durable:
            targets[f"durable: none of {durable['acknowledged']} acknowledged calls lost in {durable['rounds']} kills "
                    f"({durable['lost']} lost)"] = (durable["lost"] == 0 and durable["acknowledged"] > 0 and
                                                    durable["unnamed"] == 0 and durable["by_id"])
        targets[f"async: at most the last group lost ({asynchronous['lost']} calls, the oldest "
                f"{asynchronous['oldest_lost_ms']} ms before the kill)"] = (
            asynchronous["oldest_lost_ms"] <= 1000 * LAST_GROUP_SECONDS and asynchronous["by_id"])
        figures = {"log on": gateway_systems.file_system_of(program.home), "durable": durable or "not in this program",
                   "async": asynchronous, "seconds": steps.seconds, "notes": systems.notes}
        return figures, targets
