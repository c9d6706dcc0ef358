"""Runs what the pages say: every `sh` block of a page in one shell, in its order, and every `js` block by node and every
`python` block that Debian has the modules of between them, against the SIMULATED upstream. Only the upstream's address and the gateway's port are put in place of the page's.
Commands inside sentences are held against the grammar of the command line; what other languages' blocks say is parsed.
"""

import importlib.util
import pathlib
import re
import shlex
import subprocess
import sys
import unittest

import gateway_case
import support

sys.path.insert(0, str(support.PROJECT / "tools"))
import node_packages  # noqa: E402  (the path is set above)

DOCS = support.PROJECT / "docs"
PAGES = sorted([support.PROJECT / "README.md", support.PROJECT / "examples/README.md", *DOCS.rglob("*.md")])
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(understudy [^`]+)`")
FRAMEWORKS = support.PROJECT / "tests/e2e/frameworks"
SHELL = """set -euo pipefail
trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT
wait_for_gateway() {
  for _ in $(seq 200); do python3 -c 'import socket, sys; socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1)' "$1" 2>/dev/null && return; sleep 0.05; done
  return 1
}
"""
PAGE_SECONDS_MAX = 300
FILLER = "a customer wrote to the shop about an order and waits for an answer " * 20
# Tables of words, of what a program prints, and of what runs on other people's machines.
TOLD_ONLY = {"text": {"guide/models.md"}, "": {"README.md", "reference/cli.md"}, "toml": {"guide/models.md", "reference/config.md"},
             "python": {"guide/connect.md"}, "yaml": {"guide/connect.md"}}


def name_of(page):
    return str(page.relative_to(DOCS if page.is_relative_to(DOCS) else support.PROJECT))


class Guides(support.ProgramTest):
    def setUp(self):
        super().setUp()
        self.upstream = self.children.upstream("script")
        self.port = support.harness.free_port()
        self.work = self.directory / "work"
        (self.work / "bin").mkdir(parents=True)
        (self.work / "bin/understudy").symlink_to(pathlib.Path(support.PROGRAM).resolve())

    def local(self, text):
        return text.replace("https://api.example.com/v1", self.upstream.url + "/v1").replace("127.0.0.1:8080", f"127.0.0.1:{self.port}")

    def run_lines(self, name, lines):
        script = SHELL
        for line in lines:
            script += f"echo '+ {line.replace(chr(39), chr(34))}' >&2\n{line}\n"
            if line.endswith(" &"):
                script += f"wait_for_gateway {self.port}\n"
        done = subprocess.run(["bash", "-c", script], cwd=self.work, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=PAGE_SECONDS_MAX, env={
                                  **support.os.environ, "PATH": f"{self.work}/bin:" + support.os.environ["PATH"],
                                  "UNDERSTUDY_HOME": str(self.home), "HOME": str(self.directory), "OPENAI_API_KEY": "sk-none",
                                  "ANTHROPIC_API_KEY": "sk-none", "no_proxy": "127.0.0.1"})
        self.assertEqual(done.returncode, 0, f"{name}:\n{done.stderr[-3000:]}\n{done.stdout[-1000:]}")
        return done.stdout

    def run_page(self, name, before=()):
        lines = list(before)
        for number, (language, text) in enumerate(BLOCK.findall((DOCS / name).read_text())):
            text = self.local(text)
            if language == "js":
                self.with_node()
                (self.work / f"block-{number}.mjs").write_text(text)
                lines.append(f"node block-{number}.mjs")
            elif language == "python" and self.runs_here(text):
                (self.work / f"block_{number}.py").write_text(text)
                lines.append(f"{shlex.quote(sys.executable)} block_{number}.py")
            elif language == "sh":
                lines += text.splitlines()
        return self.run_lines(name, lines)

    def runs_here(self, text):
        modules = re.findall(r"^(?:from|import) (\w+)", text, re.MULTILINE)
        return all(importlib.util.find_spec(module) for module in modules)

    def with_node(self):
        """Modules of the clients and of the frameworks side by side."""
        modules = self.work / "node_modules"
        if modules.exists():
            return
        modules.mkdir()
        try:
            for folder in (FRAMEWORKS, gateway_case.CLIENTS):
                for package in (node_packages.installed(folder) / "node_modules").iterdir():
                    self.link(package, modules / package.name)
        except node_packages.Unavailable as reason:
            raise unittest.SkipTest(f"the node packages are not installed: {reason}") from None

    def link(self, source, target):
        if source.name.startswith("@") and source.is_dir():  # a scope: both folders may have a part of it
            target.mkdir(exist_ok=True)
            for inner in source.iterdir():
                self.link(inner, target / inner.name)
        elif not target.exists():
            target.symlink_to(source)

    def write_calls(self, count):
        self.write_lines("work/calls.jsonl", support.records("intent", 1, count))

    def test_connect(self):
        self.run_page("guide/connect.md")
        self.assertEqual(self.logged()["calls"], 5)
        sessions = {call["session"] for call in self.program.logged_calls()}
        self.assertLessEqual({"run-1", "run-2", "run-3", "run-4"}, sessions)

    def test_first_task(self):
        self.write_calls(1200)
        self.run_page("guide/first_task.md")

    def test_console(self):
        self.assertIn('"name":"owner"', self.run_page("guide/console.md"))

    def test_models(self):
        trainer = pathlib.Path(support.PROGRAM).parent / "understudy-train"
        if not trainer.exists():
            self.skipTest("understudy-train is not built")
        # A GGUF file that costs seconds: a nano model of a few steps, as somebody else's base.
        # Its prompts are as long as a task's: that is how much it can read.
        lines = [{"prompt": f"note {number}: {word} {FILLER}\n", "answer": word} for number in range(60) for word in ("red", "green", "blue")]
        subprocess.run([str(trainer), "--data", self.write_lines("base.jsonl", lines), "--out", self.directory, "--steps", "3",
                        "--pieces", "300", "--quiet"], check=True, stdout=subprocess.DEVNULL)
        (self.directory / "model.gguf").rename(self.work / "base.gguf")
        self.write_calls(300)
        self.run_page("guide/models.md")

    def test_operations(self):
        self.run_page("operations.md")

    def test_routing(self):
        self.write_calls(1200)
        self.run_page("routing.md", before=(
            "understudy keys init", "understudy import calls.jsonl", "understudy curate", "understudy cluster",
            "TASK=$(understudy tasks --json | python3 -c 'import json, sys; print(json.load(sys.stdin)[0][\"id\"])')",
            "understudy tune $TASK --candidate classifier"))

    def test_readme(self):
        """Its lines for people who have just built it; what asks or stays gets the words that a script needs."""
        lines = re.findall(r"^    \./dev run (\S.*?)(?:\s{2,}#.*)?$", (support.PROJECT / "README.md").read_text(), re.MULTILINE)
        self.assertGreater(len(lines), 15)
        subprocess.run(["gzip", self.write_lines("work/calls.jsonl", support.records("intent", 1, 1200))], check=True)
        self.write_lines("work/texts.jsonl", [{"id": 1, "text": "write to mary@example.org"}])
        script = []
        for line in lines:
            line = "understudy " + line.replace("TASK", "$TASK")
            if line == "understudy init":
                line += self.local(" --upstream https://api.example.com/v1 --listen 127.0.0.1:8080")
            elif line == "understudy up":
                line += " --console 127.0.0.1:0 &"
            script.append(line)
            if line == "understudy tasks":
                script.append("TASK=$(understudy tasks --json | python3 -c 'import json, sys; print(json.load(sys.stdin)[0][\"id\"])')")
        self.run_lines("README.md", script)
        self.assertTrue((self.home / "reports/report.html").exists())


class Words(support.ProgramTest):
    """What no block runs: commands inside sentences, examples of the reference, blocks of other languages."""

    def setUp(self):
        super().setUp()
        self.verbs = {}  # their options
        self.note(self.program.json("reference", "cli")["program"])

    def note(self, verb):
        self.verbs[verb["verb"]] = {name for option in verb["options"] for name in option["names"]}
        for inner in verb["verbs"]:
            self.note(inner)

    def problem_of(self, command):
        """What the grammar says against a command; "" where it holds."""
        words = shlex.split(command.split("|")[0].split(">")[0].split("&&")[0], comments=True)[1:]
        path, at = "", 0
        while at < len(words):
            word, at = words[at], at + 1
            if word.startswith("-"):
                name = word.partition("=")[0]
                if name != "--help" and name not in self.verbs[path] and name not in self.verbs[""]:
                    return f"`understudy {path}` has no {name}"
            elif (path + " " + word).strip() in self.verbs:
                path = (path + " " + word).strip()
            elif not path:
                return f"no such verb: {word}"
        return ""

    def test_every_command_in_a_sentence_is_one(self):
        seen = 0
        for page in PAGES:
            for command in INLINE.findall(page.read_text()):
                seen += 1
                with self.subTest(page=name_of(page), command=command):
                    self.assertEqual(self.problem_of(command.replace("...", "")), "")
        self.assertGreater(seen, 40)

    def test_every_example_of_the_help_is_one(self):
        examples = [line for language, text in BLOCK.findall((DOCS / "reference/cli.md").read_text()) for line in text.splitlines()]
        self.assertGreater(len(examples), 80)
        for line in examples:
            for command in re.findall(r"understudy [^;)]*", line):
                with self.subTest(line=line):
                    self.assertEqual(self.problem_of(re.sub(r"\s{3,}.*", "", command)), "")

    def test_no_page_with_commands_is_left_out(self):
        run = {"guide/connect.md", "guide/first_task.md", "guide/console.md", "guide/models.md", "operations.md", "routing.md"}
        for page in PAGES:
            for language, _ in BLOCK.findall(page.read_text()):
                with self.subTest(page=name_of(page), language=language):
                    self.assertIn(name_of(page), run if language in ("sh", "js") else TOLD_ONLY.get(language, set()))

    def test_python_blocks_are_python_and_name_the_gateway(self):
        blocks = [text for language, text in BLOCK.findall((DOCS / "guide/connect.md").read_text()) if language in ("python", "yaml")]
        self.assertEqual(len(blocks), 5)
        for text in blocks:
            self.assertIn('"http://127.0.0.1:8080/v1"', text)
            if "import" in text:
                compile(text, "connect.md", "exec")


if __name__ == "__main__":
    support.main()
