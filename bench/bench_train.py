"""Training at the shape of SmolLM2-135M with random weights, 4 texts of 512 tokens, LoRA r=16 on all linear layers and
full fine-tuning: tokens a second and peak memory of `lora_bench`, and of transformers in the same run where Python has
torch and transformers (its fastest set-up here: bf16, eager attention, adapters in bf16; python3-torch and
python3-transformers are installed on demand). Ratios are also given by processor time, which says the same on a busy
machine; the share of the machine's rate is that of its matrix products of the feed-forward shape, measured beside.
"""

import importlib.util
import json
import pathlib
import subprocess
import sys

import harness

STEPS = 4
TIMES_PEER_MIN = 1.5
MEMORY_OF_PEER_MAX = 0.4
SHARE_OF_PRODUCTS_MIN = 0.75
WEIGHTS_OF_BF16_MAX = 0.45
SET_UPS = {"LoRA, BF16 base, computed in bf16": ("BF16", "bf16", ()), "LoRA, Q4_0 base, computed in bf16": ("Q4_0", "bf16", ()),
           "LoRA, F32 base, computed in f32": ("F32", "f32", ()), "full, computed in bf16": ("BF16", "bf16", ("--full",))}
LORA, QUANTISED, _, FULL = SET_UPS


def own(lora_bench, home, stored, computed, more):
    model = home / f"{stored}.gguf"
    for steps in (0, STEPS):  # writing the model is a process of its own: it must not count as memory of the training
        done = subprocess.run([str(lora_bench), str(model), "--stored", stored, "--computed", computed,
                               "--steps", str(steps), *more], capture_output=True, text=True)
        if done.returncode != 0:
            raise harness.Failure(f"lora_bench: {done.stderr.strip()}")
    model.unlink()
    return json.loads(done.stdout)


def peer(kind):
    done = subprocess.run([sys.executable, str(pathlib.Path(__file__).with_name("train_peer.py")), str(STEPS), kind],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise harness.Failure(f"the peer failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def text_of(figures):
    share = f", {figures['share_of_products']:.2f} of the rate of products" if "share_of_products" in figures else ""
    return (f"{figures['tokens_per_s_median']:.0f} tokens/s (best {figures['tokens_per_s_best']:.0f}), "
            f"{figures['tokens_per_processor_s_median']:.0f} per second of one processor{share}, "
            f"peak {figures['memory_peak_bytes'] / 2**30:.2f} GiB")


def against(name, ours, other):
    clock, processor, memory = (ours[key] / other[key] for key in (
        "tokens_per_s_median", "tokens_per_processor_s_median", "memory_peak_bytes"))
    return {f"{name}: at least {TIMES_PEER_MIN}x the peer's tokens/s (clock {clock:.2f}x, processor time {processor:.2f}x)":
            clock >= TIMES_PEER_MIN,
            f"{name}: at most {MEMORY_OF_PEER_MAX}x its memory ({memory:.2f}x)": memory <= MEMORY_OF_PEER_MAX}


def run(program, _data, _options):
    lora_bench = pathlib.Path(program.path).with_name("lora_bench")
    if not lora_bench.exists():
        raise harness.Failure(f"{lora_bench} is not built: ./dev build --target lora_bench")
    program.home.mkdir(parents=True, exist_ok=True)
    with_peer = all(importlib.util.find_spec(name) for name in ("torch", "transformers"))
    measured, peers = {}, {}
    for name, (stored, computed, more) in SET_UPS.items():
        measured[name] = own(lora_bench, program.home, stored, computed, more)
        if with_peer and name in (LORA, FULL):  # next to each other in time: others may be at work here
            peers[name] = peer("full" if name == FULL else "lora")
    share = measured[LORA]["share_of_products"]
    weights = measured[QUANTISED]["weights_bytes"] / measured[LORA]["weights_bytes"]
    targets = {f"at least {SHARE_OF_PRODUCTS_MIN} of the rate of this machine's products ({share:.2f})":
               share >= SHARE_OF_PRODUCTS_MIN,
               f"a 4-bit base takes at most {WEIGHTS_OF_BF16_MAX} of the memory of weights ({weights:.2f})":
               weights <= WEIGHTS_OF_BF16_MAX}
    for name, other in peers.items():
        targets |= against(name, measured[name], other)
    return {"set-up": f"SmolLM2-135M shape, random weights, 4 x 512 tokens, median of {STEPS} steps behind a first",
            "understudy": {name: text_of(one) for name, one in measured.items()},
            "transformers, bf16, eager attention": {name: text_of(one) for name, one in peers.items()} or
            "not in this run: Python has no torch and transformers (python3-torch, python3-transformers)"}, targets
