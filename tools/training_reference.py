#!/usr/bin/env python3
"""Writes src/steps/s5_tune/torch/reference_values.json: what transformers and PyTorch's autograd compute.

For tiny llama, qwen3, phi3 and nemotron_h models: logits, and with LoRA on every linear layer of attention and
feed-forward parts the gradients and ten AdamW steps. Weights come from a hash of their names, so that the test
(reference_test.cpp) makes the same ones without a file. Needs python3-torch and python3-transformers:
tools/training_reference.py > src/steps/s5_tune/torch/reference_values.json
"""

import json
import math
import sys

import numpy
import torch
import transformers

WIDTH, HEADS, KV_HEADS, HEAD_WIDTH, FEED_FORWARD, VOCABULARY = 32, 4, 2, 8, 48, 64
RANK, ALPHA, STEPS, RATE, DECAY = 4, 8, 10, 1e-2, 0.01
TEXTS, LENGTH = 2, 12
KEPT = 4  # values of each tensor

COMMON = dict(vocab_size=VOCABULARY, hidden_size=WIDTH, intermediate_size=FEED_FORWARD, num_attention_heads=HEADS,
              num_key_value_heads=KV_HEADS, max_position_embeddings=64, attn_implementation="eager",
              tie_word_embeddings=False, pad_token_id=0)


def hashed(name, count):
    """float32 in [-1, 1): 24 bits of splitmix64 over the name's FNV-1a and the index."""
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x100000001B3) % 2**64
    with numpy.errstate(over="ignore"):
        x = numpy.uint64(seed) + numpy.arange(1, count + 1, dtype=numpy.uint64) * numpy.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        x = x ^ (x >> numpy.uint64(31))
    return ((x >> numpy.uint64(40)).astype(numpy.float64) / 2**23 - 1).astype(numpy.float32)


def weight(name, shape):
    values = hashed(name, math.prod(shape)).reshape(shape)
    if "norm" in name and name.endswith("weight") or name.endswith(".D"):
        return numpy.float32(1) + values * numpy.float32(0.125)
    if "embed" in name:
        return values
    return values * numpy.float32(0.5 if "conv1d" in name else 0.25)


def models():
    rope = dict(rope_parameters={"rope_type": "default", "rope_theta": 10000.0})
    yield "llama", transformers.LlamaForCausalLM(transformers.LlamaConfig(
        num_hidden_layers=2, head_dim=HEAD_WIDTH, rms_norm_eps=1e-5, **rope, **COMMON))
    yield "qwen3", transformers.Qwen3ForCausalLM(transformers.Qwen3Config(
        num_hidden_layers=2, head_dim=HEAD_WIDTH, rms_norm_eps=1e-5, **rope, **COMMON))
    yield "phi3", transformers.Phi3ForCausalLM(transformers.Phi3Config(
        num_hidden_layers=2, rms_norm_eps=1e-5, **rope, **COMMON))
    # One chunk: across chunks the fallback of transformers without its GPU kernels is about 1e-2 away from libllama, which
    # our forward pass is compared with at every length (decoder_test.cpp).
    yield "nemotron_h", transformers.NemotronHForCausalLM(transformers.NemotronHConfig(
        layers_block_type=["mamba", "attention", "mlp", "mamba"], head_dim=HEAD_WIDTH, ssm_state_size=8,
        mamba_num_heads=4, mamba_head_dim=8, n_groups=2, conv_kernel=4, chunk_size=16, use_mamba_kernels=False,
        layer_norm_epsilon=1e-5, **COMMON))


class Lora(torch.nn.Module):
    def __init__(self, name, base):
        super().__init__()
        self.base = base
        self.a = torch.nn.Parameter(torch.from_numpy(hashed(name + ".lora_A", RANK * base.in_features)
                                                     .reshape(RANK, -1) * numpy.float32(0.25)))
        self.b = torch.nn.Parameter(torch.from_numpy(hashed(name + ".lora_B", RANK * base.out_features)
                                                     .reshape(-1, RANK) * numpy.float32(0.25)))

    def forward(self, x):
        return self.base(x) + (x @ self.a.T) @ self.b.T * (ALPHA / RANK)


def adapt(model):
    adapted = {}
    for name, module in list(model.named_modules()):
        if isinstance(module, torch.nn.Linear) and name.rsplit(".", 1)[-1] not in ("lm_head", "in_proj", "out_proj"):
            parent, child = name.rsplit(".", 1)
            adapted[name] = Lora(name, module)
            setattr(model.get_submodule(parent), child, adapted[name])
    return adapted


def some(tensor):
    return [float(value) for value in tensor.detach().flatten()[:KEPT]]


def set_weights(model):
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            parameter.copy_(torch.from_numpy(weight(key, tuple(parameter.shape))))


def texts():
    return torch.from_numpy((hashed("tokens", TEXTS * LENGTH).astype(numpy.float64) * VOCABULARY / 2 + VOCABULARY / 2)
                            .astype(numpy.int64).reshape(TEXTS, LENGTH))


def reference(name, model):
    set_weights(model)
    model.requires_grad_(False).train()
    tokens = texts()
    logits = model(input_ids=tokens, use_cache=False).logits
    found = {"logits": [some(row) for row in logits[0]]}
    adapted = adapt(model)
    parameters = [p for one in adapted.values() for p in (one.a, one.b)]
    optimiser = torch.optim.AdamW(parameters, lr=RATE, weight_decay=DECAY)
    losses = []
    for step in range(STEPS + 1):
        loss = model(input_ids=tokens, labels=tokens, use_cache=False).loss
        losses.append(loss.item())
        optimiser.zero_grad()
        loss.backward()
        if step == 0:
            found["gradients"] = {key: {"a": some(one.a.grad), "b": some(one.b.grad), "a_norm": one.a.grad.norm().item(),
                                        "b_norm": one.b.grad.norm().item()} for key, one in adapted.items()}
        if step < STEPS:
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()
    found["losses"] = losses
    found["parameters"] = {key: {"a": some(one.a), "b": some(one.b)} for key, one in adapted.items()}
    return found


def main():
    print(f"torch {torch.__version__}, transformers {transformers.__version__}", file=sys.stderr)
    print(json.dumps({name: reference(name, model) for name, model in models()}, indent=1))


if __name__ == "__main__":
    main()
