"""The console over a large log: what each page waits for, at rest and while new calls come in."""

import itertools
import json
import pathlib
import statistics
import subprocess
import sys
import time
import urllib.request

import agents
import harness
import machine

CALLS = {"intent": 60_000, "extract": 25_000, "tools": 10_000, "writing": 5_000}
ROUNDS = 10
ANSWER_MS_MAX = 300
START_SECONDS_MAX = 60
FIRST_SECONDS_MAX = 120
CATCH_UP_SECONDS_MAX = 180


class Console:
    """A running console and its owner's token."""

    def __init__(self, program):
        self.address = program.home / "console-url"
        self.child = subprocess.Popen(program.command("console", "--listen", "127.0.0.1:0", "--url-file", self.address),
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + START_SECONDS_MAX
        while not self.address.exists():
            if self.child.poll() is not None or time.monotonic() > end:
                raise harness.Failure("the console did not start")
            time.sleep(0.02)
        self.url, _, self.token = self.address.read_text().strip().partition("/#token=")

    def ask(self, path):
        """The answer, and the milliseconds that it took."""
        begun = time.perf_counter()
        request = urllib.request.Request(self.url + path, headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request, timeout=FIRST_SECONDS_MAX) as reply:
            body = reply.read()
        return json.loads(body), 1000 * (time.perf_counter() - begun)

    def memory_mib(self):
        lines = pathlib.Path(f"/proc/{self.child.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024

    def stop(self):
        self.child.terminate()
        self.child.wait(timeout=30)


def write_calls(target, counts, seed):
    with target.open("w", encoding="utf-8") as out:
        for name, count in counts.items():
            for number, call in enumerate(agents.generate(name, seed, count)):
                out.write(json.dumps(agents.record(call, f"{name}-{seed}-{number}")) + "\n")


def pages(console):
    """What the pages ask for: lists, a search that finds nothing, one session, one call and its content."""
    newest = console.ask("/api/calls?limit=500")[0]["calls"]
    oldest = newest[-1]
    return {"overview": "/api/overview", "last hour": "/api/overview?seconds=3600", "tasks": "/api/tasks",
            "models": "/api/models", "routing": "/api/routing", "settings": "/api/settings", "calls": "/api/calls",
            "search": "/api/calls?q=is-in-no-call",
            "session": f"/api/calls?session={oldest['session']}&limit=500", "call": f"/api/calls/{oldest['id']}"}


def times_of(console, paths, before_round=lambda number: None, is_over=lambda number: number >= ROUNDS):
    taken = {name: [] for name in paths}
    for number in itertools.count():
        if is_over(number):
            break
        before_round(number)
        for name, path in paths.items():
            taken[name].append(console.ask(path)[1])
    return {name: {"median_ms": round(statistics.median(each), 1), "max_ms": round(max(each), 1)}
            for name, each in taken.items()}


def run(program, _, options):
    steps = machine.Steps()
    program.text("keys", "init")
    source = program.home.parent / f"{program.home.name}-calls.jsonl"
    with steps.step(f"{sum(CALLS.values())} calls"):
        write_calls(source, CALLS, 1)
        program.text("import", source)
        source.unlink()
    console = Console(program)
    try:
        with steps.step("the first page after the start"):
            first_ms = console.ask("/api/overview")[1]
        paths = pages(console)
        with steps.step("pages at rest"):
            at_rest = times_of(console, paths)

        def more_calls(number):
            if number < ROUNDS:
                write_calls(source, {"intent": 20}, 100 + number)
                program.text("import", source)

        # What is read anew is large: the rounds go on until a page shows a call that came in.
        end = time.monotonic() + CATCH_UP_SECONDS_MAX

        def has_caught_up(number):
            shown = console.ask("/api/calls?limit=1")[0]["recorded"]
            return (number >= ROUNDS and shown > sum(CALLS.values())) or time.monotonic() > end

        with steps.step("pages while calls come in"):
            under_way = times_of(console, paths, more_calls, has_caught_up)
        caught_up = console.ask("/api/calls?limit=1")[0]["recorded"] > sum(CALLS.values())
        source.unlink()
        known = [call["id"] for call in console.ask("/api/calls?limit=500")[0]["calls"]]
        content = [console.ask(f"/api/calls/{call}/content")[1] for call in known[::50]]
        content_ms = statistics.median(content)
        memory = console.memory_mib()
    finally:
        console.stop()
    worst = {name: max(each[name]["median_ms"] for each in (at_rest, under_way)) for name in paths}
    print(f"  medians, ms: {worst}", file=sys.stderr)
    targets = {f"{name} answers in {ANSWER_MS_MAX} ms ({ms} ms)": ms <= ANSWER_MS_MAX for name, ms in worst.items()}
    targets[f"a call's content is opened in {ANSWER_MS_MAX} ms ({content_ms:.0f} ms)"] = content_ms <= ANSWER_MS_MAX
    targets["new calls are shown"] = caught_up
    return {"calls": sum(CALLS.values()), "first_page_ms": round(first_ms), "at_rest": at_rest,
            "while_calls_come_in": under_way, "content_of_one_call_ms": round(content_ms), "content_of_one_call_ms_max": round(max(content)), "memory_peak_mib": memory, "seconds": steps.seconds}, targets
