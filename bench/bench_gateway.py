"""The gateway's cost: direct, nginx proxy_pass, Portkey, and Understudy with capture off, async and durable.

Everything runs on this machine, at once, and is measured in turn, round by round: what else the machine does hits all
alike. Each round starts its systems anew: one process differs from the next by up to 20 % for as long as it lives.
Ratios are taken within a round, then the median over the rounds. Encryption is on wherever capture is.

What capture costs is less than what one process differs from the next: it has pairs of fresh processes of its own.
"""

import contextlib
import ctypes
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import time
from statistics import fmean, median, stdev

import gateway_systems
import harness
import machine
import resources

LOAD = machine.PROJECT / "bench/load"
CONNECTIONS = (1, 16, 64, 256)
STREAMS = 32          # at once, for the first token and the gaps
MANY_STREAMS = 1000   # at once, for lost frames
SLOW_DISK_MS = 50
MNT_DETACH = 2        # sys/mount.h

# The bars of issue 3, all with capture on (async).
RATE_OF_NGINX_MIN, RATE_OF_PORTKEY_MIN = 0.6, 25
CAPTURE_COST_MAX, CAPTURE_COST_AIM = 0.15, 0.05
ADDED_P50_OF_NGINX_MAX = 1.5
RESIDENT_MIB_MAX, GROWTH_MIB_MAX = 32, 1.0
START_MS_MAX = 50


def say(text):
    print(f"  {text}", file=sys.stderr, flush=True)


def wrk(system, connections, seconds, seed):
    environment = {**os.environ, "LOAD_HEADERS": system.headers, "LOAD_SEED": str(seed)}
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", LOAD / "chat.lua",
               f"http://127.0.0.1:{system.port}/v1/chat/completions"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=environment)
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if not lines:
        raise harness.Failure(f"wrk failed on {system.name}: {done.stderr[-500:]}{done.stdout[-500:]}")
    result = json.loads(lines[0][7:])
    result["rate"] = result["requests"] / result["seconds"]
    return result


def read_streams(program, system, connections, streams=1, start_ms=1000):
    words = [gateway_systems.load_tool(program.path), "streams", "--port", system.port, "--connections", connections,
             "--streams", streams, "--start-ms", start_ms]
    for header in filter(None, system.headers.split("\r\n")):
        words += ["--header", header]
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True)
    if not done.stdout.strip():
        raise harness.Failure(f"understudy-load streams failed on {system.name}: {done.stderr[-500:]}")
    return json.loads(done.stdout)


def measure_round(program, systems, number, seconds):
    """{system: {connections: wrk's figures}, "streams", "idle_mib" and "resident_mib"}"""
    time.sleep(1)
    measured = {system.name: {"idle_mib": resources.resident_mib(system.pid)} for system in systems}
    # All systems take a figure one behind the other, before the machine has changed its speed; in another order in each
    # round, and to and fro within it: nobody always runs behind the same one.
    order = systems[number % len(systems):] + systems[:number % len(systems)]
    with contextlib.ExitStack() as watching:
        watches = {system.name: watching.enter_context(resources.MemoryWatch(system.pid)) for system in systems}
        for connections in CONNECTIONS:
            for system in order:
                cpu = resources.cpu_seconds(system.pid)
                result = wrk(system, connections, seconds, seed=number * 10 + CONNECTIONS.index(connections))
                result["cpu_us"] = 1e6 * (resources.cpu_seconds(system.pid) - cpu) / max(1, result["requests"])
                measured[system.name][connections] = result
            order.reverse()
        for system in order:
            measured[system.name]["streams"] = read_streams(program, system, STREAMS)
            gateway_systems.drop_log(system)
    for name, figures in measured.items():
        figures["resident_mib"] = watches[name].peak()
        say(f"round {number + 1}: {name:18} " + "  ".join(
            f"c={c} {figures[c]['rate']:.0f}/s" for c in CONNECTIONS) + f"  {figures['resident_mib']:.1f} MiB")
    return measured


@dataclasses.dataclass
class CapturePairs:
    """What is left of the rate with capture on, in each of some pairs of fresh processes."""
    ratios: list
    failures: int

    @property
    def cost(self):
        return 1 - median(self.ratios)

    def __str__(self):
        ordered = sorted(self.ratios)
        mean = fmean(ordered)
        error = stdev(ordered) / len(ordered) ** 0.5 if len(ordered) > 1 else float("nan")
        return (f"median {self.cost:.1%}, mean {1 - mean:.1%} with a standard error of {error:.1%}, "
                f"{1 - ordered[-1]:.1%} to {1 - ordered[0]:.1%}; {len(ordered)} pairs, {self.failures} calls failed")


def measure_capture_pairs(program, count, seconds):
    """16 connections, each pair to and fro and in short turns: a machine that becomes slower meanwhile hits both alike."""
    pairs = CapturePairs([], 0)
    for number in range(count):
        with gateway_systems.Systems(program, program.home / f"pair-{number + 1}") as systems:
            order = ["off", "async"] if number % 2 else ["async", "off"]
            pair = {mode: systems.understudy(mode, systems.mock().port) for mode in order}
            for mode in order:
                wrk(pair[mode], 1, 1, seed=number)
            rates = {mode: [] for mode in order}
            for mode in 2 * (order + order[::-1]):
                result = wrk(pair[mode], 16, max(1, seconds // 2), seed=1000 + number)
                rates[mode].append(result["rate"])
                pairs.failures += result["not_200"] + result["broken"]
                gateway_systems.drop_log(pair[mode])
            pairs.ratios.append(fmean(rates["async"]) / fmean(rates["off"]))
            say(f"pair {number + 1}: capture costs {1 - pairs.ratios[-1]:6.1%} of {fmean(rates['off']):.0f}/s")
    return pairs


class Rounds:
    """All rounds; every figure is a median over them."""

    def __init__(self, rounds):
        self.rounds = rounds

    def of(self, name, *path):
        """The median of one figure, e.g. of("nginx", 16, "rate")."""
        return median([self.take(measured[name], path) for measured in self.rounds])

    @staticmethod
    def take(figures, path):
        for key in path:
            figures = figures[key]
        return figures

    def added(self, name, *path):
        """What a system adds to `direct`, within each round."""
        return median([self.take(measured[name], path) - self.take(measured["direct"], path) for measured in self.rounds])

    def ratio(self, left, right, *path):
        return median([self.take(measured[left], path) / self.take(measured[right], path) for measured in self.rounds])

    def added_ratio(self, left, right, *path):
        def added(measured, name):
            return self.take(measured[name], path) - self.take(measured["direct"], path)
        return median([added(measured, left) / max(1e-9, added(measured, right)) for measured in self.rounds])

    def failures(self, name):
        return sum(measured[name][c][key] for measured in self.rounds for c in CONNECTIONS for key in ("not_200", "broken"))

    def spread(self, name, *path):
        values = [self.take(measured[name], path) for measured in self.rounds]
        return f"{min(values):.0f}..{max(values):.0f}"


def table(rounds, names):
    for name in names:
        def rate(connections, name=name):
            return f"{rounds.of(name, connections, 'rate'):8.0f}"
        yield (f"{name:18} " + " ".join(rate(c) for c in CONNECTIONS) +
               f" req/s | +p50 {rounds.added(name, 1, 'p50_us'):6.0f} +p99 {rounds.added(name, 1, 'p99_us'):7.0f} us"
               f" | cpu {rounds.of(name, 16, 'cpu_us'):5.1f} us"
               f" | first frame +{rounds.added(name, 'streams', 'first_frame', 'p50_us'):5.0f}"
               f" gap p99 +{rounds.added(name, 'streams', 'gap', 'p99_us'):5.0f}"
               f" way p50 +{rounds.added(name, 'streams', 'under_way', 'p50_us'):4.0f} us"
               f" | rss {rounds.of(name, 'idle_mib'):5.1f} idle, {rounds.of(name, 'resident_mib'):5.1f} MiB peak"
               f" | failed {rounds.failures(name)} | c=16 {rounds.spread(name, 16, 'rate')}")


def start_seconds(program, upstream_port, count=15):
    """From exec to an accepted connection on a port known beforehand."""
    taken = []
    program = harness.Program(program.path, program.home / "start-home")
    program.text("keys", "init")
    for _ in range(count):
        port = harness.free_port()
        command = program.command("serve", "--listen", f"127.0.0.1:{port}", "--upstream",
                                  f"http://127.0.0.1:{upstream_port}/v1")
        started = time.monotonic()
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as process:
            while True:
                try:
                    gateway_systems.socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    if process.poll() is not None or time.monotonic() > started + 30:
                        raise harness.Failure("the gateway did not start") from None
                    time.sleep(0.0005)
            taken.append(time.monotonic() - started)
            process.terminate()
    return taken


def small_disk(directory):
    """A file system of 1 MiB, or the reason why there is none."""
    directory.mkdir()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"tmpfs", bytes(directory), b"tmpfs", 0, b"size=1m,mode=0700") != 0:
        return None, os.strerror(ctypes.get_errno())
    return lambda: libc.umount2(bytes(directory), MNT_DETACH), ""


def soak(system, seconds, connections=16):
    """Memory while load runs; and how many calls were answered."""
    answered = failed = number = 0
    with resources.MemoryWatch(system.pid) as watch:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            result = wrk(system, connections, max(1, min(10, int(deadline - time.monotonic()))), seed=500 + number)
            answered += result["requests"]
            failed += result["not_200"] + result["broken"]
            number += 1
            gateway_systems.drop_log(system)
    return {"seconds": round(watch.samples[-1][0]), "answered": answered, "failed": failed,
            "peak_mib": round(watch.peak(), 1), "growth_mib": round(watch.growth(), 2),
            "held": watch.peak() <= RESIDENT_MIB_MAX and watch.growth() <= GROWTH_MIB_MAX and failed == 0}


def soaks(systems, upstream_port, seconds):
    """The same load on a good disk, a full one and a slow one."""
    results = {}
    good = systems.understudy("async", upstream_port, "soak")
    results["good disk"] = soak(good, seconds)
    say(f"good disk: {results['good disk']}")

    home = systems.directory / "full-home"
    unmount, reason = small_disk(home)
    if unmount is None:
        systems.notes.append(f"the full disk is not measured: mounting a tmpfs is not permitted here ({reason})")
    else:
        try:
            full = systems.understudy("async", upstream_port, "full disk", home=home)
            results["full disk"] = soak(full, seconds)
            say(f"full disk: {results['full disk']}")
        finally:
            unmount()
    shim = pathlib.Path(systems.program.path).parent / "slow-disk.so"
    if shim.exists():
        slow = systems.understudy("async", upstream_port, "slow disk", environment={
            "LD_PRELOAD": str(shim), "UNDERSTUDY_SLOW_DISK_MS": str(SLOW_DISK_MS)})
        results["slow disk"] = soak(slow, seconds)
        say(f"slow disk: {results['slow disk']}")
    return results


def evaluate(rounds, pairs, names, many, memory, starts):
    ours = "understudy async"
    targets = {}
    if ours in names and "nginx" in names:
        ratio = rounds.ratio(ours, "nginx", 16, "rate")
        targets[f"capture on: at least {RATE_OF_NGINX_MIN}x nginx's requests/s at 16 connections ({ratio:.2f}x)"] = (
            ratio >= RATE_OF_NGINX_MIN)
        if "portkey" in names:
            ratio = rounds.ratio(ours, "portkey", 16, "rate")
            targets[f"capture on: at least {RATE_OF_PORTKEY_MIN}x Portkey's ({ratio:.1f}x)"] = ratio >= RATE_OF_PORTKEY_MIN
        added = rounds.added_ratio(ours, "nginx", 1, "p50_us")
        targets[f"capture on: added p50 at one connection at most {ADDED_P50_OF_NGINX_MAX}x nginx's ({added:.2f}x)"] = (
            added <= ADDED_P50_OF_NGINX_MAX)
        loaded = max(measured[ours]["resident_mib"] for measured in rounds.rounds)
        targets[f"RSS at most {RESIDENT_MIB_MAX} MiB loaded ({loaded:.1f} MiB)"] = loaded <= RESIDENT_MIB_MAX
        targets["no call failed in any round"] = all(rounds.failures(name) == 0 for name in names if "understudy" in name)
    if pairs:
        targets[f"capture costs at most {CAPTURE_COST_MAX:.0%} of the rate ({pairs.cost:.1%}; "
                f"aim {CAPTURE_COST_AIM:.0%})"] = pairs.cost <= CAPTURE_COST_MAX and pairs.failures == 0
    else:
        targets["what capture costs was measured"] = False
    lost = many.get(ours, {}).get("frames_lost")
    whole = many.get(ours, {}).get("whole")
    targets[f"no frame lost on {MANY_STREAMS} concurrent streams (lost {lost}, {whole} whole)"] = (
        lost == 0 and whole == MANY_STREAMS)
    for disk in ("good disk", "full disk", "slow disk") if memory else ():
        result = memory.get(disk, {})
        targets[f"RSS flat and at most {RESIDENT_MIB_MAX} MiB under load on a {disk} ({result.get('peak_mib')} MiB, "
                f"{result.get('growth_mib')} MiB growth)"] = bool(result.get("held"))
    start_ms = 1000 * median(starts)
    targets[f"listens in under {START_MS_MAX} ms ({start_ms:.0f} ms)"] = start_ms < START_MS_MAX
    return targets


def run(program, _, options):
    resources.raise_file_limit()
    steps = machine.Steps()
    wanted = options.systems.split(",")
    measured = []
    with steps.step(f"{options.rounds} rounds"):
        for number in range(options.rounds):
            with gateway_systems.Systems(program, program.home / f"round-{number + 1}") as systems:
                measured.append(measure_round(program, systems.compared(wanted), number, options.seconds))
    rounds = Rounds(measured)
    names = list(measured[0])
    pairs = None
    if {"off", "async"} <= set(wanted) and options.pairs:
        with steps.step(f"{options.pairs} pairs for capture"):
            pairs = measure_capture_pairs(program, options.pairs, options.seconds)
    with gateway_systems.Systems(program, program.home / "after") as systems:
        compared = systems.compared([name for name in wanted if name != "portkey"])  # it would only start and wait
        upstream_port = compared[0].port
        many = {}
        with steps.step(f"{MANY_STREAMS} streams"):
            for system in compared:
                many[system.name] = read_streams(program, system, MANY_STREAMS, start_ms=2000)
        with steps.step("starts"):
            starts = start_seconds(program, upstream_port)
        memory = {}
        if options.minutes:
            with steps.step("memory under load"):
                memory = soaks(systems, upstream_port, 60 * options.minutes)
        figures = {
            "set-up": f"all on this machine, a mock upstream for each; wrk -t1, {options.seconds} s a figure; request 1,006 "
                      "bytes of JSON with a shared system prompt and a last message of its own, answer 1,024 bytes; "
                      f"streams of 64 frames at 20 ms, {STREAMS} at once; medians of {options.rounds} interleaved rounds; "
                      "'+' is over direct",
            "log on": gateway_systems.file_system_of(program.home),
            "requests/s at " + "/".join(map(str, CONNECTIONS)): list(table(rounds, names)),
            "to nginx and Portkey": {
                name: ", ".join(f"{rounds.ratio(name, other, 16, 'rate'):.2f}x {other} at c=16" for other in (
                    "nginx", "portkey") if other in names) for name in names if "understudy" in name},
            "what capture costs at 16 connections": str(pairs) if pairs else "not measured",
            f"{MANY_STREAMS} streams": {name: f"{result['whole']} whole, {result['frames_lost']} frames lost, gap p99 "
                                        f"{result['gap']['p99_us'] / 1000:.1f} ms, way p99 "
                                        f"{result['under_way']['p99_us'] / 1000:.1f} ms {result['first_problem']}"
                                        for name, result in many.items()},
            "memory under load": memory,
            "start": f"median {1000 * median(starts):.0f} ms, {1000 * min(starts):.0f}..{1000 * max(starts):.0f} ms",
            "seconds": steps.seconds, "notes": systems.notes}
        if options.raw:
            options.raw.write_text(json.dumps({"rounds": measured, "many": many, "memory": memory, "starts": starts,
                                               "capture pairs": pairs and pairs.ratios}))
        return figures, evaluate(rounds, pairs, names, many, memory, starts)
