"""The peer of `./dev bench train`: transformers' Llama in eager bf16 with LoRA modules like PEFT's (adapters in bf16, its
fastest set-up on a CPU), or all of its weights with `full`; the same shape and rank. Each line on standard input asks for
one step and gets one line of JSON with its times, as lora_bench's does; at the end comes the peak of memory.
"""

import json
import resource
import sys
import time

import torch
import transformers

TEXTS, LENGTH, RANK, ALPHA = 4, 512, 16, 32


class Lora(torch.nn.Module):
    def __init__(self, base):
        super().__init__()
        self.base = base
        base.weight.requires_grad_(False)
        self.a = torch.nn.Parameter(torch.randn(RANK, base.in_features, dtype=torch.bfloat16) / base.in_features**0.5)
        self.b = torch.nn.Parameter(torch.zeros(base.out_features, RANK, dtype=torch.bfloat16))

    def forward(self, x):
        return self.base(x) + (x @ self.a.T) @ self.b.T * (ALPHA / RANK)


def processor_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def model(full):
    torch.manual_seed(1)
    config = transformers.LlamaConfig(
        vocab_size=49152, hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9,
        num_key_value_heads=3, max_position_embeddings=2048, tie_word_embeddings=True, attn_implementation="eager")
    built = transformers.LlamaForCausalLM(config).to(torch.bfloat16)
    if full:
        return built.train()
    built.requires_grad_(False)
    for layer in built.model.layers:
        for part, names in ((layer.self_attn, ("q_proj", "k_proj", "v_proj", "o_proj")),
                            (layer.mlp, ("gate_proj", "up_proj", "down_proj"))):
            for name in names:
                setattr(part, name, Lora(getattr(part, name)))
    return built.train()


def main():
    torch.set_num_threads(int(sys.argv[2]))
    network = model(sys.argv[1] == "full")
    optimiser = torch.optim.AdamW([p for p in network.parameters() if p.requires_grad], lr=2e-4, fused=True)
    for _ in sys.stdin:
        tokens = torch.randint(0, 49152, (TEXTS, LENGTH))
        started, before = time.monotonic(), processor_seconds()
        loss = network(input_ids=tokens, labels=tokens, use_cache=False).loss
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        print(json.dumps({"seconds": time.monotonic() - started, "processor_s": processor_seconds() - before,
                          "loss": loss.item()}), flush=True)
    print(json.dumps({"memory_peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}), flush=True)


main()
