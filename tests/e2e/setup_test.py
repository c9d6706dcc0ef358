"""The first minutes: `init`, `doctor`, the errors on the way and their remedies, completions and the reference."""

import json
import os
import pty
import re
import shutil
import socket
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.request

import gateway_case
import support
from support import harness

sys.path.insert(0, str(support.PROJECT / "tools"))
import make_reference  # noqa: E402  (the path is set above)

FIRST_CALL_SECONDS_MAX = 120
REFERENCE = support.PROJECT / "docs/reference"


class RefusesKeys(support.LocalHandler):
    """SIMULATED: an LLM's API that takes no key."""

    def do_GET(self):
        self.reply(401)


class Init(support.ProgramTest):
    def test_it_writes_a_configuration_that_holds_and_keys(self):
        done = self.program.json("init", "--upstream", "https://api.example.com/v1", "--listen", "127.0.0.1:0")
        self.assertTrue(done["keys_made"])
        text = (self.home / "understudy.toml").read_text()
        self.assertIn('url = "https://api.example.com/v1"', text)
        self.assertGreater(text.count("#"), 8, "it explains itself")
        self.assertIn("in order", self.program.text("serve", "--validate"))
        self.assertTrue((self.home / "keys/curator.pub").exists())
        self.assert_fails(9, "init", "--upstream", "https://api.example.com/v1", says=["there already", "--print"])

    def test_it_keeps_keys_that_are_there(self):
        self.with_keys()
        before = (self.home / "keys/curator.pub").read_bytes()
        self.assertFalse(self.program.json("init", "--upstream", "https://api.anthropic.com/v1")["keys_made"])
        self.assertEqual((self.home / "keys/curator.pub").read_bytes(), before)
        self.assertIn('protocol = "anthropic"', (self.home / "understudy.toml").read_text())

    def test_without_a_terminal_it_says_which_flag_is_missing(self):
        self.assert_fails(support.EXIT_BAD_INPUT, "init", says=["--upstream"])

    def test_what_would_not_hold_is_not_written(self):
        self.assert_fails(support.EXIT_BAD_INPUT, "init", "--upstream", "api.example.com", says=["https://api.example.com/v1"])
        both = self.program.run("init", "--upstream", "api.example.com", "--listen", "nowhere").stderr
        self.assertIn("upstream.url: wants", both)
        self.assertIn("listen: wants", both)
        self.assertNotIn("understudy.toml", both, "no file is there to look into")
        self.assertFalse((self.home / "understudy.toml").exists())

    def test_it_asks_three_things_on_a_terminal(self):
        lead, follow = pty.openpty()
        process = subprocess.Popen(self.program.command("init"), stdin=follow, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        os.close(follow)
        os.write(lead, b"https://llm.example.com/v1\nLLM_KEY\n127.0.0.1:9999\n")
        output, questions = process.communicate(timeout=30)
        os.close(lead)
        self.assertEqual(process.returncode, 0, questions)
        self.assertEqual(len(re.findall(r"[123]\. ", questions)), 3)
        text = (self.home / "understudy.toml").read_text()
        for part in ("https://llm.example.com/v1", "LLM_KEY", "127.0.0.1:9999"):
            self.assertIn(part, text)
        self.assertIn("understudy up", output)

    def test_from_nothing_to_the_first_captured_call_in_minutes(self):
        started = time.monotonic()
        upstream = self.children.upstream("script")
        self.program.text("init", "--upstream", upstream.url + "/v1", "--listen", "127.0.0.1:0")
        up = subprocess.Popen(self.program.command("up", "--console", "127.0.0.1:0", "--json"), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(up.stdout.close)
        self.addCleanup(up.wait)
        self.addCleanup(up.terminate)
        addresses = {}
        while not {"gateway", "console"} <= addresses.keys():
            addresses.update(json.loads(up.stdout.readline()))
        self.assertIn("#token=ut-", addresses["console"])
        call = harness.PlainCall({"model": "m", "messages": [{"role": "user", "content": "hello"}]})
        self.assertTrue(harness.send(addresses["gateway"], [call])[0].whole)
        self.assertEqual(self.wait_for_calls(1)["calls"], 1)
        seconds = time.monotonic() - started
        print(f"from an empty home to the first captured call: {seconds:.1f} s", file=sys.stderr)
        self.assertLess(seconds, FIRST_CALL_SECONDS_MAX)


class Doctor(support.ProgramTest):
    def findings(self, *words, exit_code=0):
        done = self.program.run("doctor", "--json", *words)
        self.assertEqual(done.returncode, exit_code, done.stderr)
        result = json.loads(done.stdout)
        self.assertEqual(result["sound"], exit_code == 0)
        for finding in result["findings"]:
            if finding["health"] != "ok":
                self.assertTrue(finding["remedy"], f"no remedy for {finding}")
        return {finding["check"]: finding for finding in result["findings"]}

    def configured(self, url, port=0):
        self.program.text("init", "--upstream", url, "--listen", f"127.0.0.1:{port}", "--key-env", "TEST_LLM_KEY")
        support.os.environ["TEST_LLM_KEY"] = "sk-test"
        self.addCleanup(support.os.environ.pop, "TEST_LLM_KEY", None)

    def test_a_sound_home_has_nothing_in_the_way(self):
        self.configured(self.children.upstream("script").url + "/v1")
        findings = self.findings()
        self.assertEqual({findings[check]["health"] for check in ("configuration", "keys", "log", "upstream default")}, {"ok"})
        self.assertIn("nothing is in the way", self.program.text("doctor"))

    def test_the_machine_is_probed_once_and_select_counts_with_the_same_figures(self):
        self.configured("https://api.example.com/v1")
        self.program.text("status")
        self.assertFalse((self.home / "machine.json").exists(), "a glance measures nothing")
        finding = self.findings("--offline")["machine"]["finding"]
        self.assertRegex(finding, r"\d+ cores, [\d.]+ GB of memory \([\d.]+ free\) read at [\d.]+ GB/s, multiplies at \d+ GFLOP/s, \w+")
        kept = self.home / "machine.json"
        speed = json.loads(kept.read_text())
        self.assertGreater(speed["memory_bytes_per_s"], 1e8)
        self.assertGreater(speed["multiply_flops"], 1e8)
        kept.write_text(json.dumps({**speed, "multiply_flops": 123e9}))
        self.assertIn("multiplies at 123 GFLOP/s", self.findings("--offline")["machine"]["finding"])

    def test_an_empty_home_is_told_to_init(self):
        findings = self.findings(exit_code=1)
        self.assertEqual(findings["keys"]["remedy"], "understudy init")

    def test_a_port_that_is_taken(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            self.configured("https://api.example.com/v1", taken.getsockname()[1])
            finding = self.findings("--offline", exit_code=1)["port"]
            self.assertIn(str(taken.getsockname()[1]), finding["finding"])
            self.assert_fails(9, "serve", says=["in use", taken.getsockname()[1]])
            self.assert_fails(9, "up", "--console", "127.0.0.1:0", says=["in use", taken.getsockname()[1]])

    def test_no_upstream_in_reach(self):
        with socket.socket() as gone:
            gone.bind(("127.0.0.1", 0))
            port = gone.getsockname()[1]
        self.configured(f"http://127.0.0.1:{port}/v1")
        self.assertIn("address", self.findings(exit_code=1)["upstream default"]["remedy"])

    def test_a_key_that_the_upstream_refuses(self):
        upstream = support.LocalServer(RefusesKeys)
        self.addCleanup(upstream.close)
        self.configured(upstream.url)
        finding = self.findings(exit_code=1)["upstream default"]
        self.assertIn("refuses the key", finding["finding"])
        self.assertIn("$TEST_LLM_KEY", finding["remedy"])

    def test_a_key_that_is_not_there(self):
        self.configured("https://api.example.com/v1")
        support.os.environ.pop("TEST_LLM_KEY")
        self.assertIn("TEST_LLM_KEY", self.findings("--offline", exit_code=1)["configuration"]["finding"])
        self.assert_fails(support.EXIT_BAD_INPUT, "serve", says=["TEST_LLM_KEY"])

    def test_a_caller_is_told_that_the_upstream_is_away(self):
        with socket.socket() as gone:
            gone.bind(("127.0.0.1", 0))
            port = gone.getsockname()[1]
        self.configured(f"http://127.0.0.1:{port}/v1")
        gateway = self.children.start("gateway", self.program.command("serve"))
        reply = harness.send(gateway.url, [harness.PlainCall({"model": "m", "messages": [{"role": "user", "content": "hello"}]})])[0]
        self.assertIn(reply.status, (502, 503))
        self.assertIn("upstream", reply.error)

    def test_an_old_configuration(self):
        self.with_keys()
        (self.home / "understudy.toml").write_text('[serve]\nupstream = "https://api.example.com/v1"\n')
        self.assertIn("older version", self.findings("--offline", exit_code=1)["configuration"]["finding"])
        self.assert_fails(support.EXIT_BAD_INPUT, "serve", "--validate", says=["understudy.toml:1", "older version", "init --print"])

    def test_a_key_that_others_can_read(self):
        self.configured("https://api.example.com/v1")
        (self.home / "keys/curator.key").chmod(0o644)
        self.assertIn("chmod 600", self.findings("--offline", exit_code=1)["keys"]["remedy"])
        self.assert_fails(support.EXIT_DENIED, "log", "cat", says=["curator.key"])

    def test_a_wrong_key_of_a_caller_is_refused_with_a_remedy(self):
        self.configured(self.children.upstream("script").url + "/v1")
        (self.home / "understudy.toml").write_text((self.home / "understudy.toml").read_text() + "[access]\nrequired = true\n")
        gateway = self.children.start("gateway", self.program.command("serve"))
        call = harness.PlainCall({"model": "m", "messages": [{"role": "user", "content": "hello"}]})
        reply = harness.send(gateway.url, [call])[0]
        self.assertEqual(reply.status, 401)
        self.assertIn("us-", reply.error, "it says what a key looks like")


class Reference(support.ProgramTest):
    def verbs(self, text):
        return re.findall(r"^## (.+)$", text, re.MULTILINE)[:-1]  # the last one is the exit codes

    def test_every_verb_has_help_with_an_example(self):
        for verb in self.verbs(self.program.text("reference", "cli")):
            with self.subTest(verb=verb):
                words = self.program.text(*verb.split(), "--help")
                self.assertIn("Examples:", words)
                self.assertIn(f"understudy {verb.split()[0]}", words)

    def test_every_option_says_what_it_is(self):
        rows = [line.split(" | ") for line in self.program.text("reference", "cli").splitlines() if line.startswith("| `")]
        self.assertGreater(len(rows), 100)
        self.assertEqual([row for row in rows if not row[1].strip()], [])

    def test_the_pages_in_docs_are_those_of_this_program(self):
        for page, file in make_reference.PAGES.items():
            with self.subTest(page=page):
                self.assertEqual((REFERENCE / file).read_text(), self.program.text("reference", page),
                                 "run tools/make_reference.py")

    def test_the_page_of_the_configuration_is_the_example(self):
        self.assertEqual((REFERENCE / "config.md").read_text(), make_reference.config_page(), "run tools/make_reference.py")

    def test_a_gateway_answers_every_path_of_its_page(self):
        self.with_keys()
        gateway = self.children.gateway(self.program, self.children.upstream("script").url)
        page = (REFERENCE / "gateway_api.yaml").read_text()
        paths = re.findall(r"^  (/\S+?):\n    (get|post)", page, re.MULTILINE)
        self.assertEqual(len(paths), 8)
        for path, method in paths:
            with self.subTest(path=path):
                body = json.dumps(gateway_case.request_for(path, "m")).encode() if method == "post" else None
                asked = urllib.request.Request(gateway.url + path, data=body, headers={"content-type": "application/json"})
                try:
                    with urllib.request.urlopen(asked, timeout=20) as answer:
                        self.assertEqual(answer.status, 200)
                        if "understudy" not in path and body:
                            for header in ("x-understudy-call", "x-understudy-served-by", "x-understudy-reason"):
                                self.assertTrue(answer.headers[header], header)
                except urllib.error.HTTPError as error:
                    self.assertEqual((path, error.code), ("/v1/understudy/feedback", 400))
                    error.close()

    def test_the_exit_codes_that_it_names_are_those_of_the_program(self):
        text = self.program.text("reference", "cli")
        for code in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 130):
            self.assertIn(f"| {code} |", text)

    def test_the_man_page_is_one(self):
        text = self.program.text("reference", "man")
        self.assertTrue(text.startswith(".TH UNDERSTUDY 1"))
        for verb in self.verbs(self.program.text("reference", "cli")):
            self.assertIn(".SS " + verb.replace("-", "\\-"), text)

    def test_bash_completes_verbs_and_options(self):
        script = self.directory / "completion.bash"
        script.write_text(self.program.text("completion", "bash"))

        def complete(*words):
            line = " ".join(f"'{word}'" for word in words)
            done = subprocess.run(["bash", "-c", f"source {script}; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _understudy; "
                                   "printf '%s\\n' \"${COMPREPLY[@]}\""], capture_output=True, text=True, check=True)
            return done.stdout.split()
        self.assertIn("curate", complete("understudy", "cu"))
        self.assertIn("--new-calls", complete("understudy", "cluster", "--n"))
        self.assertEqual(complete("understudy", "--quiet", "access", "ro"), ["rotate"])
        for shell in ("zsh", "fish"):
            text = self.program.text("completion", shell)
            for word in ("curate", "rotate", "new-calls"):
                self.assertIn(word, text)

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_zsh_completes_verbs_and_options(self):
        script = self.directory / "_understudy"
        script.write_text(self.program.text("completion", "zsh"))

        def complete(*words):
            # What the completion system would be given, without a terminal.
            given = " ".join(f"'{word}'" for word in words)
            done = subprocess.run(["zsh", "-fc", "compdef() { }; _files() { }; _describe() { print -l -- ${(P)2} }; "
                                   f"source {script}; words=({given}); CURRENT={len(words)}; _understudy; ls / >/dev/null"],
                                  capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            return [line.partition(":")[0] for line in done.stdout.splitlines()]
        self.assertIn("curate", complete("understudy", ""))
        self.assertIn("--new-calls", complete("understudy", "cluster", ""))
        self.assertIn("rotate", complete("understudy", "--quiet", "access", ""))

    @unittest.skipUnless(shutil.which("fish"), "fish is not installed")
    def test_fish_completes_verbs_and_options(self):
        script = self.directory / "understudy.fish"
        script.write_text(self.program.text("completion", "fish"))

        def complete(line):
            done = subprocess.run(["fish", "--no-config", "-c", f"source {script}; complete -C '{line}'"],
                                  capture_output=True, text=True, env={**os.environ, "HOME": str(self.directory)})
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            return [entry.partition("\t")[0] for entry in done.stdout.splitlines()]
        self.assertIn("curate", complete("understudy cu"))
        self.assertIn("--new-calls", complete("understudy cluster --n"))
        self.assertEqual(complete("understudy --quiet access ro"), ["rotate"])


if __name__ == "__main__":
    support.main()
