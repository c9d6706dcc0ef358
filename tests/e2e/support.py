"""What every end-to-end test needs: the built program, a home of its own, children that end with the test.

The program comes from $UNDERSTUDY_PROGRAM (ctest sets it). A file whose tests were all skipped exits 77, which ctest
shows as skipped.
"""

import contextlib
import http.server
import json
import os
import pathlib
import shutil
import sys
import tempfile
import threading
import time
import unittest

PROJECT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "examples"))

import agents  # noqa: E402  (the path is set above)
import harness  # noqa: E402

PROGRAM = os.environ.get("UNDERSTUDY_PROGRAM", str(PROJECT / "build/dev/bin/understudy"))
SHARED_DATA = harness.SHARED_DATA

EXIT_USAGE, EXIT_BAD_INPUT, EXIT_DENIED, EXIT_NOT_FOUND, EXIT_EXHAUSTED, EXIT_CORRUPT, EXIT_CONFLICT = 2, 3, 4, 5, 7, 8, 9

needs_shared_data = unittest.skipUnless(SHARED_DATA.is_dir(), f"the shared data is not at {SHARED_DATA}")


class SimulatedChat:
    """SIMULATED: chat completions that answer every request with `says`, whatever stands there; or with the choice that
    `says` makes of the request. `asked`: what came, as (path, authorization, body)."""

    def __init__(self, says):
        self.says, self.asked = says, []
        chat = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                chat.asked.append((self.path, self.headers.get("Authorization"), body))
                choice = chat.says(body) if callable(chat.says) else {"message": {"role": "assistant", "content": chat.says}}
                answer = json.dumps({"choices": [choice]}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class ProgramTest(unittest.TestCase):
    """One temporary directory and one home per test."""

    def setUp(self):
        if not os.access(PROGRAM, os.X_OK):
            self.skipTest(f"{PROGRAM} is not built")
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="understudy-test-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.home = self.directory / "home"
        self.program = harness.Program(PROGRAM, self.home)
        self.children = self.enterContext(harness.Children(self.directory / "children"))

    def with_keys(self):
        self.program.text("keys", "init")
        return self.program

    def write_lines(self, name, lines):
        path = self.directory / name
        path.write_text("".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines))
        return path

    def segments(self):
        return sorted((self.home / "log").glob("*.sealed"))

    def logged(self):
        return self.program.json("log", "stat")

    def wait_for_calls(self, count, seconds=20):
        """The log's statistics once it holds `count` calls: the recorder commits behind the answers."""
        deadline = time.monotonic() + seconds
        while True:
            statistics = self.logged()
            if statistics["calls"] >= count or time.monotonic() > deadline:
                return statistics
            time.sleep(0.1)

    def assert_fails(self, exit_code, *words, says=()):
        """The verb fails with this code, and its message holds each of `says`."""
        done = self.program.run(*words)
        self.assertEqual(done.returncode, exit_code, f"stdout: {done.stdout}\nstderr: {done.stderr}")
        self.assertEqual(done.stdout, "", "an error goes to stderr")
        for part in says:
            self.assertIn(str(part), done.stderr)
        return done.stderr


def records(name, seed, count):
    """Recorded calls of a simulated agent, as `understudy import` reads them."""
    return [agents.record(call, f"{name}-{seed}-{number}")
            for number, call in enumerate(agents.generate(name, seed, count))]


@contextlib.contextmanager
def swapped(path, content):
    """The file holds `content` inside the block and what it held before afterwards."""
    before = path.read_bytes()
    path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(before)


def main():
    program = unittest.main(exit=False, verbosity=2)
    result = program.result
    if result.testsRun and result.testsRun == len(result.skipped):
        sys.exit(77)
    sys.exit(0 if result.wasSuccessful() else 1)
