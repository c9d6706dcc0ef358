"""Bad input of every kind gives a clear error and the right exit code, and what was stored stays."""

import ctypes
import gzip
import os
import random
import shutil

import support
from support import EXIT_BAD_INPUT, EXIT_CORRUPT, EXIT_DENIED, EXIT_EXHAUSTED, EXIT_NOT_FOUND, EXIT_USAGE

MNT_DETACH = 2  # sys/mount.h


class BadInput(support.ProgramTest):
    def setUp(self):
        super().setUp()
        self.with_keys()

    def imported(self, name, count):
        self.program.json("import", self.write_lines(f"{name}.jsonl", support.records("intent", name, count)))

    def test_a_line_that_is_no_json_is_named_and_the_calls_before_it_stay(self):
        self.imported("before", 5)
        good = support.records("tools", 1, 2)
        path = self.write_lines("bad.jsonl", [*good, '{"id": "x", "request": {oops\n', *support.records("tools", 2, 3)])
        self.assert_fails(EXIT_BAD_INPUT, "import", path, says=[f"{path.name}:3"])
        self.assertEqual(self.logged()["calls"], 7)

    def test_a_record_without_messages_is_named(self):
        path = self.write_lines("bad.jsonl", [*support.records("tools", 1, 1), {"id": "x", "request": {"model": "m"}}])
        self.assert_fails(EXIT_BAD_INPUT, "import", path, says=[f"{path.name}:2", "messages"])

    def test_a_record_without_a_request_is_named(self):
        path = self.write_lines("bad.jsonl", [{"id": "x", "response": {}}])
        self.assert_fails(EXIT_BAD_INPUT, "import", path, says=[f"{path.name}:1"])

    def test_a_broken_gzip_is_named(self):
        path = self.directory / "torn.jsonl.gz"
        lines = self.write_lines("whole.jsonl", support.records("tools", 1, 200)).read_bytes()
        path.write_bytes(gzip.compress(lines)[:-400])
        self.assert_fails(EXIT_CORRUPT, "import", path, says=[path.name])

    def test_missing_files_and_directories_are_named(self):
        self.assert_fails(EXIT_NOT_FOUND, "import", self.directory / "nothing.jsonl", says=["nothing.jsonl"])
        self.assertNotEqual(self.program.run("import", self.directory).returncode, 0)

    def test_wrong_usage_is_exit_code_2(self):
        for words in (["fly"], ["import"], ["tune"], ["evaluate", "t-1", "--alpha", "7"]):
            self.assertEqual(self.program.run(*words).returncode, EXIT_USAGE, words)
        self.assert_fails(EXIT_USAGE, "keys", "init", "--colour", says=["understudy: ", "--colour", "`understudy keys init --help`"])

    def test_nan_is_no_number_in_any_option(self):
        for words in (["access", "add", "--name", "bob", "--usd-per-day", "nan"], ["access", "add", "--name", "bob", "--budget-usd", "NaN"],
                      ["evaluate", "t-1", "--delta", "nan"]):
            self.assert_fails(EXIT_USAGE, *words, says=[words[-2], "is no number"])
        self.assertEqual(self.program.json("access", "list")["keys"], [])

    def test_steps_out_of_order_say_what_to_run_first(self):
        self.imported("calls", 5)
        self.assert_fails(EXIT_NOT_FOUND, "cluster", says=["curate"])
        self.assert_fails(EXIT_NOT_FOUND, "tasks", says=["cluster"])

    def test_a_corrupt_segment_is_named_and_the_others_are_read(self):
        self.imported("first", 40)
        self.imported("second", 40)
        segments = self.segments()
        self.assertEqual(len(segments), 2)
        damaged = bytearray(segments[0].read_bytes())
        damaged[len(damaged) // 2] ^= 0x40
        with support.swapped(segments[0], bytes(damaged)):
            statistics = self.logged()
            self.assertEqual(len(statistics["corrupt"]), 1, statistics)
            self.assertIn(segments[0].name, statistics["corrupt"][0])
            self.assertRegex(statistics["corrupt"][0], r"\d")
            self.assertGreaterEqual(statistics["calls"], 40)
            self.assertLess(statistics["calls"], 80)
        self.assertEqual(self.logged()["calls"], 80)

    def test_a_wrong_key_is_denied(self):
        self.imported("calls", 5)
        other = support.harness.Program(support.PROGRAM, self.directory / "other")
        other.text("keys", "init")
        keys = self.home / "keys"
        shutil.move(keys, self.directory / "kept")
        shutil.copytree(other.home / "keys", keys)
        self.assert_fails(EXIT_DENIED, "log", "stat", says=["key"])
        self.assert_fails(EXIT_DENIED, "curate", says=["key"])
        shutil.rmtree(keys)
        shutil.move(self.directory / "kept", keys)
        self.assertEqual(self.logged()["calls"], 5)

    def test_missing_keys_say_how_to_make_them(self):
        empty = support.harness.Program(support.PROGRAM, self.directory / "empty")
        for words in (["log", "stat"], ["serve", "--upstream", "http://127.0.0.1:9"], ["curate"]):
            done = empty.run(*words)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("keys init", done.stderr, words)

    def test_keys_are_never_overwritten(self):
        before = {path.name: path.read_bytes() for path in (self.home / "keys").iterdir()}
        self.program.run("keys", "init")
        self.assertEqual({path.name: path.read_bytes() for path in (self.home / "keys").iterdir()}, before)

    def test_an_unknown_task_is_not_found(self):
        self.program.json("import", self.write_lines("calls.jsonl", support.records("intent", 1, 300)))
        self.program.json("curate")
        self.program.json("cluster")
        for verb in (["select"], ["tasks", "show"], ["evaluate"], ["promote"], ["tune", "--candidate", "classifier"]):
            self.assert_fails(EXIT_NOT_FOUND, *verb, "t-0000000000", says=["t-0000000000"])


class FullDisk(support.ProgramTest):
    def setUp(self):
        super().setUp()
        self.home.mkdir()
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mount(b"tmpfs", bytes(self.home), b"tmpfs", 0, b"size=1m,mode=0700") != 0:
            self.skipTest(f"mounting a small tmpfs is not permitted here: {os.strerror(ctypes.get_errno())}")
        self.addCleanup(libc.umount2, bytes(self.home), MNT_DETACH)

    def test_an_import_that_fills_the_disk_says_so_and_loses_nothing_stored(self):
        self.with_keys()
        self.program.json("import", self.write_lines("small.jsonl", support.records("intent", 1, 20)))
        large = [{**call, "request": {**call["request"], "noise": noise(number)}}
                 for number, call in enumerate(support.records("tools", 1, 400))]
        path = self.write_lines("large.jsonl", large)
        self.assert_fails(EXIT_EXHAUSTED, "import", path, says=["space"])
        statistics = self.logged()
        self.assertGreaterEqual(statistics["calls"], 20)
        self.assertEqual(statistics["corrupt"], [])

    def test_a_gateway_on_a_full_disk_keeps_serving_and_says_so(self):
        self.with_keys()
        upstream = self.children.upstream("oracle")
        gateway = self.children.gateway(self.program, upstream.url)
        calls = support.agents.generate("tools", 1, 300)
        calls = [support.harness.PlainCall({**call.request, "metadata": {"noise": noise(number)}}, call.session)
                 for number, call in enumerate(calls)]
        replies = support.harness.send(gateway.url, calls, concurrency=8)
        self.assertTrue(all(reply.whole for reply in replies), [r.error for r in replies if not r.whole][:3])
        self.assertNotEqual(support.harness.get_json(gateway.url + "/health").get("log"), "ok")
        self.assertIsNone(gateway.process.poll(), "the gateway still runs")
        self.assertGreater(self.logged()["calls"], 0)


def noise(number, size=8000):
    """Text that does not compress: the disk has to hold it as it is."""
    return random.Random(number).randbytes(size).hex()


if __name__ == "__main__":
    support.main()
