"""A Hugging Face directory as the base: of understudy-train alone, and of `models add` and `tune` by the directory's path."""

import json
import os
import pathlib
import random
import subprocess

import support

TRAINER = pathlib.Path(support.PROGRAM).parent / "understudy-train"
WORDS = [first + second for first in ("ba", "ke", "lo", "mi", "nu", "sa", "te", "vo") for second in ("do", "fa", "gu", "ri", "ze")]
SCRIPT = support.PROJECT / "tools/hf_directories.py"
PEFT_SCRIPT = support.PROJECT / "tools/peft_logits.py"
OPTIONS = ["--rank", 8, "--epochs", 2, "--batch-tokens", 1024, "--learning-rate", 0.01, "--threads", 1]


class HfDirectory(support.ProgramTest):
    def setUp(self):
        super().setUp()
        if not os.access(TRAINER, os.X_OK):
            self.skipTest("understudy-train is not built")
        self.model = self.make("qwen3")
        self.assertGreater(len(list(self.model.glob("*.safetensors"))), 1, "it lies in shards")

    def make(self, name):
        made = subprocess.run(["python3", str(SCRIPT), str(self.directory), name], capture_output=True, text=True)
        if made.returncode != 0 and "ModuleNotFoundError" in made.stderr:
            self.skipTest("python3-torch or python3-transformers is not installed")
        self.assertEqual(made.returncode, 0, made.stderr)
        return self.directory / name

    def give_a_template_that_llama_server_cannot_read(self):
        """As Mistral-Nemo's: it asks for a test that llama-server's Jinja does not have."""
        path = self.model / "tokenizer_config.json"
        config = json.loads(path.read_text())
        config["chat_template"] = "{% set calls = messages | selectattr('role', 'no_such_test') | list %}" + config["chat_template"]
        path.write_text(json.dumps(config))

    def train(self, out, code=0):
        rng = random.Random(1)
        lines = [{"prompt": f"order {rng.randrange(1000)} ", "answer": rng.choice(["paid", "open"])} for _ in range(60)]
        command = [TRAINER, "--data", self.write_lines("data.jsonl", lines), "--base", self.model, "--out", out, "--method", "lora",
                   "--quiet", *OPTIONS]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def test_the_trainer_converts_it_once(self):
        out = self.directory / "out"
        report = json.loads(self.train(out).stdout)
        self.assertLess(report["validation_loss"], report["validation_loss_before"])
        self.assertLess(report["logits_difference"], 2e-3)
        config = json.loads((out / "peft/adapter_config.json").read_text())
        self.assertEqual(config["base_model_name_or_path"], str(self.model))
        made = (out / "base.gguf").stat()
        self.assertEqual(made.st_mode & 0o777, 0o600)
        self.train(out)
        self.assertEqual((out / "base.gguf").stat().st_mtime_ns, made.st_mtime_ns)
        next(self.model.glob("*00002*.safetensors")).unlink()
        self.assertIn("00002", self.train(out, code=support.EXIT_NOT_FOUND).stderr)

    def test_an_adapter_of_a_hybrid_works_in_transformers(self):
        self.model = self.make("falcon_h1")
        out = self.directory / "out"
        report = json.loads(self.train(out).stdout)
        self.assertLess(report["validation_loss"], report["validation_loss_before"])
        self.assertLess(report["logits_difference"], 2e-3)
        self.assertTrue(json.loads((out / "card.json").read_text())["peft"])
        computed = subprocess.run(["python3", str(PEFT_SCRIPT), str(out)], capture_output=True, text=True)
        self.assertEqual(computed.returncode, 0, computed.stderr)
        self.assertIn("peft", json.loads(computed.stdout))

    def test_a_task_is_tuned_on_it(self):
        self.with_keys()
        self.give_a_template_that_llama_server_cannot_read()
        rng = random.Random(2)
        calls = [{"id": f"call-{number}", "session": f"s{number}", "request": {"model": "simulated-llm", "messages": [
            {"role": "system", "content": "Say A or B."}, {"role": "user", "content": f"note: {' '.join(rng.sample(WORDS, 6))}"}]},
            "response": {"choices": [{"message": {"role": "assistant", "content": rng.choice("AB")}, "finish_reason": "stop"}]}}
            for number in range(120)]
        self.program.json("import", self.write_lines("calls.jsonl", calls))
        self.program.json("curate")
        self.program.json("cluster")
        task = max(self.program.json("tasks"), key=lambda task: task["statistics"]["calls"])["id"]
        added = self.program.json("models", "add", self.model)
        self.assertEqual((added["name"], added["architecture"]), ("qwen3", "qwen3"))
        made = self.program.json("tune", task, "--base", self.model, *OPTIONS)
        served = json.loads((self.home / "artifacts" / made["id"] / "served.json").read_text())
        self.assertEqual(served["model"], str(self.home / "models/qwen3.gguf"))
        tokenizer = self.model / "tokenizer.json"
        tokenizer.write_text(tokenizer.read_text().replace("NFC", "NFKD"))
        self.assert_fails(support.EXIT_BAD_INPUT, "models", "add", self.model, "--name", "other", says=["tokenizer.json", "NFKD"])
        tokenizer.write_text(tokenizer.read_text().replace("NFKD", "NFC"))
        (self.model / "config.json").write_text('{"model_type": "qwen3"}')
        self.assert_fails(support.EXIT_CORRUPT, "models", "add", self.model, "--name", "other", says=["config.json"])


if __name__ == "__main__":
    support.main()
