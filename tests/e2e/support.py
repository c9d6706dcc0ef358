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
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

PROJECT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "examples"))

import agents  # noqa: E402  (the path is set above)
import harness  # noqa: E402

PROGRAM = os.environ.get("UNDERSTUDY_PROGRAM", str(PROJECT / "build/dev/bin/understudy"))
SHARED_DATA = harness.SHARED_DATA

EXIT_USAGE, EXIT_BAD_INPUT, EXIT_DENIED, EXIT_NOT_FOUND, EXIT_EXHAUSTED, EXIT_CORRUPT, EXIT_CONFLICT = 2, 3, 4, 5, 7, 8, 9

START_SECONDS_MAX = 60  # of a llama-server

needs_shared_data = unittest.skipUnless(SHARED_DATA.is_dir(), f"the shared data is not at {SHARED_DATA}")


class LocalHandler(http.server.BaseHTTPRequestHandler):
    """Of a LocalServer: quiet, and answers in one piece."""

    def reply(self, status, body=b"", kind="application/json"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def request_json(self):
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def log_message(self, *_):
        pass


class LocalServer:
    """Answers by `handler` on a port of its own, until close()."""

    def __init__(self, handler):
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def llama_server(directory, *words):
    """A llama-server that is not the gateway's: (its process, its address)."""
    port, path = harness.free_port(), directory / "llama-server.log"
    with open(path, "w") as log:
        process = subprocess.Popen(["llama-server", *map(str, words), "--host", "127.0.0.1", "--port", str(port), "--no-webui"],
                                   stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + START_SECONDS_MAX
            while True:
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2).close()
                    break
                except OSError:
                    if process.poll() is not None or time.monotonic() > deadline:
                        raise AssertionError(path.read_text()[-2000:]) from None
                    time.sleep(0.1)
            yield process, f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(10)


class SimulatedChat(LocalServer):
    """SIMULATED: chat completions that answer every request with `says`, whatever stands there; or with the choice that
    `says` makes of the request. `asked`: what came, as (path, authorization, body)."""

    def __init__(self, says):
        self.says, self.asked = says, []
        chat = self

        class Handler(LocalHandler):
            def do_POST(self):
                body = self.request_json()
                chat.asked.append((self.path, self.headers.get("Authorization"), body))
                choice = chat.says(body) if callable(chat.says) else {"message": {"role": "assistant", "content": chat.says}}
                self.reply(200, json.dumps({"choices": [choice]}).encode())

        super().__init__(Handler)


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
