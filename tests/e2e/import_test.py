"""`understudy import`: the formats that it reads, and counts that match the files' lines."""

import gzip
import json

import support


class Import(support.ProgramTest):
    def test_plain_and_gzip_files_give_one_call_a_line(self):
        self.with_keys()
        plain = self.write_lines("plain.jsonl", support.records("tools", 1, 30))
        zipped = self.directory / "zipped.bin"  # recognised by its bytes, not by its name
        zipped.write_bytes(gzip.compress(self.write_lines("x", support.records("intent", 1, 20)).read_bytes()))
        report = self.program.json("import", plain, zipped)
        self.assertEqual([(entry["lines"], entry["calls"]) for entry in report["files"]], [(30, 30), (20, 20)])
        self.assertEqual((report["calls"], self.logged()["calls"]), (50, 50))

    def test_data_flywheel_records_are_read(self):
        self.with_keys()
        flywheel = [{"timestamp": 1_760_000_000 + number, "workload_id": "router", "client_id": "desk",
                     "request": call["request"], "response": call["response"]}
                    for number, call in enumerate(support.records("intent", 2, 25))]
        report = self.program.json("import", self.write_lines("flywheel.jsonl", flywheel))
        self.assertEqual((report["calls"], self.logged()["calls"]), (25, 25))

    def test_imported_calls_keep_their_ids(self):
        self.with_keys()
        calls = support.records("intent", 3, 300)
        self.program.json("import", self.write_lines("calls.jsonl", calls))
        self.program.json("curate")
        self.program.json("cluster")
        assigned = self.program.assignments()
        known = {call["id"] for call in calls}
        self.assertTrue(set(assigned) <= known)
        self.assertGreater(len(assigned), 0.9 * len(known))

    def test_an_empty_file_is_no_call(self):
        self.with_keys()
        done = self.program.run("import", self.write_lines("empty.jsonl", []), "--json")
        if done.returncode == 0:
            self.assertEqual(json.loads(done.stdout)["calls"], 0)
        else:
            self.assertIn("empty.jsonl", done.stderr)

    @support.needs_shared_data
    def test_real_recorded_calls_count_as_many_as_their_lines(self):
        self.with_keys()
        files = sorted((support.SHARED_DATA / "calls").glob("*.jsonl.gz"))
        self.assertEqual(len(files), 7)
        report = self.program.json("import", *files)
        counted = {}
        for path in files:
            with gzip.open(path, "rb") as lines:
                counted[str(path)] = sum(1 for line in lines if line.strip())
        self.assertEqual({entry["path"]: entry["calls"] for entry in report["files"]}, counted)
        self.assertEqual(self.logged()["calls"], sum(counted.values()))


if __name__ == "__main__":
    support.main()
