"""What the LLM thought of its tokens, from recorded calls to training: `top_logprobs` in answers that the gateway passed
on reach the adapter's loss, and the share that they get changes what is learned."""

import json
import math
import os
import pathlib
import random
import subprocess

import support
from support import harness

TRAINER = pathlib.Path(support.PROGRAM).parent / "understudy-train"
WORDS = [first + second for first in ("br", "kr", "pl", "sn", "gr", "tr", "fl", "dw") for second in ("ouft", "ipt", "elb", "uxo", "ying")]
SURE, UNSURE = 0.7, 0.3  # what the simulated LLM thinks of its answer, and of the other one


def request(text):
    return {"model": "simulated-llm", "logprobs": True, "top_logprobs": 2, "messages": [
        {"role": "system", "content": "Say A or B."}, {"role": "user", "content": text}]}


def answered(body):
    """SIMULATED: always says A, and is never sure of it."""
    tokens = {"A": math.log(SURE), "B": math.log(UNSURE)}
    said = [{"token": text, "bytes": list(text.encode()), "logprob": value} for text, value in tokens.items()]
    logprobs = {"content": [{**said[0], "top_logprobs": said}]} if body.get("logprobs") else None
    return {"message": {"role": "assistant", "content": "A"}, "finish_reason": "stop", "logprobs": logprobs}


class RecordedLogprobs(support.ProgramTest):
    def setUp(self):
        super().setUp()
        if not os.access(TRAINER, os.X_OK):
            self.skipTest("understudy-train is not built")
        rng = random.Random(3)
        self.texts = [f"note: {' '.join(rng.sample(WORDS, 6))}" for _ in range(160)]
        self.base = self.directory / "base/model.gguf"  # a nano model does for a base
        lines = self.write_lines("base.jsonl", [{"prompt": f"{text}\n", "answer": rng.choice("AB")} for text in self.texts])
        subprocess.run([str(TRAINER), "--data", str(lines), "--out", str(self.base.parent), "--steps", "250", "--width", "64",
                        "--layers", "2", "--heads", "2", "--feed-forward", "128", "--pieces", "300", "--threads", "1", "--quiet"],
                       check=True, stdout=subprocess.DEVNULL)

    def tune(self, share):
        made = self.program.json("tune", self.task, "--base", self.base, "--rank", 8, "--epochs", 20, "--batch-tokens", 512,
                                 "--learning-rate", 0.005, "--threads", 1, "--device", "cpu", "--teacher-share", share)
        looks = (self.home / "artifacts" / made["id"] / "metrics.jsonl").read_text().splitlines()
        return {**json.loads(made["metrics"]), "last": json.loads(looks[-1])["validation_loss"]}, json.loads(made["config"])

    def test_they_reach_the_loss(self):
        self.with_keys()
        upstream = support.SimulatedChat(answered)
        self.addCleanup(upstream.close)
        gateway = self.children.gateway(self.program, upstream.url.removesuffix("/v1"))
        replies = harness.send(gateway.url, [harness.PlainCall(request(text)) for text in self.texts], concurrency=4)
        self.assertTrue(all(reply.status == 200 for reply in replies))
        self.wait_for_calls(len(self.texts))
        self.program.json("curate")
        self.program.json("cluster")
        self.task, = [task["id"] for task in self.program.json("tasks") if task["statistics"]["calls"] > 100]

        taught, config = self.tune(0.9)
        self.assertEqual(config["base_options"]["teacher_share"], 0.9)
        self.assertEqual(config["base_options"]["device"], "cpu")
        alone, _ = self.tune(0)
        # Every answer is one token that both cut alike, so each teaches.
        for metrics in (taught, alone):
            self.assertEqual(metrics["soft_tokens"], metrics["examples"])
            self.assertEqual(metrics["validation_loss_before"], taught["validation_loss_before"])
        # The label is half of what an answer teaches; the other half, its end, is learned alike. Who learns from the answers alone
        # ends sure of the label; who learns from what the LLM thought, about as unsure as that was.
        apart = 2 * (taught["last"] - alone["last"])
        self.assertGreater(apart, -0.4 * math.log(SURE))
        self.assertLess(apart, -1.3 * math.log(SURE))
        self.assertGreater(min(taught["validation_exact"], alone["validation_exact"]), 0.5)


if __name__ == "__main__":
    support.main()
