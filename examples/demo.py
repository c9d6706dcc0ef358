#!/usr/bin/env python3
"""The whole loop, S1 to S6, on SIMULATED agents and a SIMULATED LLM. `./dev demo` runs this.

Agents send their calls through the gateway; Understudy curates them, finds the tasks, trains a small model for each
that suits, proves on held-out calls what it may take over, and serves fresh calls. Exit code 0 only if the bar
holds: at least three tasks converted, the open-ended one left to the LLM with a reason, at least 60 % of the fresh
calls served by small models, and nothing that speaks against 95 % of those answers as the LLM's.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import json
import math
import pathlib
import signal
import sys
import tempfile
import time

import agents
import harness

# Calls that each agent makes before anything is trained, and how many fresh ones come at the end.
CALLS = {"intent": 1500, "think": 1200, "extract": 2600, "tools": 2600, "writing": 500}
CALLS_QUICK = {"intent": 900, "think": 700, "writing": 200}
FRESH_SHARE = 0.1
# What a hosted LLM takes for short answers, roughly: the simulated one waits as long.
FIRST_TOKEN_MS, TOKENS_PER_S = 250, 150
TASK_SHARE_MIN = 0.1  # an agent's calls may fall into several tasks; smaller ones are not worth a model
CONVERTED_MIN, SERVED_MIN, AGREEMENT_MIN = 3, 0.6, 0.95
SERVED_MIN_QUICK = 0.45  # fewer calls prove less: one early disagreement among 128 calls ends the walk
CHANCE_MIN = 0.01


def speaks_not_against(agreed, served, share):
    """Whether so few agreements, or fewer, are likelier than CHANCE_MIN where the true share is `share` (binomial)."""
    return sum(math.comb(served, k) * share ** k * (1 - share) ** (served - k)
               for k in range(agreed + 1)) >= CHANCE_MIN


@dataclasses.dataclass
class Outcome:
    """One task through the loop."""
    task: str
    name: str
    agent: str
    calls: int
    candidate: str = "-"
    verdict: str = "keep_llm"
    reason: str = ""
    test: dict = dataclasses.field(default_factory=dict)
    promoted: bool = False
    tune_seconds: float = 0
    fresh: int = 0
    served: int = 0
    agreed: int = 0
    slm_ms: float = 0
    llm_ms: float = 0


class Screen:
    """Progress for a person on stderr, so that stdout holds the result only."""

    def __init__(self):
        self.started = self.last = time.monotonic()

    def say(self, text=""):
        print(text, file=sys.stderr, flush=True)

    def step(self, text):
        self.say(f"{time.monotonic() - self.started:6.1f} s  {text}")

    def progress(self, what):
        def show(done, total):
            now = time.monotonic()
            if sys.stderr.isatty() and (now - self.last > 0.2 or done == total):
                self.last = now
                print(f"\r          {what}: {done} of {total}", end="\n" if done == total else "", file=sys.stderr,
                      flush=True)
        return show

    def seconds(self):
        return time.monotonic() - self.started


class Demo:
    def __init__(self, options, program, children):
        self.options, self.program, self.children = options, program, children
        self.screen = Screen()
        self.counts = CALLS_QUICK if options.quick else CALLS
        self.upstream = self.gateway = None
        self.calls, self.replies, self.outcomes = [], [], []

    def run(self):
        self.start()
        self.send_calls()
        self.find_tasks()
        self.select_and_tune()
        self.evaluate_and_promote()
        self.send_fresh_calls()
        return self.summary()

    def start(self):
        say = self.screen.say
        say("Understudy demo. The agents and the LLM are SIMULATED (examples/agents.py, simulated_upstream.py):")
        say(f"a scripted oracle that waits {FIRST_TOKEN_MS} ms for the first token and then writes {TOKENS_PER_S} "
            "tokens a second. The gateway,\nthe log, the training, the proof and the small models are real.\n")
        self.program.text("keys", "init")
        self.upstream = self.children.upstream("oracle", "--first-token-ms", FIRST_TOKEN_MS, "--tokens-per-s",
                                               TOKENS_PER_S)
        self.gateway = self.children.gateway(self.program, self.upstream.url)
        self.screen.step(f"home {self.program.home}, gateway {self.gateway.url}")

    def send_calls(self):
        calls = [call for name, count in self.counts.items() for call in agents.generate(name, 1, count)]
        # Agents work side by side: their calls come mixed, those of one session in order.
        self.calls = sorted(calls, key=lambda call: hash_of(call.session))
        started = time.monotonic()
        self.replies = harness.send(self.gateway.url, self.calls, concurrency=256, stream_share=0.2,
                                    progress=self.screen.progress("calls"))
        broken = [reply for reply in self.replies if not reply.whole or reply.message is None]
        if len(broken) > len(self.calls) // 100:
            raise harness.Failure(f"{len(broken)} of {len(self.calls)} calls failed; the first: {broken[0]}")
        self.screen.step(f"S1 capture: {len(self.calls)} calls of {len(self.counts)} agents through the gateway in "
                         f"{time.monotonic() - started:.1f} s")

    def wait_until_logged(self):
        """The recorder commits in groups, behind the answers: wait until the log holds every call."""
        deadline = time.monotonic() + 30
        while True:
            statistics = self.program.json("log", "stat")
            if statistics["calls"] >= len(self.calls):
                return statistics
            if time.monotonic() > deadline:
                raise harness.Failure(f"the log holds {statistics['calls']} of {len(self.calls)} calls")
            time.sleep(0.2)

    def find_tasks(self):
        statistics = self.wait_until_logged()
        self.screen.step(f"           the encrypted log holds {statistics['calls']} calls")
        report = self.program.json("curate")
        kept = report.get("kept", report.get("examples", "?"))
        self.screen.step(f"S2 curate: {kept} examples kept")
        self.program.json("cluster")
        tasks = {task["id"]: task for task in self.program.json("tasks")}
        assigned = self.program.assignments()
        votes = collections.defaultdict(collections.Counter)
        for call, reply in zip(self.calls, self.replies):
            votes[assigned.get(reply.call_id)][call.agent] += 1
        for task_id, task in tasks.items():
            if not votes[task_id]:
                continue
            agent, count = votes[task_id].most_common(1)[0]
            if count >= TASK_SHARE_MIN * self.counts[agent]:
                self.outcomes.append(Outcome(task_id, task["name"], agent, sum(votes[task_id].values()),
                                             reason=task.get("replaceability", {}).get("reason", "")))
        order = list(self.counts)
        self.outcomes.sort(key=lambda outcome: order.index(outcome.agent))
        self.screen.step(f"S3 cluster: {len(tasks)} tasks, {sum(votes[None].values())} calls in none")
        for outcome in self.outcomes:
            self.screen.say(f"            {outcome.task}  {outcome.name}  ({outcome.calls} calls, "
                            f"agent: {outcome.agent})")

    def select_and_tune(self):
        for outcome in self.outcomes:
            candidates = self.program.json("select", outcome.task)["candidates"]
            usable = [c for c in candidates if c["eligible"] and c["kind"] in ("classifier", "nano")]
            if usable:
                outcome.candidate = usable[0]["kind"]
            else:
                own = [c for c in candidates if c["kind"] == "nano"] or candidates
                outcome.reason = "; ".join(own[0]["reasons"][:1]) if own else outcome.reason
            self.screen.step(f"S4 select: {outcome.agent}: {outcome.candidate}" +
                             ("" if usable else f" (stays on the LLM: {outcome.reason})"))
        self.tune([o for o in self.outcomes if o.candidate == "classifier"], workers=1)
        # One core each, side by side: small models gain little from a second core.
        self.tune([o for o in self.outcomes if o.candidate == "nano"], workers=2)

    def tune(self, outcomes, workers):
        def tune_one(outcome):
            started = time.monotonic()
            words = ["tune", outcome.task, "--candidate", outcome.candidate, "--max-minutes",
                     self.options.max_minutes]
            self.program.json(*words, environment={"OMP_NUM_THREADS": "1"} if workers > 1 else None)
            outcome.tune_seconds = time.monotonic() - started
            self.screen.step(f"S5 tune: {outcome.agent}: {outcome.candidate} in {outcome.tune_seconds:.1f} s")

        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            try:
                for result in [pool.submit(tune_one, outcome) for outcome in outcomes]:
                    result.result()
            except BaseException:  # Ctrl-C too: the pool would wait for the training to end
                pool.shutdown(wait=False, cancel_futures=True)
                self.program.stop()
                raise

    def evaluate_and_promote(self):
        for outcome in self.outcomes:
            if outcome.candidate == "-":
                continue
            evaluation = self.program.json("evaluate", outcome.task, "--alpha", "0.05", "--delta", "0.1")
            outcome.verdict, outcome.reason = evaluation["verdict"], evaluation["reason"]
            outcome.test = evaluation["test"]
            self.screen.step(f"S6 evaluate: {outcome.agent}: {outcome.verdict} ({outcome.reason})")
            if outcome.verdict == "convert":
                self.program.json("promote", outcome.task)
                outcome.promoted = True
        promoted = [outcome for outcome in self.outcomes if outcome.promoted]
        self.wait_until_live(promoted)
        self.screen.step(f"S6 promote: {len(promoted)} tasks are live")

    def wait_until_live(self, promoted):
        """The gateway looks for a new policy every second and starts the models of it."""
        deadline = time.monotonic() + 90
        for outcome in promoted:
            probes = iter(agents.generate(outcome.agent, 3, 2000))
            while True:
                reply = harness.send(self.gateway.url, [next(probes)])[0]
                ready = reply.served_by == "slm" or reply.reason in ("low_confidence", "invalid_answer")
                if ready and reply.headers.get("x-understudy-task") == outcome.task:
                    break
                if time.monotonic() > deadline:
                    raise harness.Failure(f"the model of {outcome.name} did not go live: last reason {reply.reason!r}; "
                                          f"the gateway's log says:\n{self.gateway.log_text()[-1500:]}")
                time.sleep(0.3)

    def send_fresh_calls(self):
        known = [agents.request_key(call.request) for call in self.calls]
        fresh = [call for name, count in self.counts.items()
                 for call in agents.generate(name, 2, int(count * FRESH_SHARE), exclude=known)]
        fresh.sort(key=lambda call: hash_of(call.session))
        replies = harness.send(self.gateway.url, fresh, concurrency=6, stream_share=0.2,
                               progress=self.screen.progress("fresh calls"))
        for outcome in self.outcomes:
            mine = [(c, r) for c, r in zip(fresh, replies) if c.agent == outcome.agent]
            slm = [(c, r) for c, r in mine
                   if r.served_by == "slm" and r.headers.get("x-understudy-task") == outcome.task]
            llm = [r for c, r in zip(self.calls, self.replies) if c.agent == outcome.agent]
            outcome.fresh, outcome.served = len(mine), len(slm)
            outcome.agreed = sum(r.message is not None and agents.same_answer(r.message, c.answer) for c, r in slm)
            outcome.slm_ms = 1000 * harness.median(r.seconds for _, r in slm)
            outcome.llm_ms = 1000 * harness.median(r.seconds for r in llm)
        self.fresh_calls = len(fresh)
        self.fresh_failed = sum(not reply.whole for reply in replies)
        self.screen.step(f"fresh calls: {len(fresh)} with other seeds, {self.fresh_failed} failed")

    def summary(self):
        served = sum(outcome.served for outcome in self.outcomes)
        agreed = sum(outcome.agreed for outcome in self.outcomes)
        report = self.program.json("report")
        converted = [outcome for outcome in self.outcomes if outcome.promoted]
        open_ended = [o for o in self.outcomes if agents.AGENTS[o.agent].open_ended]
        needed = CONVERTED_MIN - self.options.quick
        served_min = SERVED_MIN_QUICK if self.options.quick else SERVED_MIN
        checks = {
            f"at least {needed} tasks converted": len(converted) >= needed,
            "the open-ended task stays on the LLM, with a reason":
                bool(open_ended) and all(not o.promoted and o.reason for o in open_ended),
            f"at least {served_min:.0%} of the fresh calls served by small models":
                served >= served_min * self.fresh_calls,
            f"those answers are the LLM's, as far as {served} of them tell, in {AGREEMENT_MIN:.0%} or more":
                served and speaks_not_against(agreed, served, AGREEMENT_MIN),
            "no fresh call failed": self.fresh_failed == 0,
        }
        return {"simulated": True, "seconds": round(self.screen.seconds(), 1), "home": str(self.program.home),
                "calls": len(self.calls), "fresh_calls": self.fresh_calls, "fresh_served_by_slm": served,
                "fresh_agreed": agreed, "report": report.get("html", ""),
                "tasks": [dataclasses.asdict(outcome) for outcome in self.outcomes],
                "bar": {text: bool(held) for text, held in checks.items()}}


def hash_of(text):
    """Mixes sessions in an order that is the same in every run."""
    value = 2166136261
    for byte in text.encode():
        value = (value ^ byte) * 16777619 % 2**32
    return value


def print_summary(result):
    print(f"\nOutcome per task (agents and LLM SIMULATED; {result['calls']} calls learned from, "
          f"{result['fresh_calls']} fresh ones)\n")
    print(f"{'agent':9}{'task':44}{'calls':>6} {'model':11}{'verdict':16}{'on the test split':25}"
          f"{'fresh by SLM':>14}{'as the LLM':>11}  {'SLM / LLM median'}")
    for task in result["tasks"]:
        test = task["test"]
        proof = "-"
        if test.get("kept"):
            proof = f"{test['agreed'] / test['kept']:.3f} [{test['lower']:.3f}, {test['upper']:.3f}]"
        share = f"{task['served']}/{task['fresh']}"
        agreed = f"{task['agreed'] / task['served']:.1%}" if task["served"] else "-"
        slm_ms = f"{task['slm_ms']:.0f}" if task["served"] else "-"
        latency = f"{slm_ms} / {task['llm_ms']:.0f} ms"
        print(f"{task['agent']:9}{task['name'][:42]:44}{task['calls']:>6} {task['candidate']:11}{task['verdict']:16}"
              f"{proof:25}{share:>14}{agreed:>11}  {latency}")
    for task in result["tasks"]:
        if not task["promoted"]:
            print(f"\n{task['agent']} stays on the LLM: {task['reason']}")
    served, fresh, agreed = result["fresh_served_by_slm"], result["fresh_calls"], result["fresh_agreed"]
    print(f"\nSmall models served {served} of {fresh} fresh calls ({served / max(1, fresh):.1%}); {agreed} of those "
          f"answers ({agreed / max(1, served):.1%}) are what the simulated LLM says.")
    for text, held in result["bar"].items():
        print(f"  {'ok  ' if held else 'MISS'}  {text}")
    print(f"\n{result['seconds']:.0f} s. Report: {result['report']}\nHome: {result['home']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, help="the built understudy")
    parser.add_argument("--home", type=pathlib.Path, help="an empty directory (default: a new one below /tmp)")
    parser.add_argument("--max-minutes", default="1.3", help="of training per small transformer")
    parser.add_argument("--quick", action="store_true", help="closed-answer agents only, in well under a minute")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    home = options.home or pathlib.Path(tempfile.mkdtemp(prefix="understudy-demo-"))
    if home.exists() and any(home.iterdir()):
        parser.error(f"{home} is not empty; name a new directory")
    try:
        with harness.Children(home / "demo") as children:
            result = Demo(options, harness.Program(options.program, home), children).run()
    except harness.Failure as failure:
        print(f"demo: {failure}\ndemo: the home is kept in {home}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\ndemo: interrupted; the home is kept in {home}", file=sys.stderr)
        return 130
    if options.json:
        print(json.dumps(result, indent=2))
    else:
        print_summary(result)
    return 0 if all(result["bar"].values()) else 1


if __name__ == "__main__":
    sys.exit(main())
