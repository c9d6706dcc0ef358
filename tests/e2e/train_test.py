"""understudy-train on its own: an adapter on a GGUF base, killed in mid-run and resumed, and what it says of bad input."""

import fcntl
import json
import os
import pathlib
import re
import resource
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import support

EXIT_CONFLICT = 9
TRAINER = pathlib.Path(support.PROGRAM).parent / "understudy-train"


def lora_of_rank(rank):
    return ["--method", "lora", "--rank", str(rank), "--threads", "1", "--compute", "f32", "--batch-tokens", "512",
            "--max-length", "256", "--learning-rate", "0.003", "--quiet"]


LORA = lora_of_rank(8)


def examples(count):
    return [{"prompt": f"order {index % 37} of shop {index % 11}: ", "answer": f"shop{index % 11}"} for index in range(count)]


def train_base(directory):
    """A nano model does for a base."""
    lines = "".join(json.dumps(line) + "\n" for line in examples(300))
    subprocess.run([TRAINER, "--data", "-", "--out", directory, "--steps", "5", "--width", "64", "--layers", "2", "--heads", "2",
                    "--feed-forward", "128", "--pieces", "300", "--threads", "1", "--quiet"],
                   input=lines, text=True, check=True, stdout=subprocess.DEVNULL)
    return directory / "model.gguf"


class Train(support.ProgramTest):
    @classmethod
    def setUpClass(cls):
        if not os.access(TRAINER, os.X_OK):
            raise unittest.SkipTest("understudy-train is not built")
        cls.trained = train_base(pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="understudy-base-"))))

    def setUp(self):
        super().setUp()
        self.data = self.write_lines("data.jsonl", examples(300))
        self.base = self.trained  # nobody writes to it

    def command(self, *words):
        return [str(TRAINER), *map(str, words)]

    def run_trainer(self, *words, code=0):
        done = subprocess.run(self.command(*words), capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, code, done.stderr)
        return json.loads(done.stdout) if code == 0 else done.stderr

    def lora(self, out, *more, epochs=8, code=0):
        return self.run_trainer("--data", self.data, "--base", self.base, "--out", out, *LORA, "--epochs", epochs, *more,
                                code=code)

    def test_its_help_teaches_by_examples_and_it_tells_its_version(self):
        def told(word):
            return subprocess.run(self.command(word), capture_output=True, text=True, check=True).stdout
        shown = told("--help")
        for part in ("Examples:", "--method lora", "(QLoRA)", "torchrun", "{automatic,f32,bf16}"):
            self.assertIn(part, shown)
        self.assertRegex(told("--version"), r"^understudy-train \d+\.\d+\.\d+\n$")

    def test_it_starts_itself_anew_where_nobody_prepared_its_memory(self):
        process = subprocess.Popen(self.command("--data", "-", "--out", self.directory / "out"), stdin=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env={**os.environ, "GLIBC_TUNABLES": "glibc.malloc.perturb=0"})
        try:
            environment = pathlib.Path(f"/proc/{process.pid}/environ")
            deadline = time.monotonic() + 60
            while b"arena_max=1" not in environment.read_bytes() and time.monotonic() < deadline:
                time.sleep(0.05)
            tunables = dict(line.partition(b"=")[::2] for line in environment.read_bytes().split(b"\0"))[b"GLIBC_TUNABLES"]
            self.assertIn(b"arena_max=1", tunables)
            self.assertTrue(tunables.endswith(b":glibc.malloc.perturb=0"), "what the user says stands behind, and wins")
        finally:
            process.communicate()  # without a line it ends, with an error
        self.assertEqual(process.returncode, support.EXIT_BAD_INPUT)

    def test_a_base_that_is_no_model_gets_one_error_of_ours(self):
        for name, text, code in (("words.gguf", b'{"prompt": "no model"}', 8), ("cut.gguf", self.base.read_bytes()[:3000], 8)):
            path = self.directory / name
            path.write_bytes(text)
            error = self.run_trainer("--data", self.data, "--base", path, "--out", self.directory / "no", *LORA, code=code)
            self.assertRegex(error, rf"^understudy-train: {path} is no GGUF file.*\n  .*\n$")

    def interrupted(self, out, by, checkpoint_s):
        """What a run that was sent a signal in its middle said, and its exit code."""
        words = ["--data", self.data, "--base", self.base, "--out", out, *LORA, "--epochs", "8", "--checkpoint-seconds", checkpoint_s]
        checkpoint = out / "checkpoint.safetensors"
        process = subprocess.Popen(self.command(*words), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                   preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        deadline = time.monotonic() + 120
        while not checkpoint.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        if by == signal.SIGKILL:
            time.sleep(0.2)  # somewhere in the middle of a later step or checkpoint
        process.send_signal(by)
        error = process.communicate()[1]
        self.assertFalse((out / "adapter.gguf").exists(), "half a run left an adapter")
        return process.returncode, error

    def test_a_run_that_was_broken_off_resumes_bit_for_bit(self):
        whole, killed, stopped = (self.directory / name for name in ("whole", "killed", "stopped"))
        report = self.lora(whole)
        self.assertLess(report["validation_loss"], report["validation_loss_before"])
        self.assertEqual(self.interrupted(killed, signal.SIGKILL, 0)[0], -signal.SIGKILL, "it ended before it was killed")
        code, error = self.interrupted(stopped, signal.SIGINT, 100_000)
        self.assertEqual(code, 130, error)
        step = int(re.search(rf"stopped behind step (\d+) of {report['steps']}\b", error).group(1))
        with open(stopped / "checkpoint.safetensors", "rb") as file:
            facts = json.loads(file.read(int.from_bytes(file.read(8), "little")))["__metadata__"]
        self.assertEqual(int(facts["step"]), step)
        for cut in (killed, stopped):
            resumed = self.lora(cut, "--resume")
            self.assertEqual(resumed["steps"], report["steps"])
            for name in ("adapter.gguf", "peft/adapter_model.safetensors"):
                self.assertEqual((whole / name).read_bytes(), (cut / name).read_bytes(), name)

    def ranks(self, words):
        """Two processes that train one model; who reads their errors closes them."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        return [subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env={
            **os.environ, "RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)})
            for rank in range(2)]

    def test_ranks_end_at_the_same_step_when_one_is_asked_to(self):
        out = self.directory / "out"
        ranks = self.ranks(self.command("--data", self.data, "--base", self.base, "--out", out, *LORA, "--epochs", "40",
                                        "--checkpoint-seconds", 0))
        deadline = time.monotonic() + 120
        written = set()  # the second one is of a step that both took
        while len(written) < 2 and ranks[0].poll() is None and time.monotonic() < deadline:
            if (out / "checkpoint.safetensors").exists():
                written.add((out / "checkpoint.safetensors").stat().st_mtime_ns)
            time.sleep(0.002)
        ranks[1].send_signal(signal.SIGTERM)
        errors = [process.communicate(timeout=120)[1] for process in ranks]
        self.assertEqual([process.returncode for process in ranks], [130, 130], errors)
        steps = [re.search(r"stopped behind step (\d+) of", error).group(1) for error in errors]
        self.assertEqual(steps[0], steps[1])

    def test_two_ranks_train_as_one_with_twice_the_batch(self):
        one, two = self.directory / "one", self.directory / "two"
        self.lora(one, "--accumulate", "2", epochs=4)
        words = self.command("--data", self.data, "--base", self.base, "--out", two, *LORA, "--epochs", "4")
        ranks = self.ranks(words)
        errors = [process.communicate(timeout=300)[1] for process in ranks]
        self.assertEqual([process.returncode for process in ranks], [0, 0], errors)
        curves = [[json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()] for out in (one, two)]
        self.assertEqual([look["step"] for look in curves[0]], [look["step"] for look in curves[1]])
        for single, double in zip(*curves):
            for key in ("train_loss", "validation_loss"):
                self.assertAlmostEqual(single[key], double[key], delta=1e-4 * abs(single[key]) + 1e-9, msg=key)
        self.assertTrue((two / "adapter.gguf").exists())
        done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, "WORLD_SIZE": "2", "RANK": "5"})
        self.assertEqual(done.returncode, support.EXIT_BAD_INPUT)
        self.assertIn("RANK", done.stderr)

    def test_a_checkpoint_of_other_options_is_refused(self):
        out = self.directory / "out"
        self.lora(out, "--steps", "6")
        self.assertIn("another base, other data or other options", self.lora(out, "--resume", code=EXIT_CONFLICT))

    def test_a_disk_that_is_full_shows_before_the_first_step(self):
        done = subprocess.run(self.command("--data", self.data, "--base", self.base, "--out", self.directory / "out", *LORA),
                              capture_output=True, text=True, timeout=300,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)))
        self.assertEqual(done.returncode, support.EXIT_EXHAUSTED, done.stderr)
        self.assertIn("checkpoint.safetensors", done.stderr)
        self.assertLessEqual(len((self.directory / "out/metrics.jsonl").read_text().splitlines()), 1)

    def test_an_adapter_is_whole_where_its_merged_model_fails(self):
        out = self.directory / "out"
        words = ["--data", self.data, "--base", self.base, "--out", out, *lora_of_rank(1), "--steps", 8, "--merged", "F32"]
        size = self.base.stat().st_size
        done = subprocess.run(self.command(*words), capture_output=True, text=True, timeout=300,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, size // 2)))
        self.assertEqual(done.returncode, support.EXIT_EXHAUSTED, done.stderr)
        self.assertIn("merged.gguf", done.stderr)
        card = json.loads((out / "card.json").read_text())
        self.assertIsNone(card["metrics"]["merged_difference"])
        self.assertIn("There is no merged model", card["metrics"]["warnings"][0])
        self.assertFalse((out / "merged.gguf").exists())
        self.assertFalse((out / ".merged.gguf").exists())
        self.assertTrue((out / "adapter.gguf").exists())
        self.assertIsNotNone(card["metrics"]["served"])
        report = self.run_trainer(*words, "--resume")
        self.assertGreater(report["merged_difference"], 0)
        self.assertEqual(report["steps"], 8)

    def test_a_teacher_is_learned_from(self):
        alone = self.lora(self.directory / "alone", epochs=2)
        teacher = self.lora(self.directory / "teacher", "--merged", "F32")
        taught = self.lora(self.directory / "taught", "--teacher", self.directory / "teacher/merged.gguf",
                           "--teacher-share", "0.8", epochs=2)
        self.assertNotEqual(alone["validation_loss"], taught["validation_loss"])
        self.assertLess(taught["validation_loss"], taught["validation_loss_before"])
        self.assertLess(teacher["merged_difference"], 2e-3)

    def test_a_teacher_with_a_shorter_context_than_the_examples_is_refused(self):
        teacher = self.base
        self.data = self.write_lines("long.jsonl", [{"prompt": "where is it? " * 20 + str(number), "answer": "here"} for number in range(60)])
        self.base = self.directory / "long/model.gguf"
        self.run_trainer("--data", self.data, "--out", self.base.parent, "--steps", 2, "--width", 32, "--layers", 1, "--heads", 2,
                         "--feed-forward", 32, "--pieces", 300, "--threads", 1, "--quiet")
        self.assertRegex(self.lora(self.directory / "out", "--teacher", teacher, code=support.EXIT_BAD_INPUT),
                         r"has a context of \d+ tokens, and there are examples of \d+\n  Give --max-length \d+")

    def test_one_training_at_a_time_is_in_a_directory(self):
        out = self.directory / "out"
        out.mkdir()
        words = self.command("--data", self.data, "--base", self.base, "--out", out, *LORA, "--steps", "8")
        held = os.open(out, os.O_RDONLY)
        fcntl.flock(held, fcntl.LOCK_EX)
        processes = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) for _ in range(2)]
        time.sleep(3)
        self.assertEqual(list(out.iterdir()), [], "a trainer began in a directory that another one had")
        os.close(held)
        reports = [json.loads(process.communicate(timeout=120)[0]) for process in processes]
        self.assertEqual(reports[0]["validation_loss"], reports[1]["validation_loss"])

    def test_a_device_is_named_in_the_card_and_one_that_is_not_there_is_refused(self):
        out = self.directory / "out"
        self.lora(out, "--device", "cpu", "--steps", "8")
        self.assertEqual(json.loads((out / "card.json").read_text())["device"], "cpu")
        self.assertIn('no device "gpu"', self.lora(self.directory / "gpu", "--device", "gpu", code=support.EXIT_BAD_INPUT))
        done = subprocess.run(self.command("--data", self.data, "--base", self.base, "--out", self.directory / "cuda", *LORA,
                                           "--device", "cuda:99"), capture_output=True, text=True, timeout=300)
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr, "(?s)this build's libtorch has no CUDA.*Torch_DIR|libtorch sees .* of CUDA")

    def test_the_card_tells_data_method_figures_and_lineage(self):
        out = self.directory / "out"
        done = subprocess.run(self.command("--data", self.data, "--base", self.base, "--out", out, *lora_of_rank(24), "--steps", 8),
                              capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr)
        warning = "--max-lora-rank 32"
        self.assertIn(warning, done.stderr)
        report = json.loads(done.stdout)
        self.assertIn(warning, report["warnings"][0])
        card = json.loads((out / "card.json").read_text())
        self.assertEqual(card["data"] | {"hash": ""}, {"training": 270, "validation": 30, "left_out": 0, "hash": ""})
        self.assertEqual(card["metrics"], report)
        self.assertRegex(card["base_hash"], "^[0-9a-f]{32}$")
        self.assertRegex(card["made_by"], r"^understudy-train \d+\.\d+\.\d+$")
        self.assertIsNone(card["teacher"])
        text = (out / "peft/README.md").read_text()
        self.assertTrue(text.startswith("---\nlibrary_name: peft\n"))
        for part in (card["base_hash"], "270 examples", "Rank 24", "| loss, nats a token |", warning):
            self.assertIn(part, text)
        looks = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
        self.assertTrue(all(look["memory_bytes"] > 10_000_000 for look in looks), looks)
        nano = json.loads((self.base.parent / "card.json").read_text())
        self.assertEqual((nano["data"]["training"], nano["made_by"]), (270, card["made_by"]))

    def test_bad_input_is_named(self):
        self.data.write_text('{"prompt":"a","answer":"b"}\n{"prompt":"a"}\n')
        self.assertIn("data.jsonl:2", self.lora(self.directory / "out", code=support.EXIT_BAD_INPUT))
        self.data.write_text('{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}\n' * 20)
        self.assertIn("chat template", self.lora(self.directory / "out", code=support.EXIT_BAD_INPUT))


if __name__ == "__main__":
    support.main()
