"""What a figure needs beside it: the machine, the commit, and seconds per step."""

import contextlib
import os
import pathlib
import sys
import time

PROJECT = pathlib.Path(__file__).resolve().parent.parent


def describe():
    names = [line.partition(":")[2].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
             if line.startswith("model name")]
    memory_kib = int(pathlib.Path("/proc/meminfo").read_text().split()[1])
    load = os.getloadavg()[0]
    return (f"{os.cpu_count()} cores ({names[0] if names else 'unknown'}), {memory_kib / 2**20:.0f} GiB memory, "
            f"load {load:.1f} at the end")


def commit():
    """The checked-out commit, read without git (the forky root need not have it)."""
    try:
        head = (PROJECT / ".git/HEAD").read_text().strip()
        if not head.startswith("ref: "):
            return head[:12]
        name = head[5:]
        loose = PROJECT / ".git" / name
        if loose.exists():
            return loose.read_text().strip()[:12]
        for line in (PROJECT / ".git/packed-refs").read_text().splitlines():
            if line.endswith(name):
                return line[:12]
    except OSError:
        pass
    return "unknown"


class Steps:
    """Seconds per step, and a line on stderr for each as it ends."""

    def __init__(self):
        self.seconds = {}

    @contextlib.contextmanager
    def step(self, name):
        started = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - started, 2)
        print(f"{self.seconds[name]:8.1f} s  {name}", file=sys.stderr, flush=True)


def print_figures(result):
    for key, value in result.items():
        if key == "targets":
            for text, held in value.items():
                print(f"  {'ok  ' if held else 'MISS'}  {text}")
        elif isinstance(value, dict):
            print(f"{key}:")
            for name, figure in value.items():
                print(f"  {name}: {figure}")
        elif isinstance(value, list):
            print(f"{key}:")
            for entry in value:
                print(f"  {entry}")
        else:
            print(f"{key}: {value}")
