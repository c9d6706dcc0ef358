"""LoRA training at the shape of SmolLM2-135M with random weights, r=16 on all linear layers, 4 texts of 512 tokens:
tokens a second and peak memory of `lora_bench`, and of transformers in the same run where Python has torch and
transformers (its fastest set-up here: bf16, eager attention, adapters in bf16).
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


def own(lora_bench, home, stored, computed):
    model = home / f"{stored}.gguf"
    for steps in (0, STEPS):  # writing the model is a process of its own: it must not count as memory of the training
        done = subprocess.run([str(lora_bench), str(model), "--stored", stored, "--computed", computed,
                               "--steps", str(steps)], capture_output=True, text=True)
        if done.returncode != 0:
            raise harness.Failure(f"lora_bench: {done.stderr.strip()}")
    model.unlink()
    return json.loads(done.stdout)


def peer():
    if any(importlib.util.find_spec(name) is None for name in ("torch", "transformers")):
        return None
    done = subprocess.run([sys.executable, str(pathlib.Path(__file__).with_name("train_peer.py")), str(STEPS)],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise harness.Failure(f"the peer failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def text_of(figures):
    return (f"{figures['tokens_per_s_median']:.0f} tokens/s (best {figures['tokens_per_s_best']:.0f}), "
            f"peak {figures['memory_peak_bytes'] / 2**30:.2f} GiB")


def run(program, _data, _options):
    lora_bench = pathlib.Path(program.path).with_name("lora_bench")
    if not lora_bench.exists():
        raise harness.Failure(f"{lora_bench} is not built: ./dev build --target lora_bench")
    program.home.mkdir(parents=True, exist_ok=True)
    measured = {f"{stored} base, computed in {computed}": own(lora_bench, program.home, stored, computed)
                for stored, computed in (("BF16", "bf16"), ("Q4_0", "bf16"), ("F32", "f32"))}
    figures = {"set-up": "SmolLM2-135M shape, random weights, LoRA r=16 on all 7 linear layers, 4 x 512 tokens, "
                         f"median of {STEPS} steps behind a first",
               "understudy": {name: text_of(one) for name, one in measured.items()}}
    other = peer()
    if other is None:
        figures["peer"] = "not in this run: Python has no torch and transformers (python3-torch, python3-transformers)"
        return figures, {}
    ours = measured["BF16 base, computed in bf16"]
    speed = ours["tokens_per_s_median"] / other["tokens_per_s_median"]
    memory = ours["memory_peak_bytes"] / other["memory_peak_bytes"]
    figures["peer"] = {"transformers, bf16, eager attention": text_of(other)}
    return figures, {f"at least {TIMES_PEER_MIN}x the peer's tokens/s ({speed:.2f}x)": speed >= TIMES_PEER_MIN,
                     f"at most {MEMORY_OF_PEER_MAX}x its memory ({memory:.2f}x)": memory <= MEMORY_OF_PEER_MAX}
