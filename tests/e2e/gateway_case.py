"""The base of the gateway's end-to-end tests: one home, one SIMULATED upstream inside the process and one gateway for
all tests of a class, because a test is to take tens of milliseconds.

What was recorded is checked when all tests of a class are through: `expect_recorded` notes, `test_zz_...` looks into
the log once (`understudy log cat --json`, one call a line as records/call.cpp writes it).
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import configuration
import inside_upstream
import raw_http
import support
from support import harness

sys.path.insert(0, str(support.PROJECT / "tools"))
import node_packages  # noqa: E402  (the path is set above)

CLIENTS = support.PROJECT / "tests/e2e/clients"
NODE_SECONDS_MAX = 120
CALL_HEADER = "x-understudy-call"


def serve_help():
    return subprocess.run([support.PROGRAM, "serve", "--help"], capture_output=True, text=True).stdout


class GatewayCase(unittest.TestCase):
    """Subclasses say what stands in the configuration; without that the gateway has the one upstream `default`."""

    serve_words = ()
    config_needed = True  # False: a program whose `serve` knows no --config is tried with --upstream URL
    environment = {}

    @classmethod
    def configure(cls, url):
        """The text of understudy.toml for an upstream at `url` (it ends in /v1)."""
        return configuration.render([configuration.upstream("default", url)], retries={"attempts_max": 1})

    @classmethod
    def setUpClass(cls):
        if not pathlib.Path(support.PROGRAM).is_file():
            raise unittest.SkipTest(f"{support.PROGRAM} is not built")
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="understudy-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls.home = cls.directory / "home"
        cls.program = harness.Program(support.PROGRAM, cls.home)
        cls.program.text("keys", "init")
        cls.upstream = inside_upstream.InsideUpstream()
        cls.addClassCleanup(cls.upstream.stop)
        cls.children = cls.enterClassContext(harness.Children(cls.directory / "children"))
        cls.expected = {}
        cls.gateway = cls.start_gateway()
        cls.url = cls.gateway.url

    @classmethod
    def start_gateway(cls):
        if "--config" not in serve_help():
            if cls.config_needed:
                raise unittest.SkipTest("this program's `serve` knows no --config FILE")
            return cls.children.gateway(cls.program, cls.upstream.url, *cls.serve_words,
                                        environment=cls.environment)
        cls.config = cls.directory / "understudy.toml"
        cls.config.write_text(cls.configure(cls.upstream.url + "/v1"))
        return cls.children.start("gateway", cls.program.command("serve", "--config", cls.config, *cls.serve_words),
                                  cls.environment)

    # --- asking ---

    def ask(self, model, path="/v1/chat/completions", stream=False, text="hello", headers=None, timeout=20, **more):
        """One raw exchange for a model's name, in the form of the API at `path`."""
        return raw_http.ask(self.url, path, request_for(path, model, stream, text, **more), headers, timeout=timeout)

    def seen(self, model):
        return self.upstream.asked_for(model)

    # --- what was recorded ---

    def expect_recorded(self, call_id, **wanted):
        """The record of this call must hold these values ("usage.prompt_tokens" goes deeper; a function judges)."""
        with self.subTest(recorded=wanted):
            self.assertTrue(call_id, f"the answer has no {CALL_HEADER} header")
        self.expected[call_id] = (self.id().rpartition(".")[2], wanted)

    @classmethod
    def recorded(cls):
        """{call id: record}; the gateway has drained, so the log holds everything."""
        cls.gateway.stop()
        calls = cls.program.logged_calls()
        if calls is None:
            raise unittest.SkipTest("RECORDS NOT CHECKED: this program has no `understudy log cat --json`")
        return {call["id"]: call for call in calls}

    def check_recorded(self):
        records = self.recorded()
        for call_id, (test, wanted) in self.expected.items():
            with self.subTest(test=test):
                self.assertIn(call_id, records, "the call is not in the log")
                for path, value in wanted.items():
                    found = records[call_id]
                    for key in path.split("."):
                        found = found[key] if isinstance(found, dict) else json.loads(found)[key]
                    if callable(value):
                        self.assertTrue(value(found), f"{path} is {found!r}")
                    else:
                        self.assertEqual(found, value, path)
        return records


def request_for(path, model, stream=False, text="hello", **more):
    request = {"model": model}
    if path.endswith("/responses"):
        request["input"] = text
    elif path.endswith("/completions") and "chat" not in path:
        request["prompt"] = text
    elif path.endswith("/embeddings"):
        request["input"] = [text]
    else:
        request["messages"] = [{"role": "user", "content": text}]
        if path.endswith("/messages"):
            request["max_tokens"] = 1000
    return {**request, **({"stream": True} if stream else {}), **more}


def run_node_client(directory, script, base_url, model="sim/", scenarios=(), environment=None):
    """What a client library saw, as its script in clients/ reports it. Skips where npm's registry is out of reach."""
    try:
        packages = node_packages.installed(CLIENTS)
    except node_packages.Unavailable as reason:
        raise unittest.SkipTest(f"the node clients are not installed: {reason}") from None
    work = pathlib.Path(directory) / "node"
    if not work.is_dir():
        shutil.copytree(CLIENTS, work, ignore=shutil.ignore_patterns("*.json"))
        (work / "node_modules").symlink_to(packages / "node_modules")
    words = ["node", work / script, base_url, model, *([",".join(scenarios)] if scenarios else [])]
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, timeout=NODE_SECONDS_MAX,
                          stdin=subprocess.DEVNULL, env={**support.os.environ, **(environment or {})})
    if done.returncode != 0 or not done.stdout.strip():
        raise AssertionError(f"{script} ended with {done.returncode}: {done.stderr[-2000:]}{done.stdout[-500:]}")
    return json.loads(done.stdout)


def without_ids(thing):
    """A copy without what differs from answer to answer: ids, times, the gateway's own headers."""
    changing = {"id", "created", "created_at", "call", "request_id", "seconds", "served_by", "_request_id", "item_id"}
    if isinstance(thing, dict):
        return {key: without_ids(value) for key, value in thing.items() if key not in changing}
    if isinstance(thing, list):
        return [without_ids(value) for value in thing]
    return thing


def wait_until(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return value
