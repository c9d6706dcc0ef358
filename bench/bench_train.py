"""The trainer beside transformers, at the shape of SmolLM2-135M with random weights and 4 texts of 512 tokens.

  lora   LoRA r=16 on all linear layers: tokens/s by the clock, peak memory, share of the machine's GEMM roofline, parts
  full   full fine-tuning: tokens/s by the clock
  qlora  LoRA on a Q4_K base and on the same base in BF16: the loss that both reach, the memory of the weights
  nano   a model from scratch on CLINC150's 15,000 examples, or as many made ones where the data set is absent

In lora and full both trainers live at once and take their steps in turn, so that what else the machine does hits both;
the peer (transformers, bf16, eager attention: its fastest set-up on a CPU) is installed into the forky root where it is
absent (python3-torch, python3-transformers). Steps: median behind a first that warms up. The share of the roofline is
taken by our trainer alone, as a step behind one of the peer's is slower (the gigabytes that the peer gives back are taken
off the machine meanwhile). It is the best step's rate (its work: the products of frozen layers, head, attention and
adapters) of the roofline's: the fastest product of any shape a step has, packed, over a quarter of a second, measured behind
each step. The median step's share of the product behind it is told, too: it has in it whatever else the machine did.
"""

import importlib.util
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import time

import harness

PARTS = "lora,full,qlora,nano"
TIMES_PEER_MIN, TIMES_PEER_AIM = 1.5, 2.0
MEMORY_OF_PEER_MAX = 0.4
SHARE_OF_ROOFLINE_MIN, ROOFLINE_STEPS = 0.75, 15
QUANTISED_WEIGHTS_MAX, QUANTISED_LOSS_MAX = 0.45, 1.05
LEARNED_LOSS_MAX = 2.0  # guessing among the 64 tokens in use costs 4.16 nats, the rule 0.69
NANO_SECONDS_MAX = 300
NANO_EXACT_MIN = 0.8  # below, it was not trained
TOKENS = 4 * 512
PANEL_BYTES = 4096 * 768 * 2  # of the head, expanded at a time (decoder.cpp), beside what lora_bench counts
# Both bases must reach the rule: with a learning rate that falls as in training, from weights at the scale of trained ones (the
# first loss is then that of guessing among the vocabulary, 10.4 nats).
QLORA_STEPS, QLORA_TOKENS = 150, ("--texts", "2", "--length", "128")


def say(text):
    print(f"  {text}", file=sys.stderr, flush=True)


def install_peer():
    if all(importlib.util.find_spec(name) for name in ("torch", "transformers")):
        return True
    say("installing python3-torch and python3-transformers (once)")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", "python3-torch", "python3-transformers"]):
        if subprocess.run(["apt-get", *words], env=environment, stdout=subprocess.DEVNULL).returncode != 0:
            return False
    importlib.invalidate_caches()
    return True


class Stepper:
    """A process that takes one step for each line it is sent."""

    def __init__(self, *words):
        self.name = pathlib.Path(words[0]).name
        self.process = subprocess.Popen([str(word) for word in words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        self.taken = []

    def step(self):
        self.process.stdin.write("step\n")
        self.process.stdin.flush()
        self.taken.append(self._line())

    def finish(self):
        self.process.stdin.close()
        summary = self._line()
        self.process.wait()
        counted = self.taken[1:]  # the first warms up
        seconds = [one["seconds"] for one in counted]
        return {**summary, "tokens_per_s": TOKENS / statistics.median(seconds), "tokens_per_s_best": TOKENS / min(seconds),
                "tokens_per_processor_s": TOKENS / statistics.median(one["processor_s"] for one in counted)}

    def _line(self):
        line = self.process.stdout.readline()
        if not line:
            raise harness.Failure(f"{self.name} ended with {self.process.wait()}")
        return json.loads(line)


class Bench:
    def __init__(self, program, options):
        self.home, self.options = program.home, options
        self.lora_bench = pathlib.Path(program.path).with_name("lora_bench")
        self.trainer = pathlib.Path(program.path).with_name("understudy-train")
        if not self.lora_bench.exists():
            raise harness.Failure(f"{self.lora_bench} is not built: ./dev build --target lora_bench")
        self.figures, self.targets = {}, {}

    def model(self, stored, *words):
        """Written by a process of its own: that must not count as memory of the training."""
        path = self.home / f"{stored}{''.join(words)}.gguf"
        if not path.exists():
            done = subprocess.run([str(self.lora_bench), str(path), "--write", "--stored", stored, *words],
                                  capture_output=True, text=True)
            if done.returncode != 0:
                raise harness.Failure(f"lora_bench: {done.stderr.strip()}")
        return path

    def beside_peer(self, kind):
        more = ("--full",) if kind == "full" else ()
        ours = Stepper(self.lora_bench, self.model("BF16"), "--threads", self.options.threads, *more)
        others = []
        if self.options.peer != "none" and install_peer():
            others = [Stepper(sys.executable, pathlib.Path(__file__).with_name("train_peer.py"), kind, self.options.threads)]
        for number in range(self.options.steps + 1):
            for one in (ours, *others):
                one.step()
            say(f"{kind}, step {number}: " + ", ".join(f"{TOKENS / one.taken[-1]['seconds']:.0f} tokens/s" for one in (ours, *others)))
        return ours.finish(), others[0].finish() if others else None

    def compared(self, kind):
        ours, peer = self.beside_peer(kind)
        self.figures[f"{kind}: understudy"] = text_of(ours)
        self.figures[f"{kind}: time by part"] = ", ".join(
            f"{name} {share:.0%}" for name, share in sorted(ours["parts"].items(), key=lambda part: -part[1]))
        if peer is None:
            self.figures[f"{kind}: transformers"] = "not in this run"
            self.targets[f"{kind}: the peer ran"] = False
            return ours
        self.figures[f"{kind}: transformers"] = text_of(peer)
        times = ours["tokens_per_s"] / peer["tokens_per_s"]
        by_processor = ours["tokens_per_processor_s"] / peer["tokens_per_processor_s"]
        memory = ours["memory_peak_bytes"] / peer["memory_peak_bytes"]
        self.figures[f"{kind}: ratios"] = (f"{times:.2f}x the tokens/s by the clock (aim {TIMES_PEER_AIM}x), "
                                           f"{by_processor:.2f}x by processor time, {memory:.2f}x the memory")
        self.targets[f"{kind}: at least {TIMES_PEER_MIN}x the peer's tokens/s by the clock"] = times >= TIMES_PEER_MIN
        if kind == "lora":
            self.targets[f"lora: at most {MEMORY_OF_PEER_MAX}x the peer's peak memory"] = memory <= MEMORY_OF_PEER_MAX
        return ours

    def lora(self):
        self.compared("lora")
        alone = Stepper(self.lora_bench, self.model("BF16"), "--threads", self.options.threads)
        for _ in range(ROOFLINE_STEPS + 1):
            alone.step()
        figures = alone.finish()
        rates = [(figures["operations_of_step"] / step["seconds"], step["products_per_s"]) for step in alone.taken[1:]]
        best, best_product = map(max, zip(*rates))
        share = best / best_product
        usual = statistics.median(step / product for step, product in rates)
        self.figures["lora: roofline"] = (
            f"best of {len(rates)} steps {best / 1e9:.0f} GFLOP/s of the best product's {best_product / 1e9:.0f}: {share:.2f}; "
            f"median of a step and the product behind it: {usual:.2f}; {text_of(figures)}")
        self.targets[f"lora: between {SHARE_OF_ROOFLINE_MIN} and 1 of the GEMM roofline ({share:.2f})"] = \
            SHARE_OF_ROOFLINE_MIN <= share <= 1

    def full(self):
        self.compared("full")

    def qlora(self):
        reached = {}
        for stored in ("BF16", "Q4_K"):
            one = Stepper(self.lora_bench, self.model(stored, "--shape", "blocks", "--embedding-deviation", "0.03"), "--threads", self.options.threads,
                          "--learnable", "--learning-rate", "2e-3", "--steps", QLORA_STEPS, *QLORA_TOKENS)
            for _ in range(QLORA_STEPS):
                one.step()
            reached[stored] = {**one.finish(), "loss_before": one.taken[0]["loss"]}
            say(f"qlora, {stored}: loss {one.taken[0]['loss']:.3f} -> {reached[stored]['loss_held_out']:.4f}")
        self.targets[f"qlora: the rule was learned (loss below {LEARNED_LOSS_MAX})"] = \
            reached["BF16"]["loss_held_out"] < LEARNED_LOSS_MAX
        loss = reached["Q4_K"]["loss_held_out"] / reached["BF16"]["loss_held_out"]
        weights = (reached["Q4_K"]["weights_bytes"] + PANEL_BYTES) / reached["BF16"]["weights_bytes"]
        for stored, one in reached.items():
            self.figures[f"qlora: {stored} base"] = (
                f"loss {one['loss_before']:.2f} -> {one['loss_held_out']:.4f} in {QLORA_STEPS} steps (held out; the rule's own "
                f"is 0.693), weights {one['weights_bytes'] / 2**20:.0f} MiB with the matrix being expanded, process "
                f"{one['memory_peak_bytes'] / 2**20:.0f} MiB")
        self.targets[f"qlora: the loss on Q4_K is at most {QUANTISED_LOSS_MAX}x that on BF16 ({loss:.3f}x)"] = loss <= QUANTISED_LOSS_MAX
        self.targets[f"qlora: at most {QUANTISED_WEIGHTS_MAX} of the memory of weights ({weights:.2f})"] = weights <= QUANTISED_WEIGHTS_MAX

    def nano(self, data):
        texts, name = nano_examples(data, self.home / "clinc150")
        lines = self.home / "nano.jsonl"
        lines.write_text("".join(json.dumps({"prompt": prompt, "answer": answer}) + "\n" for prompt, answer in texts))
        started = time.monotonic()
        done = subprocess.run([str(self.trainer), "--data", str(lines), "--out", str(self.home / "nano"), "--quiet",
                               "--max-minutes", str(NANO_SECONDS_MAX / 60 * 0.9)], capture_output=True, text=True)
        seconds = time.monotonic() - started
        if done.returncode != 0:
            raise harness.Failure(f"understudy-train: {done.stderr[-1000:]}")
        report = json.loads(done.stdout)
        self.figures["nano"] = (f"{name}, {len(texts)} examples: {report['tokens_per_s']:.0f} tokens/s, {report['steps']} steps of "
                                f"{report['parameters']} parameters, {seconds:.0f} s in all, {report['validation_exact']:.1%} of "
                                f"validation answers exact")
        self.targets[f"nano: trains a CLINC150-size task in under {NANO_SECONDS_MAX} s, {NANO_EXACT_MIN:.0%} exact at least"] = \
            seconds < NANO_SECONDS_MAX and report["validation_exact"] >= NANO_EXACT_MIN


def text_of(figures):
    return (f"{figures['tokens_per_s']:.0f} tokens/s (best {figures['tokens_per_s_best']:.0f}), "
            f"{figures['tokens_per_processor_s']:.0f} per second of one processor, "
            f"peak {figures['memory_peak_bytes'] / 2**30:.2f} GiB")


def nano_examples(data, home):
    source = data / "intents/clinc150.json.gz"
    if source.exists():
        import clinc150
        calls = map(json.loads, pathlib.Path(clinc150.convert(source, home)["train"]).read_text().splitlines())
        # The utterance alone: what is left of the prompt when its template is taken off.
        return [(call["request"]["messages"][-1]["content"].removeprefix("Utterance: ").removesuffix("\nIntent:"),
                 call["response"]["choices"][0]["message"]["content"]) for call in calls], "CLINC150"
    draw = random.Random(1)
    words = [f"word{number}" for number in range(2000)]
    return [(" ".join([*draw.sample(words, 7), f"about{label}"]), f"intent_{label}")
            for label in (draw.randrange(150) for _ in range(15_000))], "made intents"


def run(program, data, options):
    program.home.mkdir(parents=True, exist_ok=True)
    bench = Bench(program, options)
    for part in (options.parts or PARTS).split(","):
        if part not in PARTS.split(","):
            raise harness.Failure(f"train has no part {part!r}; there are {PARTS}")
        started = time.monotonic()
        bench.nano(data) if part == "nano" else getattr(bench, part)()
        bench.figures[f"{part}: seconds of this part"] = round(time.monotonic() - started)
    return {"set-up": f"SmolLM2-135M shape, random weights, 4 x 512 tokens, {options.steps} steps behind a first, "
                      f"{options.threads} threads", **bench.figures}, bench.targets
