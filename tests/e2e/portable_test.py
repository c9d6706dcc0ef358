"""The portable archive's tree needs nothing from the machine: it runs in a root directory that holds nothing else, no C
library, no shell, no /etc. What runs there runs on Debian 12, on Ubuntu 22.04 and in a container FROM scratch."""

import ctypes
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import support

sys.path.insert(0, str(support.PROJECT / "tools"))
import portable_check  # noqa: E402  (the path is set above)

MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18  # sys/mount.h
BUILD = pathlib.Path(support.PROGRAM).resolve().parent.parent
HOME = "/tmp/demo"


def mount(source, target, flags):
    if ctypes.CDLL(None, use_errno=True).mount(bytes(source), bytes(target), None, flags, None) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(target))


def enter(root):
    """In the child, before exec: a mount namespace of its own, then the bare root."""
    os.unshare(os.CLONE_NEWNS)
    # So that the mounts die with the child; a root that is no mount point cannot be made private, and need not be.
    ctypes.CDLL(None).mount(None, b"/", None, MS_REC | MS_PRIVATE, None)
    for name in ("proc", "dev"):
        mount(pathlib.Path("/", name), root / name, MS_BIND | MS_REC)
    os.chroot(root)
    os.chdir("/")


class Portable(support.ProgramTest):
    @classmethod
    def setUpClass(cls):
        """One tree for all tests: it is large."""
        if not (BUILD / "bin/portable-launcher").exists() or not (BUILD / "bin/understudy-train").exists():
            raise unittest.SkipTest("this build has no portable archive")
        cls.root = pathlib.Path(tempfile.mkdtemp(prefix="understudy-bare-"))
        cls.addClassCleanup(shutil.rmtree, cls.root, ignore_errors=True)
        cls.root.chmod(0o755)  # as / is, for every user
        for name in ("proc", "dev", "tmp", "opt"):
            (cls.root / name).mkdir()
        subprocess.run([sys.executable, support.PROJECT / "tools/portable_tree.py", "--build", BUILD, "--output",
                        cls.root / "opt/understudy"], check=True, stdout=subprocess.DEVNULL)

    def setUp(self):
        super().setUp()
        try:
            self.run_bare("understudy", "--version")
        except subprocess.SubprocessError as error:
            self.skipTest(f"no other root can be entered here: {error}")

    def run_bare(self, program, *words, folder="bin", user=0, environment=None):
        def begin():
            enter(self.root)
            if user:
                os.setgroups([])
                os.setgid(user)
                os.setuid(user)
        return subprocess.run([f"/opt/understudy/{folder}/{program}", *words], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, env=environment or {"HOME": "/tmp"}, timeout=300, preexec_fn=begin)

    def expect(self, program, *words, folder="bin"):
        done = self.run_bare(program, *words, folder=folder)
        self.assertEqual(done.returncode, 0, done.stderr[-3000:] + done.stdout[-3000:])
        return done.stdout + done.stderr

    def test_every_program_starts_in_an_empty_root(self):
        self.assertIn("understudy ", self.expect("understudy", "--version"))
        self.assertIn("version", self.expect("llama-server", "--version", folder="lib/understudy"))
        self.assertNotIn("llama-server", self.run_bare("understudy", "doctor").stdout)  # it finds its own

    def test_a_small_model_is_trained_and_read_by_llama_cpp_in_an_empty_root(self):
        lines = [json.dumps({"prompt": f"say {i % 7}", "answer": str(i % 7)}) for i in range(100)]
        (self.root / "tmp/lines.jsonl").write_text("\n".join(lines))
        self.expect("understudy-train", "--data", "/tmp/lines.jsonl", "--out", "/tmp/model", "--steps", "5")
        speeds = self.expect("llama-bench", "-m", "/tmp/model/model.gguf", "-p", "4", "-n", "1", "-r", "1",
                             folder="lib/understudy")
        self.assertIn("CPU", speeds)  # ggml found its code for this processor, too

    def test_the_demo_runs_in_an_empty_root(self):
        result = json.loads(self.run_bare("understudy", "demo", "--quick", "--json", "--directory", HOME).stdout)
        self.assertTrue(all(result["bar"].values()), result["bar"])
        self.assertTrue((self.root / HOME[1:] / "reports/report.html").exists())

    def test_as_the_container_image_runs_it(self):
        """The image is this tree, a home, a user without a name, and the environment that the Dockerfile gives."""
        text = (support.PROJECT / "Dockerfile").read_text().partition("FROM scratch")[2]
        user = int(re.search(r"^USER (\d+):\1$", text, re.MULTILINE)[1])
        environment = dict(word.split("=", 1) for word in re.search(r"^ENV (.+)$", text, re.MULTILINE)[1].split())
        home = self.root / environment["UNDERSTUDY_HOME"].lstrip("/")
        home.mkdir()
        os.chown(home, user, user)
        self.assertTrue((self.root / environment["SSL_CERT_FILE"].lstrip("/")).exists())
        made = self.run_bare("understudy", "keys", "init", user=user, environment=environment)
        self.assertEqual(made.returncode, 0, made.stderr)
        found = self.run_bare("understudy", "doctor", "--offline", "--json", user=user, environment=environment)
        self.assertTrue(json.loads(found.stdout)["sound"], found.stdout)
        listening = self.run_bare("understudy", "serve", "--upstream", "https://api.example.com/v1", "--listen", "0.0.0.0:8080", "--validate",
                                  "--json", user=user, environment=environment)
        self.assertEqual(json.loads(listening.stdout)["listen"], "0.0.0.0:8080", listening.stderr)

    def test_nothing_is_taken_from_this_machine(self):
        """No library, no version of a symbol, no newer kernel, no link that leaves the tree: it would work here only."""
        found, summary = portable_check.findings(self.root / "opt/understudy")
        self.assertEqual(found, [])
        self.assertIn("nothing from the machine but Linux", summary)

    def test_what_would_be_taken_from_the_machine_is_found(self):
        tree = self.directory / "tree"
        programs = tree / "lib/understudy"
        for folder in ("elf", "shared"):
            (programs / folder).mkdir(parents=True)
        shared = self.root / "opt/understudy/lib/understudy/shared"
        shutil.copy("/usr/bin/true", programs / "true")
        shutil.copy("/usr/bin/true", programs / "elf/true")
        (tree / "out").symlink_to("/usr")
        self.assertEqual(portable_check.findings(tree)[0], ["true is not linked statically", "true needs libc.so.6, which is not in shared/",
                                                            "the link out leads out of the tree"])
        shutil.copy(shared / "libgcc_s.so.1", programs / "shared/libc.so.6")  # a library of that name with other symbols
        self.assertTrue(any(re.fullmatch(r"true needs GLIBC_\S+ of libc.so.6, which that does not have", line)
                            for line in portable_check.findings(tree)[0]))


if __name__ == "__main__":
    support.main()
