"""What a process costs, read from /proc: CPU time, resident memory, and memory over time."""

import os
import pathlib
import resource
import threading
import time

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def family(pid):
    """The process and its children (nginx has workers)."""
    pids = [pid]
    for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        pids += family(int(child))
    return pids


def cpu_seconds(pid):
    """User and system time of the process and its living children."""
    ticks = 0
    for one in family(pid):
        fields = pathlib.Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS_PER_SECOND


def resident_mib(pid):
    total = 0
    for one in family(pid):
        text = pathlib.Path(f"/proc/{one}/status").read_text()
        total += int(text.split("VmRSS:")[1].split()[0])
    return total / 1024


def raise_file_limit():
    """As many open files as this machine allows: 1,000 streams are 4,000 sockets when everything runs here."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class MemoryWatch:
    """Samples a process's resident memory while its `with` block runs."""

    def __init__(self, pid, interval_seconds=0.5):
        self.pid, self.interval = pid, interval_seconds
        self.samples = []  # (seconds since the start, MiB)
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def __enter__(self):
        self.started = time.monotonic()
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()

    def watch(self):
        while not self.stopping.is_set():
            try:
                self.samples.append((time.monotonic() - self.started, resident_mib(self.pid)))
            except (OSError, IndexError):
                return  # the process has ended
            self.stopping.wait(self.interval)

    def mean(self, first, last):
        """Of the samples between two shares of the time."""
        end = self.samples[-1][0] if self.samples else 0
        chosen = [mib for seconds, mib in self.samples if first * end <= seconds <= last * end]
        return sum(chosen) / len(chosen) if chosen else 0.0

    def peak(self):
        return max((mib for _, mib in self.samples), default=0.0)

    def growth(self):
        """MiB between the second quarter of the time and the last one: what warming up takes is over by then."""
        return self.mean(0.75, 1) - self.mean(0.25, 0.5)
