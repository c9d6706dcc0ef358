"""The console in a real browser: every page with the data of a short loop, by wide and narrow, light and dark.

Debian's Chromium walks it (browser/walk.mjs); screenshots stay in build/PRESET/screenshots. Also without a browser: who
may ask for what, and what a request from elsewhere gets.
"""

import contextlib
import datetime
import http.client
import json
import pathlib
import shutil
import subprocess
import sys
import time
import unittest

import support
from support import agents, harness

sys.path.insert(0, str(support.PROJECT / "tools"))
import node_packages  # noqa: E402  (the path is set above)

BROWSER = support.PROJECT / "tests/e2e/browser"
SHOTS = pathlib.Path(support.PROGRAM).resolve().parent.parent / "screenshots"
WALK_SECONDS_MAX = 240
CANARY_SHARE = 0.125  # as the walk leaves it
PAGE_BYTES_MAX = 300_000
FIRST_PAINT_MS_MAX = 1000
DAYS = 12


def dated(records):
    """The same calls, spread over the last days: more by day than by night."""
    first = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=DAYS + 1)).replace(hour=0)
    for number, record in enumerate(records):
        share = number / len(records)
        at = first + datetime.timedelta(days=DAYS * share)
        at = at.replace(hour=8 + (at.hour * 10) // 24)
        yield {**record, "timestamp": at.timestamp(), "response": {**record["response"], "usage": {
            "prompt_tokens": len(json.dumps(record["request"])) // 4, "completion_tokens": 20, "total_tokens": 0}}}


def mixed(*lists):
    """Calls of several agents side by side, those of each in their order."""
    keyed = [(index / len(calls), order, call) for order, calls in enumerate(lists) for index, call in enumerate(calls)]
    return [call for _, _, call in sorted(keyed, key=lambda entry: entry[:2])]


class Console(support.ProgramTest):
    maxDiff = None

    def console(self, program, *words):
        """A running console: its address, and the owner's."""
        url_file = self.directory / f"url-{len(self.children.children)}"
        child = self.children.start("console", program.command("console", "--listen", "127.0.0.1:0", "--url-file", url_file, *words))
        return child.url, url_file.read_text().strip()

    def short_loop(self):
        """A home with tasks, one live model, one that is not proven, a training curve, keys, and fresh calls."""
        self.with_keys()
        rated = [{**record, "meta": {"reward": 1}} for record in support.records("intent", 1, 900)]
        calls = mixed(rated, support.records("writing", 1, 120), support.records("think", 1, 300),
                      support.records("extract", 1, 500), support.records("tools", 1, 300))
        self.program.json("import", self.write_lines("calls.jsonl", list(dated(calls))))
        self.program.json("curate")
        self.program.json("cluster")
        tasks = self.program.json("tasks")
        labels = [task["id"] for task in tasks if task["answer_form"] == "label"]
        for task in labels[:2]:
            self.program.json("tune", task, "--candidate", "classifier")
        self.program.json("evaluate", labels[1], "--pool-with", labels[0])
        chat = support.SimulatedChat("equal")
        self.addCleanup(chat.close)
        self.program.json("evaluate", labels[0], "--cheaper", chat.url, "--cheaper-model", "small-api", "--judge", chat.url, "--judge-model",
                          "referee", environment={"UNDERSTUDY_CHEAPER_KEY": "secret", "UNDERSTUDY_JUDGE_KEY": "secret"})
        self.program.json("promote", labels[0])
        extract = next(task["id"] for task in tasks if task["answer_form"] == "json")
        if (pathlib.Path(support.PROGRAM).parent / "understudy-train").exists():
            self.program.json("tune", extract, "--candidate", "nano", "--max-minutes", "0.1")
        upstream = self.children.upstream("oracle", "--first-token-ms", 30)
        gateway = self.children.gateway(self.program, upstream.url)
        harness.send(gateway.url, agents.generate("intent", 9, 120) + agents.generate("writing", 9, 10), concurrency=8)
        self.program.text("init", "--upstream", "https://api.example.com/v1")  # for the settings page
        self.program.json("access", "add", "--name", "agents", "--tenant", "shop", "--rpm", 600, "--usd-per-day", 5)
        return labels[0], labels[1], extract, gateway

    def walk(self, plan):
        chromium = shutil.which("chromium")
        if not chromium:
            self.skipTest("Chromium is not installed here")
        try:
            packages = node_packages.installed(BROWSER)
        except node_packages.Unavailable as reason:
            self.skipTest(f"playwright-core is not installed: {reason}")
        work = self.directory / "walk"
        work.mkdir()
        shutil.copy(BROWSER / "walk.mjs", work)
        (work / "node_modules").symlink_to(packages / "node_modules")
        (work / "plan.json").write_text(json.dumps({**plan, "chromium": chromium, "shots": str(SHOTS)}))
        shutil.rmtree(SHOTS, ignore_errors=True)
        done = subprocess.run(["node", "walk.mjs", "plan.json"], cwd=work, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=WALK_SECONDS_MAX, env={**support.os.environ, "HOME": str(work)})
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])
        return json.loads(done.stdout)

    def test_every_page_in_a_browser(self):
        task, pooled, unmeasured, gateway = self.short_loop()
        auditor = self.program.json("access", "token", "--role", "auditor")["secret"]
        url, owner_url = self.console(self.program)
        other = harness.Program(support.PROGRAM, self.directory / "empty")
        other.text("keys", "init")
        _, empty_url = self.console(other)
        seen = self.walk({"url": url, "owner_url": owner_url, "empty_url": empty_url, "auditor": auditor, "task": task, "pooled": pooled,
                          "unmeasured": unmeasured, "gateway": gateway.url,
                          "fresh": [{"session": call.session, "request": call.request} for call in agents.generate("intent", 11, 80)]})
        gateway.stop()
        self.assertEqual(seen["complaints"], [])
        self.assertEqual(seen["violations"], [])
        self.assertEqual(seen["checks"], {"token_left_address": True, "zoomed": True, "map_by_keyboard": True,
                                          "skip_link": True, "live_update": True, "phone_overflow": [], "phone_tables": [], "tables_cut": [],
                                          "map_words_apart": True, "tried_again": True, "switch_on_a_phone": True,
                                          "share_kept": "40", "secret_shown": True, "secret_gone": True, "theme": "dark", "phone_frame": True})
        self.assertLess(seen["weight"], PAGE_BYTES_MAX)
        self.assertGreater(seen["weight"], 10_000, "nothing was weighed")
        self.assertLess(seen["first_paint_ms"], FIRST_PAINT_MS_MAX)
        print(f"the page weighs {seen['weight']} bytes, first paint after {seen['first_paint_ms']:.0f} ms", file=sys.stderr)
        for page, words in {
                "overview": ["2,250", "By small models", "Saved", "What to do next", "classifier-"],
                "tasks": ["Task map", task, "proven", "not measured", "success", "small-api", "pooled with 1"],
                "task": ["Evidence", "at most 5 % disagree", "Template", "order_status", "Show examples", "rated test calls",
                         "agreement by small-api", "referee", "A proof of its own"],
                "pooled": ["proven together with", task, "No judge was asked", "No cheaper model was asked"],
                "unmeasured": ["No model was measured yet", "understudy evaluate"],
                "task_open": ["Agreement by coverage", "Confusion", "the model"],
                "models": ["Lineage", "classifier", "live"],
                "routing": ["active", "accepted", "policy version 1", f"promote {task}"],
                "calls": ["Newest calls", "small model", "ok"],
                "keys": ["agents", "shop", "chain is whole", "curator"],
                "settings": ["2 cores" if support.os.cpu_count() == 2 else "cores", "Current data set", "Prices", "api.example.com"],
                "session": ["This session", "lasted", "step"],
                "loading": ["Loading"],
                "failed": ["This could not be read", "the disk is away", "mount it", "Try again"],
                "away": ["Not connected", "Overview"],
                "canary": ["canary 12.5 %", "not in the canary", "accepted", f"promote {task} canary 12.5 %", f"promote {task} canary 40.0 %"],
                "call": ["Content", "system", "user", "answer"],
                "nowhere": ["no such page"],
                "auditor_call": ["Masked", "curator"],
                "auditor_task": ["Content needs a curator's token"],
                "wrong": ["not in force"],
                "empty overview": ["No calls were recorded yet", "understudy init"],
                "empty tasks": ["No tasks were found yet"],
                "empty models": ["No model was trained yet"],
                "empty routing": ["nothing to route"],
                "empty calls": ["No calls were recorded yet"],
        }.items():
            for word in words:
                with self.subTest(page=page, word=word):
                    self.assertIn(word, seen["pages"][page])
        for page in ("auditor_call", "auditor_task"):
            self.assertNotIn("Show ", seen["pages"][page])
        self.assertIn("disagreements", [entry["what"] for entry in self.program.json("audit", "show")["entries"]])
        acts = [(entry["act"], entry.get("detail", "")) for entry in self.program.json("audit", "show")["entries"]]
        self.assertTrue(any(act == "rollback" and "the browser test looks at it" in detail for act, detail in acts), acts)
        self.canary_was_live(task, seen["canary"], acts)
        self.assertTrue(self.program.json("audit", "verify")["sound"])

    def canary_was_live(self, task, sent, acts):
        """What the page decided is what the policy says and the gateway did: whole sessions, about their share."""
        route = self.program.json("route")["routes"][0]
        self.assertEqual((route["task"], route["mode"], route["canary_share"]), (task, "canary", CANARY_SHARE))
        self.assertTrue(any(act == "promote" and "canary 12.5 %" in detail and detail.endswith("less is enough") for act, detail in acts), acts)
        self.assertEqual({call["mode"] for call in sent}, {"canary"})
        outside = {call["session"] for call in sent if call["reason"] == "canary"}
        inside = {call["session"] for call in sent if call["reason"] == "accepted"}
        self.assertFalse(outside & inside, "a session is in the canary or out of it")
        self.assertTrue(0.1 < len(inside) / len(outside | inside) < 0.7, (len(inside), len(outside)))

    def test_a_training_is_seen_while_it_runs(self):
        if not (pathlib.Path(support.PROGRAM).parent / "understudy-train").exists():
            self.skipTest("understudy-train is not built")
        self.with_keys()
        self.program.json("import", self.write_lines("calls.jsonl", support.records("extract", 1, 120)))
        self.program.json("curate")
        self.program.json("cluster")
        url, owner_url = self.console(self.program)
        token = owner_url.rpartition("=")[2]
        training = subprocess.Popen(self.program.command("tune", self.program.json("tasks")[0]["id"], "--candidate", "nano", "--max-minutes", "0.1"),
                                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(training.kill)
        points = []
        while training.poll() is None:
            models = self.asked(url + "/api/models", token)
            points += [len(run["curve"]) for run in models["runs"]]
            time.sleep(0.1)
        self.assertEqual(training.returncode, 0)
        self.assertGreater(len(set(points)), 1, "its curve grows")
        models = self.asked(url + "/api/models", token)
        self.assertEqual((models["runs"], len(models["artifacts"])), ([], 1))
        self.assertGreaterEqual(len(models["artifacts"][0]["curve"]), max(points))

    def asked(self, url, token):
        connection = http.client.HTTPConnection(url.split("/")[2], timeout=20)
        connection.request("GET", "/" + url.split("/", 3)[3], headers={"Authorization": f"Bearer {token}"})
        with contextlib.closing(connection):
            return json.loads(connection.getresponse().read())

    def test_up_runs_both_and_ends_both(self):
        self.with_keys()
        upstream = self.children.upstream("script")
        ports = {name: self.directory / f"{name}.port" for name in ("gateway", "console")}
        both = subprocess.Popen(self.program.command(
            "up", "--upstream", upstream.url + "/v1", "--listen", "127.0.0.1:0", "--port-file", ports["gateway"], "--console",
            "127.0.0.1:0", "--console-port-file", ports["console"]), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True)
        self.addCleanup(both.kill)
        deadline = time.monotonic() + 30
        while not all(path.exists() for path in ports.values()) and time.monotonic() < deadline:
            time.sleep(0.05)
        numbers = {name: int(path.read_text()) for name, path in ports.items()}
        for port in numbers.values():
            self.assertEqual(harness.get_json(f"http://127.0.0.1:{port}/health")["status"], "ok")
        reply = harness.send(f"http://127.0.0.1:{numbers['gateway']}", [harness.PlainCall(
            {"model": "m", "messages": [{"role": "user", "content": "hello"}]})])[0]
        self.assertTrue(reply.whole, reply.error)
        both.send_signal(support.harness.signal.SIGINT)
        both.wait(timeout=30)
        self.assertEqual(both.returncode, 0, both.stderr.read())
        for port in numbers.values():
            with self.assertRaises(OSError):
                http.client.HTTPConnection("127.0.0.1", port, timeout=2).request("GET", "/health")
        self.assertEqual(self.logged()["calls"], 1)

    def test_a_locked_key_opens_with_its_passphrase_and_is_not_asked_for_again(self):
        self.with_keys()
        self.program.json("import", self.write_lines("calls.jsonl", support.records("intent", 1, 3)))
        self.program.text("keys", "protect", "curator", environment={"UNDERSTUDY_NEW_PASSPHRASE_CURATOR": "correct horse"})
        call = self.program.json("log", "cat", "--metadata", "--limit", "1")["id"]
        for passphrase, status in (("correct horse", 200), ("wrong horse!", 403)):
            url_file = self.directory / f"url-{status}"
            child = self.children.start("console", self.program.command("console", "--listen", "127.0.0.1:0", "--url-file", url_file),
                                        {"UNDERSTUDY_PASSPHRASE_CURATOR": passphrase})
            token = url_file.read_text().strip().rpartition("=")[2]
            with self.subTest(passphrase=passphrase):
                self.assertEqual(self.status(child.url + f"/api/calls/{call}/content", token), status)
                self.assertEqual(self.status(child.url + "/api/calls", token), 200, "the auditor's key is open")

    def status(self, url, token):
        connection = http.client.HTTPConnection(url.split("/")[2], timeout=20)
        connection.request("GET", "/" + url.split("/", 3)[3], headers={"Authorization": f"Bearer {token}"})
        with contextlib.closing(connection):
            return connection.getresponse().status

    def test_a_gateway_that_cannot_start_ends_the_console_too(self):
        self.with_keys()
        done = self.program.run("up", "--console", "127.0.0.1:0")
        self.assertEqual(done.returncode, support.EXIT_BAD_INPUT, done.stderr)
        self.assertIn("no upstream", done.stderr)

    def test_a_port_that_is_taken_is_named_with_a_remedy(self):
        self.with_keys()
        url, _ = self.console(self.program)
        self.assert_fails(9, "console", "--listen", url.removeprefix("http://"), says=[url.rpartition(":")[2]])

    def test_it_does_not_send_tokens_in_the_clear_over_a_network(self):
        self.with_keys()
        self.assert_fails(support.EXIT_BAD_INPUT, "console", "--listen", "0.0.0.0:0", says=["--certificate"])


if __name__ == "__main__":
    support.main()
