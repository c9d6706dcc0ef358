"""Runs what the guides say: every `sh` block of a page in one shell, in its order, and every `js` block by node between
them, against the SIMULATED upstream. Only the upstream's address and the gateway's port are put in place of the page's.
"""

import pathlib
import re
import subprocess
import sys
import unittest

import gateway_case
import support

sys.path.insert(0, str(support.PROJECT / "tools"))
import node_packages  # noqa: E402  (the path is set above)

DOCS = support.PROJECT / "docs"
BLOCK = re.compile(r"^```(sh|js)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHELL = """set -euo pipefail
trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT
wait_for_gateway() {
  for _ in $(seq 200); do python3 -c 'import socket, sys; socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1)' "$1" 2>/dev/null && return; sleep 0.05; done
  return 1
}
"""
PAGE_SECONDS_MAX = 300


class Guides(support.ProgramTest):
    def run_page(self, name, files=None):
        upstream = self.children.upstream("script")
        port = support.harness.free_port()
        work = self.directory / "work"
        (work / "bin").mkdir(parents=True, exist_ok=True)
        (work / "bin/understudy").symlink_to(pathlib.Path(support.PROGRAM).resolve())
        for file, lines in (files or {}).items():
            self.write_lines(f"work/{file}", lines)
        script = SHELL
        for number, (language, text) in enumerate(BLOCK.findall((DOCS / name).read_text())):
            text = text.replace("https://api.example.com/v1", upstream.url + "/v1").replace("127.0.0.1:8080", f"127.0.0.1:{port}")
            if language == "js":
                self.with_node(work)
                (work / f"block-{number}.mjs").write_text(text)
                text = f"node block-{number}.mjs\n"
            for line in text.splitlines():
                script += f"echo '+ {line.replace(chr(39), chr(34))}' >&2\n{line}\n"
                if line.endswith(" &"):
                    script += f"wait_for_gateway {port}\n"
        done = subprocess.run(["bash", "-c", script], cwd=work, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=PAGE_SECONDS_MAX, env={
                                  **support.os.environ, "PATH": f"{work}/bin:" + support.os.environ["PATH"],
                                  "UNDERSTUDY_HOME": str(self.home), "HOME": str(self.directory), "OPENAI_API_KEY": "sk-none",
                                  "ANTHROPIC_API_KEY": "sk-none", "no_proxy": "127.0.0.1"})
        self.assertEqual(done.returncode, 0, f"{name}:\n{done.stderr[-3000:]}\n{done.stdout[-1000:]}")
        return done.stdout

    def with_node(self, work):
        if (work / "node_modules").exists():
            return
        try:
            packages = node_packages.installed(gateway_case.CLIENTS)
        except node_packages.Unavailable as reason:
            raise unittest.SkipTest(f"the node clients are not installed: {reason}") from None
        (work / "node_modules").symlink_to(packages / "node_modules")

    def test_connect(self):
        self.run_page("guide/connect.md")
        self.assertEqual(self.logged()["calls"], 2)

    def test_first_task(self):
        self.run_page("guide/first_task.md", files={"calls.jsonl": support.records("intent", 1, 1200)})

    def test_console(self):
        self.assertIn('"name":"owner"', self.run_page("guide/console.md"))

    def test_models(self):
        trainer = pathlib.Path(support.PROGRAM).parent / "understudy-train"
        if not trainer.exists():
            self.skipTest("understudy-train is not built")
        # A GGUF file that costs seconds: a nano model of a few steps, as somebody else's base.
        lines = [{"prompt": f"note {number}: {word}\n", "answer": word} for number in range(60) for word in ("red", "green", "blue")]
        subprocess.run([str(trainer), "--data", self.write_lines("base.jsonl", lines), "--out", self.directory, "--steps", "3",
                        "--pieces", "300", "--quiet"], check=True, stdout=subprocess.DEVNULL)
        (self.directory / "work").mkdir()
        (self.directory / "model.gguf").rename(self.directory / "work/base.gguf")
        self.run_page("guide/models.md", files={"calls.jsonl": support.records("intent", 1, 300)})

    def test_operations(self):
        self.run_page("operations.md")


if __name__ == "__main__":
    support.main()
