"""The demo in small (`understudy demo --quick`): what newcomers run first must not rot."""

import json
import subprocess

import support


class Demo(support.ProgramTest):
    def test_the_quick_demo_holds_its_bar(self):
        home = self.directory / "demo-home"
        done = subprocess.run([support.PROGRAM, "demo",
                               "--quick", "--json", "--directory", home], capture_output=True, text=True, timeout=300,
                              stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, done.stderr[-3000:] + done.stdout[-3000:])
        result = json.loads(done.stdout)
        self.assertTrue(result["simulated"])
        self.assertTrue(all(result["bar"].values()), result["bar"])
        self.assertIn("SIMULATED", done.stderr)


if __name__ == "__main__":
    support.main()
