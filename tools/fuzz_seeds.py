"""What a fuzz target begins with: {target: [bytes]}. A format with a magic number or a long head is
hardly ever hit by chance, so its target starts from one small sound input."""

import json
import pathlib
import struct

PROJECT = pathlib.Path(__file__).resolve().parent.parent


def _gguf_text(text):
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _gguf_pair(key, kind, payload):
    return _gguf_text(key) + struct.pack("<I", kind) + payload


def gguf():
    """A llama head of 16 values, one F32 and one Q8_0 tensor."""
    tokens = ["a", "b", "ab"]
    pairs = [
        _gguf_pair("general.architecture", 8, _gguf_text("llama")),
        _gguf_pair("general.alignment", 4, struct.pack("<I", 32)),
        _gguf_pair("general.file_type", 4, struct.pack("<I", 0)),
        _gguf_pair("general.size_label", 8, _gguf_text("1K")),
        _gguf_pair("llama.block_count", 4, struct.pack("<I", 1)),
        _gguf_pair("llama.context_length", 4, struct.pack("<I", 64)),
        _gguf_pair("llama.embedding_length", 4, struct.pack("<I", 8)),
        _gguf_pair("llama.feed_forward_length", 10, struct.pack("<Q", 16)),
        _gguf_pair("llama.attention.head_count", 4, struct.pack("<I", 2)),
        _gguf_pair("llama.attention.head_count_kv", 4, struct.pack("<I", 1)),
        _gguf_pair("llama.rope.freq_base", 6, struct.pack("<f", 1e4)),
        _gguf_pair("split.count", 2, struct.pack("<H", 1)),
        _gguf_pair("tokenizer.chat_template", 8, _gguf_text("{{ messages }}")),
        _gguf_pair("tokenizer.ggml.model", 8, _gguf_text("gpt2")),
        _gguf_pair("tokenizer.ggml.tokens", 9,
                   struct.pack("<IQ", 8, len(tokens)) + b"".join(map(_gguf_text, tokens))),
        _gguf_pair("tokenizer.ggml.token_type", 9, struct.pack("<IQ3i", 5, 3, 1, 1, 1)),
    ]
    tensors, data = b"", b""
    for name, shape, kind, size in [("token_embd.weight", (8, 3), 0, 96), ("blk.0.attn_q.weight", (32, 1), 8, 34)]:
        tensors += _gguf_text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, len(data))
        data += bytes(range(1, size + 1))
        data += bytes(-len(data) % 32)
    head = b"GGUF" + struct.pack("<IQQ", 3, 2, len(pairs)) + b"".join(pairs) + tensors
    return head + bytes(-len(head) % 32) + data


def safetensors():
    head = json.dumps({
        "__metadata__": {"format": "pt"},
        "a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
        "b": {"dtype": "BF16", "shape": [3], "data_offsets": [16, 22]},
    }).encode()
    return struct.pack("<Q", len(head)) + head + bytes(22)


def tokenizer():
    """Byte-level, one merge, one added token, a template."""
    return json.dumps({
        "added_tokens": [{"id": 3, "content": "<s>", "special": True, "lstrip": False, "rstrip": False}],
        "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}]},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Digits", "individual_digits": True}, {"type": "ByteLevel", "add_prefix_space": False}]},
        "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}]},
        "model": {"type": "BPE", "byte_fallback": False, "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]},
    }).encode()


def pieces_tokenizer():
    vocabulary = {"<unk>": 0, **{f"<0x{byte:02X}>": byte + 1 for byte in range(256)}, "a": 257, "\u2581": 258, "\u2581a": 259}
    return json.dumps({
        "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"},
        "model": {"type": "BPE", "byte_fallback": True, "unk_token": "<unk>", "vocab": vocabulary, "merges": ["\u2581 a"]},
    }).encode()


def model_config(model_type, **more):
    return json.dumps({
        "model_type": model_type, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1,
        "intermediate_size": 16, "vocab_size": 32, "max_position_embeddings": 64,
        "rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 1e4}, **more}).encode()


def seeds():
    def lines(*values):
        return "".join(json.dumps(value) + "\n" for value in values).encode()

    def file(path):
        return (PROJECT / path).read_bytes()

    schema = {"type": "object", "required": ["a"], "additionalProperties": False, "properties": {
        "a": {"type": "integer", "minimum": 1}, "b": {"enum": ["x", None]}, "c": {"type": "array", "items": {"$ref": "#/$defs/d"}}},
        "$defs": {"d": {"anyOf": [{"type": "string", "maxLength": 3}, {"const": 1.5}]}}}
    return {
        "answer_shape": [lines({"tools": [{"type": "function", "function": {"name": "t", "parameters": schema}}],
                                "response_format": {"type": "json_schema", "json_schema": {"schema": schema}}},
                               {"a": 1, "b": "x", "c": ["yes", 1.5]})],
        "catalogue": [file("src/steps/s4_select/slm_catalogue.toml")],
        "chat_client": [lines({"choices": [{"message": {"role": "assistant", "content": "A"}}]})],
        "gguf_file": [gguf()],
        "load_config": [file("examples/understudy.toml")],
        "model_config": [*(model_config(name) for name in ("llama", "qwen3", "phi3", "gemma3_text", "granite")),
                         model_config("nemotron_h", hybrid_override_pattern="M*", mamba_num_heads=2, n_groups=1,
                                      ssm_state_size=4, conv_kernel=4, mamba_head_dim=8),
                         model_config("falcon_h1", mamba_d_ssm=16, mamba_n_heads=2, mamba_n_groups=1, mamba_d_state=4,
                                      mamba_d_conv=4, mamba_rms_norm=True, mamba_norm_before_gate=False, key_multiplier=0.5,
                                      mlp_multipliers=[0.5, 2.0], ssm_multipliers=[1.0, 2.0, 3.0, 4.0, 5.0],
                                      time_step_limit=[0.0, {"__float__": "Infinity"}]),
                         model_config("lfm2", layer_types=["conv", "full_attention"], full_attn_idxs=[1], conv_L_cache=3,
                                      block_multiple_of=8, block_ffn_dim_multiplier=1.5)],
        "model_file": [gguf()],
        "price_table": [file("src/economics/built_in_prices.cpp").split(b'R"(')[-1].split(b')"')[0]],
        "safetensors": [safetensors()],
        "scan_line": [b'{"id": 7, "text": "a \\"b\\" \\u00e9\\n"}'],
        "served_facts": [lines({"model": "base.gguf", "mark": "", "adapter": "adapter.gguf", "prompt": "raw",
                                "context": 512, "answer_tokens_max": 16})],
        "tokenizer_file": [tokenizer(), pieces_tokenizer()],
        "training_text": [lines({"text": "where is my order", "label": "order_status"})],
        "weights_index": [b'{"weight_map": {"a": "one.safetensors", "b": "../two.safetensors"}}'],
        "tuning_text": [lines({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]})],
    }
