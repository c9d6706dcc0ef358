"""What a terminal shows: `status --watch` as a live screen and as lines, and progress as a bar; both leave the terminal as it was.
The program runs in a pseudo-terminal, as under a person's hands."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import support

ROWS, COLUMNS = 40, 120
SECONDS_MAX = 60
ALTERNATE_SCREEN, MAIN_SCREEN, SHOWN_CURSOR = b"\x1b[?1049h", b"\x1b[?1049l", b"\x1b[?25h"
COLOUR = re.compile(rb"\x1b\[[0-9;]*(?:3[0-7]|9[0-7]|38;5|38;2)[0-9;]*m")


class Terminal:
    """A program in a pseudo-terminal; `seen` is everything that it wrote there."""

    def __init__(self, command, environment, stderr_only=False):
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.before = termios.tcgetattr(self.slave)
        self.seen = b""
        other = subprocess.DEVNULL if stderr_only else self.slave
        self.child = subprocess.Popen(command, stdin=other, stdout=other, stderr=self.slave, start_new_session=True,
                                      env={**os.environ, "TERM": "xterm-256color", **environment})

    def read(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([self.master], [], [], 0.05)[0]:
                self.seen += os.read(self.master, 65536)
            elif self.child.poll() is not None:
                return

    def wait_for(self, *words):
        end = time.monotonic() + SECONDS_MAX
        while not all(word.encode() in self.seen for word in words):
            if time.monotonic() > end or self.child.poll() is not None:
                raise AssertionError(f"{words} did not come: {self.seen[-3000:]!r}")
            self.read(0.2)

    def end(self):
        try:
            self.child.wait(timeout=SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.child.kill()
            raise
        self.read(0.2)
        after = termios.tcgetattr(self.slave)
        for descriptor in (self.master, self.slave):
            os.close(descriptor)
        return after


class TerminalTest(support.ProgramTest):
    def filled(self, calls=60):
        self.with_keys()
        self.program.json("import", self.write_lines("calls.jsonl", support.records("intent", 1, calls)))

    def watch(self, *words, **environment):
        terminal = Terminal(self.program.command("status", "--watch", "--every", "0.2", *words), environment)
        self.addCleanup(terminal.child.kill)
        return terminal

    def assert_left_clean(self, terminal):
        after = terminal.end()
        self.assertEqual(terminal.child.returncode, 0, terminal.seen[-2000:])
        self.assertEqual(after, terminal.before, "the terminal's modes")
        begun, left = terminal.seen.find(ALTERNATE_SCREEN), terminal.seen.rfind(MAIN_SCREEN)
        self.assertGreaterEqual(begun, 0)
        self.assertGreater(left, begun)
        self.assertIn(SHOWN_CURSOR, terminal.seen[left - 200:])

    def test_the_live_screen_follows_and_every_way_out_leaves_the_terminal_clean(self):
        self.filled()
        terminal = self.watch()
        terminal.wait_for("Traffic", "Tasks", "Policies", "Health", "Next", "understudy curate", "60")
        self.assertRegex(terminal.seen, COLOUR)
        self.program.json("import", self.write_lines("more.jsonl", support.records("intent", 2, 17)))
        terminal.wait_for("77")
        os.write(terminal.master, b"\x03")  # Ctrl-C
        self.assert_left_clean(terminal)
        for end in (lambda one: os.write(one.master, b"q"), lambda one: one.child.send_signal(signal.SIGTERM),
                    lambda one: one.child.send_signal(signal.SIGINT)):
            terminal = self.watch()
            terminal.wait_for("Traffic")
            end(terminal)
            self.assert_left_clean(terminal)

    def test_a_screen_whose_terminal_is_gone_ends(self):
        self.filled()
        terminal = self.watch()
        terminal.wait_for("Traffic")
        for descriptor in (terminal.master, terminal.slave):
            os.close(descriptor)
        terminal.child.wait(timeout=SECONDS_MAX)

    def test_no_color_is_honoured(self):
        self.filled()
        terminal = self.watch(NO_COLOR="1")
        terminal.wait_for("Traffic", "last hour")
        os.write(terminal.master, b"q")
        self.assert_left_clean(terminal)
        self.assertNotRegex(terminal.seen, COLOUR)

    def test_without_a_terminal_each_change_is_a_line(self):
        self.filled()
        for form in ([], ["--json"]):
            child = subprocess.Popen(self.program.command("status", "--watch", "--every", "0.2", *form), stdin=subprocess.DEVNULL,
                                     stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            self.addCleanup(child.kill)
            first = child.stdout.readline()
            self.assertNotIn("\x1b", first)
            self.program.json("import", self.write_lines("more.jsonl", support.records("intent", 3 + len(form), 5)))
            second = child.stdout.readline()
            child.terminate()
            child.wait(timeout=SECONDS_MAX)
            child.stdout.close()
            if form:
                self.assertEqual([json.loads(line)["status"]["log"]["calls"] for line in (first, second)], [65, 70])
                self.assertIn("findings", json.loads(first)["health"])
            else:
                self.assertIn("all: 60 calls", first)
                self.assertIn("all: 65 calls", second)
                self.assertIn("next: understudy curate", first)

    def test_a_home_that_cannot_be_read_is_said_and_watched_on(self):
        self.filled()
        (self.program.home / "metadata.db").write_text("no database")
        for form in ([], ["--json"]):
            child = subprocess.Popen(self.program.command("status", "--watch", *form), stdin=subprocess.DEVNULL,
                                     stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            self.addCleanup(child.kill)
            first = child.stdout.readline()
            self.assertIsNone(child.poll())
            child.terminate()
            child.wait(timeout=SECONDS_MAX)
            child.stdout.close()
            if form:
                self.assertIn("metadata.db", json.loads(first)["status_problem"])
            else:
                self.assertNotIn("problems: 0", first)

    def test_progress_is_a_bar_with_rate_and_time_left(self):
        self.with_keys()
        self.program.json("import", self.write_lines("calls.jsonl", support.records("intent", 1, 20_000)))
        for environment, colour in (({}, True), ({"NO_COLOR": "1"}, False)):
            terminal = Terminal(self.program.command("curate"), environment, stderr_only=True)
            self.addCleanup(terminal.child.kill)
            while terminal.child.poll() is None:  # slowed down, so that it takes seconds on any machine
                terminal.read(0.05)
                terminal.child.send_signal(signal.SIGSTOP)
                time.sleep(0.25)
                terminal.child.send_signal(signal.SIGCONT)
            self.assertEqual(terminal.end(), terminal.before)
            self.assertEqual(terminal.child.returncode, 0)
            self.assertRegex(terminal.seen, rb" %[^\r]*/20000 calls, \d+/s")
            self.assertEqual(bool(COLOUR.search(terminal.seen)), colour, terminal.seen[-500:])
            drawn, lines = terminal.seen.count(b"\x1b[K"), terminal.seen.count(b"\n")
            self.assertLess(lines, drawn, "each pass over the log has one line, which is drawn anew")


if __name__ == "__main__":
    support.main()
