"""`./dev run` is the program and nothing else: it sees the caller's directory, /tmp and $HOME, and adds no output."""

import json
import os
import pathlib
import subprocess
import tempfile

import support


class DevRun(support.ProgramTest):
    def setUp(self):
        super().setUp()
        built = pathlib.Path(support.PROGRAM).resolve()
        if built.parent.parent.parent != support.PROJECT / "build":
            self.skipTest(f"./dev run runs the program below {support.PROJECT}/build, this is {built}")
        self.preset = built.parent.parent.name

    def dev_run(self, *words, cwd):
        return subprocess.run([support.PROJECT / "dev", "run", "--home", str(self.home), *map(str, words)], cwd=cwd,
                              capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
                              env={**os.environ, "UNDERSTUDY_PRESET": self.preset})

    def test_relative_paths_tmp_and_home_are_visible_and_stdout_is_the_result_only(self):
        self.with_keys()
        work = self.directory / "work" / "below"
        work.mkdir(parents=True)
        lines = self.write_lines("x.jsonl", support.records("intent", 1, 3)).read_text()
        (work / "relative.jsonl").write_text(lines)
        in_home = tempfile.NamedTemporaryFile("w", dir=pathlib.Path.home(), suffix=".jsonl")
        with in_home:
            in_home.write(lines)
            in_home.flush()
            done = self.dev_run("import", "relative.jsonl", "../../x.jsonl", self.directory / "x.jsonl", in_home.name,
                                "--json", cwd=work)
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual([entry["calls"] for entry in report["files"]], [3, 3, 3, 3])

    def test_exit_codes_pass_through(self):
        done = self.dev_run("fly", cwd=self.directory)
        self.assertEqual((done.returncode, done.stdout), (support.EXIT_USAGE, ""))


if __name__ == "__main__":
    support.main()
