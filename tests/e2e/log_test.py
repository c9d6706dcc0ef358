"""The call log from the command line: size, verification, reading, roles, erasure, keys, the audit trail."""

import gzip
import json
import os
import shutil

import support
from support import EXIT_BAD_INPUT, EXIT_CORRUPT, EXIT_DENIED, EXIT_NOT_FOUND

SHARE_OF_JSONL_MAX = 0.15


def conversation(number, turns):
    """Recorded calls of one agent run with a tool: each request repeats what was said before."""
    messages = [{"role": "system", "content": "You are the clerk of a zoo. " + "Be brief and polite. " * 10}]
    for turn in range(turns):
        messages.append({"role": "user", "content": f"What does animal {number}-{turn} eat, and how much of it a day?"})
        call = {"role": "assistant", "content": None, "tool_calls": [
            {"id": f"tool-{number}-{turn}", "type": "function",
             "function": {"name": "look_up", "arguments": json.dumps({"animal": f"{number}-{turn}"})}}]}
        yield {"id": f"call-{number}-{turn}", "session": f"zoo-{number}", "client_id": f"zoo-{number % 2}",
               "timestamp": f"2026-11-0{1 + turn % 9}T08:00:00Z",
               "request": {"model": "m", "messages": list(messages)},
               "response": {"choices": [{"message": call, "finish_reason": "tool_calls"}]}}
        messages += [call, {"role": "tool", "tool_call_id": f"tool-{number}-{turn}",
                            "content": f"{turn} kilograms of marmalade"}]


class Log(support.ProgramTest):
    def with_calls(self, conversations=4, turns=6):
        self.with_keys()
        lines = [call for number in range(conversations) for call in conversation(number, turns)]
        self.program.json("import", self.write_lines("calls.jsonl", lines))
        return lines

    def cat(self, *words):
        text = self.program.text("log", "cat", *words)
        return [json.loads(line) for line in text.splitlines()]

    @support.needs_shared_data
    def test_a_tau_bench_set_takes_a_fraction_of_its_text(self):
        self.with_keys()
        path = support.SHARED_DATA / "calls" / "tau_airline_gpt4o.jsonl.gz"
        with gzip.open(path, "rb") as lines:
            text_bytes = sum(len(line) for line in lines)
        self.program.json("import", path)
        stored = sum(segment.stat().st_size for segment in self.segments())
        print(f"tau_airline_gpt4o: {text_bytes} bytes of JSONL, {stored} in the log: {stored / text_bytes:.2%}")
        self.assertLess(stored, SHARE_OF_JSONL_MAX * text_bytes)
        statistics = self.logged()
        self.assertEqual(statistics["calls"], 2446)
        self.assertEqual(statistics["bytes"], stored)
        self.assertTrue(self.program.json("log", "verify", "--content")["sound"])

    def test_cat_prints_what_was_recorded_with_tool_results(self):
        lines = self.with_calls(conversations=2, turns=4)
        printed = self.cat()
        self.assertEqual({call["id"] for call in printed}, {line["id"] for line in lines})
        for call in printed:
            recorded = next(line for line in lines if line["id"] == call["id"])
            self.assertEqual(call["request"], recorded["request"])
            self.assertEqual(call["response"], recorded["response"])
            number, turn = call["id"].split("-")[1:]
            tool = call["tool_calls"][0]
            self.assertEqual((tool["name"], tool["arguments"]), ("look_up", {"animal": f"{number}-{turn}"}))
            last = turn == "3"
            self.assertEqual(tool["result"], None if last else f"{turn} kilograms of marmalade")

    def test_cat_filters(self):
        self.with_calls(conversations=3, turns=5)
        self.assertEqual([call["id"] for call in self.cat("--call", "call-1-2")], ["call-1-2"])
        self.assertEqual(len(self.cat("--session", "zoo-2")), 5)
        self.assertEqual(len(self.cat("--tenant", "zoo-0")), 10)
        self.assertEqual(len(self.cat("--since", "2026-11-03T00:00:00Z")), 9)
        self.assertEqual(len(self.cat("--since", "2026-11-03")), 9)
        self.assertEqual(len(self.cat("--limit", "4")), 4)
        self.assert_fails(EXIT_NOT_FOUND, "log", "cat", "--call", "none", says=["none"])
        self.assert_fails(EXIT_BAD_INPUT, "log", "cat", "--since", "yesterday", says=["2h"])
        self.assert_fails(EXIT_NOT_FOUND, "log", "cat", "--tenant", "nobody", says=["nobody"])

    def test_the_auditor_sees_metadata_only(self):
        self.with_calls()
        (self.home / "keys/curator.key").unlink()  # a machine of the auditor's
        printed = self.cat("--metadata")
        self.assertEqual(len(printed), 24)
        self.assertNotIn("marmalade", json.dumps(printed))
        self.assertTrue(all("request" not in call and call["request_bytes"] > 100 for call in printed))
        self.assertEqual(self.logged()["calls"], 24)
        self.assertTrue(self.program.json("log", "verify")["sound"])
        self.assert_fails(EXIT_NOT_FOUND, "log", "cat", says=["curator.key"])

    def test_verify_finds_a_flipped_bit_with_either_key(self):
        self.with_calls()
        segment = self.segments()[0]
        damaged = bytearray(segment.read_bytes())
        damaged[len(damaged) // 2] ^= 1
        with support.swapped(segment, bytes(damaged)):
            for words in (["log", "verify"], ["log", "verify", "--content"]):
                done = self.program.run(*words, "--json")
                self.assertEqual(done.returncode, EXIT_CORRUPT)
                result = json.loads(done.stdout)
                self.assertFalse(result["sound"])
                self.assertIn(segment.name, result["corrupt"][0])
        self.assertTrue(self.program.json("log", "verify")["sound"])

    def test_an_erased_tenant_is_gone_and_the_others_stay(self):
        self.with_calls()
        segments = [segment.read_bytes() for segment in self.segments()]
        done = self.program.run("log", "erase", "zoo-1")
        self.assertEqual(done.returncode, EXIT_BAD_INPUT, "without a terminal it wants --yes")
        self.assertEqual(len(self.cat("--tenant", "zoo-1")), 12)
        result = self.program.json("log", "erase", "zoo-1", "--yes")
        self.assertTrue(result["erased"])
        printed = self.cat()
        erased = [call for call in printed if call["content"] == "erased"]
        self.assertEqual((len(printed), len(erased)), (24, 12))
        self.assertTrue(all("request" not in call and call["session"] in ("zoo-1", "zoo-3") for call in erased))
        self.assertEqual([segment.read_bytes() for segment in self.segments()], segments, "segments are not touched")
        verified = self.program.json("log", "verify", "--content")
        self.assertTrue(verified["sound"])
        self.assertEqual(verified["erased_calls"], 12)
        self.assert_fails(EXIT_NOT_FOUND, "log", "erase", "zoo-1", "--yes", says=["zoo-1"])
        self.assertEqual(self.program.json("curate")["calls_read"], 12)

    def test_rotated_keys_open_old_and_new_segments(self):
        self.with_calls(conversations=1)
        self.program.run("curate")
        before = self.program.json("log", "keys")
        for role in ("curator", "auditor", "trainer"):
            rotation = self.program.json("keys", "rotate", role)
            self.assertNotEqual(rotation["before"], rotation["after"])
        self.program.json("import", self.write_lines("more.jsonl", list(conversation(7, 3))))
        self.assertEqual(len(self.cat()), 9)
        self.assertEqual(len(self.cat("--metadata")), 9)
        self.program.run("cluster")  # reads the data set that was sealed to the former curator
        keys = self.program.json("log", "keys")
        self.assertEqual(keys["unknown_keys"], [])
        states = [reader["state"] for segment in keys["segments"] for reader in segment["readers"]]
        self.assertEqual(states, ["former"] * 2 + ["present"] * 2)
        self.assertTrue(all(reader["secret_here"] for s in keys["segments"] for reader in s["readers"]))
        self.assertEqual([s["segment"] for s in before["segments"]], [keys["segments"][0]["segment"]])
        self.assertEqual(len(self.program.json("keys", "list")["keys"][0]["former"]), 1)

    def test_segments_of_another_home_name_their_keys(self):
        self.with_calls(conversations=1)
        other = support.harness.Program(support.PROGRAM, self.directory / "other")
        other.text("keys", "init")
        shutil.copy(self.segments()[0], other.home / "log")
        keys = other.json("log", "keys")
        self.assertEqual(len(keys["unknown_keys"]), 2)
        done = other.run("log", "cat")
        self.assertEqual(done.returncode, EXIT_DENIED)
        self.assertIn(keys["unknown_keys"][0], done.stderr)

    def test_a_passphrase_protects_a_role_key(self):
        self.with_calls(conversations=1)
        environment = {**os.environ, "UNDERSTUDY_NEW_PASSPHRASE_CURATOR": "correct horse"}
        self.assertEqual(self.program.run("keys", "protect", "curator", environment=environment).returncode, 0)
        environment["UNDERSTUDY_PASSPHRASE_CURATOR"] = "wrong horse"
        done = self.program.run("log", "cat", environment=environment)
        self.assertEqual(done.returncode, EXIT_DENIED)
        self.assertIn("passphrase", done.stderr)
        environment["UNDERSTUDY_PASSPHRASE_CURATOR"] = "correct horse"
        done = self.program.run("log", "cat", environment=environment)
        self.assertEqual((done.returncode, len(done.stdout.splitlines())), (0, 6))
        self.assertEqual(self.logged()["calls"], 6, "metadata needs the auditor's key only")

    def test_reading_content_leaves_a_trace_that_cannot_be_changed(self):
        self.with_calls()
        self.cat("--session", "zoo-1")
        self.program.json("curate")
        self.program.json("import", self.write_lines("more.jsonl", list(conversation(7, 3))))
        shown = self.program.json("audit", "show", "--limit", "0")
        acts = [(entry["act"], entry["what"], entry.get("calls")) for entry in shown["entries"]]
        self.assertEqual(acts, [("make", "keys init", None), ("open", "log cat", None), ("read", "log cat", 6),
                                ("open", "curate", None), ("read", "curate", 24)])
        self.assertTrue(all(entry["user"] and entry["role"] for entry in shown["entries"]))
        self.assertIn("session=zoo-1", shown["entries"][1]["detail"])
        verified = self.program.json("audit", "verify")
        self.assertTrue(verified["sound"])
        self.assertEqual(verified["anchors"], 2)
        trail = self.home / "audit/trail.jsonl"
        lines = trail.read_bytes().splitlines(keepends=True)
        for changed in (lines[:1] + lines[2:], lines[:1] + lines[3:4] + lines[1:3] + lines[4:], lines[:2],
                        [lines[0], lines[1].replace(b"zoo-1", b"zoo-2"), *lines[2:]]):
            with support.swapped(trail, b"".join(changed)):
                done = self.program.run("audit", "verify", "--json")
                self.assertEqual(done.returncode, EXIT_CORRUPT, changed)
                self.assertFalse(json.loads(done.stdout)["sound"])
                self.assertEqual(self.program.run("log", "verify").returncode, EXIT_CORRUPT)
        self.cat("--limit", "1")
        head = self.program.json("audit", "verify")["head"]
        with support.swapped(trail, b"".join(lines)):  # cut behind the last anchor: the noted head shows it
            self.assertTrue(self.program.json("audit", "verify")["sound"])
            self.assert_fails_with_output(EXIT_CORRUPT, "audit", "verify", "--head", head)

    def assert_fails_with_output(self, exit_code, *words):
        done = self.program.run(*words)
        self.assertEqual(done.returncode, exit_code, done.stderr)

    def test_without_a_trail_no_content_is_read(self):
        self.with_calls(conversations=1)
        shutil.rmtree(self.home / "audit")
        (self.home / "audit").write_text("no directory")
        done = self.program.run("log", "cat")
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(done.stdout, "")


if __name__ == "__main__":
    support.main()
