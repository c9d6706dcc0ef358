#!/usr/bin/env python3
"""Makes small Hugging Face model directories with random weights, and prints what they compute: hf_directories.py DIRECTORY

One directory a family, as transformers saves them, with a tokenizer of its kind that the tokenizers library trains on a
few lines here. Printed is JSON: for each directory the logits of a text and the tokens of all texts, by those two
libraries. hf_base_test.cpp calls this and compares. Needs python3-torch and python3-transformers.
"""

import json
import pathlib
import sys

import torch
import transformers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

WIDTH, HEADS, KV_HEADS, HEAD_WIDTH, FEED_FORWARD = 64, 4, 2, 16, 96
CORPUS = [
    "The agent's order 4711 was shipped to Zürich on 2026-03-14; they've paid 129.90 EUR.",
    "def total(items):\n    return sum(item.price * item.count for item in items)\n",
    "{\"tool\": \"look_up\", \"arguments\": {\"id\": 12345, \"fields\": [\"name\", \"state\"]}}",
    "Where is my order? I can't find it, and I'd like to know when it'll arrive.",
    "Bitte prüfen Sie die Rechnung Nr. 20260 für Herrn Müller.   Danke!",
] * 4
TEXTS = CORPUS[:5] + [
    "Hello", " Hello", "  two  spaces   three ", "\n\n\t tab\r\nline\n", "a1b22c333d4444", "1234567890", "3.14159 x 10^-6",
    "I'm they'RE WE'LL don'T", "naïve café Ünder ÀÉ straße", "日本語のテキスト、中文文本。한국어", "emoji 😀👍🏽 👩‍👩‍👧", "Привет, мир!",
    "if (x <= 3 && y[0] != '\\0') { return a->b; }", "----====____~~~~", "e\u0301 combining", "\u00a0nbsp\u2003em", "", "...",
]
CHAT = "<|user|>\nHello there<|end|>\n<|assistant|>\n"
CL100K = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)"
          r"|\s+")
QWEN2 = CL100K.replace("{1,3}", "")
SPECIAL = ["<|endoftext|>", "<|user|>", "<|assistant|>", "<|end|>"]


def byte_level(steps, normalizer=None, whole_words=False, begin=None, strips=False):
    tokenizer = Tokenizer(models.BPE(ignore_merges=whole_words))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = steps[0] if len(steps) == 1 else pre_tokenizers.Sequence(steps)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(CORPUS, trainers.BpeTrainer(
        vocab_size=420, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    special = [AddedToken(name, lstrip=strips, rstrip=strips, special=True) for name in SPECIAL]
    tokenizer.add_special_tokens(special + ([begin] if begin else []))
    if begin:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{begin} $A", pair=f"{begin} $A {begin} $B", special_tokens=[(begin, tokenizer.token_to_id(begin))])
    return tokenizer


def split(expression):
    return [pre_tokenizers.Split(Regex(expression), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]


def by_words():
    return pre_tokenizers.ByteLevel(add_prefix_space=False)


def pieces(normalizer, pre_tokenizer, special, added=()):
    """As transformers converts a sentencepiece model: every pair whose sum is a piece is a merge, by the sum's rank."""
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.Metaspace()
    trained.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=200, show_progress=False))
    order = [left + right for left, right in json.loads(trained.to_str())["model"]["merges"]]
    letters = [piece for piece in trained.get_vocab() if len(piece) == 1]
    names = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)] + order + sorted(letters)
    vocabulary = {name: number for number, name in enumerate(dict.fromkeys(names))}
    merges = [(piece[:cut], piece[cut:]) for piece in order for cut in range(1, len(piece))
              if piece[:cut] in vocabulary and piece[cut:] in vocabulary]
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, pre_tokenizer
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    tokenizer.add_special_tokens(special)
    tokenizer.add_tokens(list(added))
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s> $B",
                                                             special_tokens=[("<s>", 1)])
    return tokenizer


def llama2():
    return pieces(normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]), None, SPECIAL)


def phi3():
    special = [AddedToken("<|endoftext|>", special=True)] + [AddedToken(name, rstrip=True, special=True) for name in SPECIAL[1:]]
    return pieces(normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]), None, special)


def mistral():
    return pieces(None, pre_tokenizers.Metaspace(prepend_scheme="first", split=False), SPECIAL)


def gemma():
    return pieces(normalizers.Replace(" ", "▁"), pre_tokenizers.Split(" ", "merged_with_previous"), SPECIAL,
                  added=["\n\n", "▁▁▁"])


def families():
    """(directory, tokenizer, configuration, model class, further words)"""
    t = transformers
    rope3 = {"rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
             "original_max_position_embeddings": 32}
    yield "llama", byte_level(split(CL100K), whole_words=True, begin="<|begin_of_text|>"), t.LlamaConfig, t.LlamaForCausalLM, {
        "rope_parameters": rope3, "attention_bias": True}
    yield "llama_pieces", llama2(), t.LlamaConfig, t.LlamaForCausalLM, {"tie_word_embeddings": True}
    yield "mistral", mistral(), t.MistralConfig, t.MistralForCausalLM, {"sliding_window": None}
    yield "qwen2", byte_level(split(QWEN2), normalizers.NFC()), t.Qwen2Config, t.Qwen2ForCausalLM, {
        "tie_word_embeddings": True}
    yield "qwen3", byte_level(split(QWEN2), normalizers.NFC()), t.Qwen3Config, t.Qwen3ForCausalLM, {}
    yield "phi3", phi3(), t.Phi3Config, t.Phi3ForCausalLM, {"sliding_window": 48}
    longer = {"rope_type": "longrope", "rope_theta": 10000.0, "partial_rotary_factor": 0.75,
              "short_factor": [1.0, 1.1, 1.3, 1.6, 2.0, 2.5], "long_factor": [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]}
    yield "phi4_mini", byte_level(split(CL100K), strips=True), t.Phi3Config, t.Phi3ForCausalLM, {
        "max_position_embeddings": 4096, "original_max_position_embeddings": 512, "rope_parameters": longer,
        "tie_word_embeddings": True, "sliding_window": 4096}
    yield "phi", byte_level([by_words()]), t.PhiConfig, t.PhiForCausalLM, {"partial_rotary_factor": 0.5}
    yield "smollm3", byte_level([pre_tokenizers.Digits(individual_digits=True), by_words()]), t.SmolLM3Config, t.SmolLM3ForCausalLM, {
        "num_hidden_layers": 4}
    yield "granite", byte_level(split(CL100K)), t.GraniteConfig, t.GraniteForCausalLM, {
        "attention_multiplier": 0.2, "embedding_multiplier": 3.0, "residual_multiplier": 0.7, "logits_scaling": 2.0}
    yield "gemma", gemma(), t.GemmaConfig, t.GemmaForCausalLM, {"tie_word_embeddings": True}
    yield "gemma2", gemma(), t.Gemma2Config, t.Gemma2ForCausalLM, {
        "query_pre_attn_scalar": HEAD_WIDTH, "sliding_window": 16, "attn_logit_softcapping": 5.0, "final_logit_softcapping": 8.0,
        "tie_word_embeddings": True}
    yield "gemma3", gemma(), t.Gemma3TextConfig, t.Gemma3ForCausalLM, {
        "query_pre_attn_scalar": HEAD_WIDTH, "sliding_window": 16, "num_hidden_layers": 7, "tie_word_embeddings": True}
    # Without its GPU kernels transformers bounds Nemotron-H's time steps from below; with them it does not, nor does libllama.
    yield "nemotron_h", byte_level(split(QWEN2)), t.NemotronHConfig, t.NemotronHForCausalLM, {
        "layers_block_type": ["mamba", "attention", "mlp", "mamba"], "ssm_state_size": 8, "mamba_num_heads": 4,
        "mamba_head_dim": 8, "n_groups": 2, "conv_kernel": 4, "chunk_size": 64, "use_mamba_kernels": False,
        "layer_norm_epsilon": 1e-5, "time_step_min": 1e-12}
    mixed = {"num_hidden_layers": 4, "layer_types": ["conv", "full_attention", "conv", "conv"], "block_multiple_of": 16}
    yield "lfm2", byte_level(split(CL100K), whole_words=True, begin="<|startoftext|>"), t.Lfm2Config, t.Lfm2ForCausalLM, {
        "tie_word_embeddings": True, "block_ffn_dim_multiplier": 1.1, **mixed}
    yield "lfm2_untied", byte_level(split(CL100K)), t.Lfm2Config, t.Lfm2ForCausalLM, {
        "block_auto_adjust_ff_dim": False, "conv_L_cache": 4, **mixed}
    falcon = {"mamba_d_ssm": 32, "mamba_n_heads": 4, "mamba_n_groups": 2, "mamba_d_state": 8, "mamba_chunk_size": 64,
              "rope_parameters": {"rope_type": "default", "rope_theta": 1e11}, "embedding_multiplier": 1.7,
              "lm_head_multiplier": 0.6, "attention_in_multiplier": 1.2, "attention_out_multiplier": 0.8, "key_multiplier": 0.5,
              "ssm_in_multiplier": 1.3, "ssm_out_multiplier": 0.7, "ssm_multipliers": [0.9, 1.1, 0.6, 1.4, 0.8],
              "mlp_multipliers": [0.75, -1.25]}
    yield "falcon_h1", byte_level(split(CL100K)), t.FalconH1Config, t.FalconH1ForCausalLM, falcon
    yield "falcon_h1_normed", byte_level(split(CL100K)), t.FalconH1Config, t.FalconH1ForCausalLM, {
        "mamba_rms_norm": True, "mamba_norm_before_gate": False, "mamba_conv_bias": False, "tie_word_embeddings": True, **falcon}


def make(name, tokenizer, config_class, model_class, more):
    torch.manual_seed(len(name))
    words = dict(vocab_size=tokenizer.get_vocab_size() + 3, hidden_size=WIDTH, intermediate_size=FEED_FORWARD,
                 num_attention_heads=HEADS, num_key_value_heads=KV_HEADS, head_dim=HEAD_WIDTH, max_position_embeddings=512,
                 num_hidden_layers=2, attn_implementation="eager", tie_word_embeddings=False, pad_token_id=0)
    words.update(more)
    if name == "nemotron_h":
        del words["num_hidden_layers"]
    model = model_class(config_class(**words)).eval()
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if parameter.dim() < 2 and not key.endswith(("A_log", ".D")):
                parameter.add_(torch.randn_like(parameter) * 0.1)
            elif parameter.dim() >= 2:
                parameter.copy_(torch.randn_like(parameter) * (0.5 if "embed" in key else parameter.shape[1] ** -0.5))
    return model


def main():
    root, found = pathlib.Path(sys.argv[1]), {}
    wanted = sys.argv[2:]
    for name, tokenizer, config_class, model_class, more in families():
        if wanted and name not in wanted:
            continue
        model = make(name, tokenizer, config_class, model_class, more)
        if name == "qwen2":
            model = model.bfloat16()
        model.save_pretrained(root / name, **({"max_shard_size": "40KB"} if name in ("llama", "qwen3") else {}))
        tokenizer.save(str(root / name / "tokenizer.json"))
        config = {"eos_token": "<|end|>", "chat_template": "{% for m in messages %}{{ '<|' + m.role + '|>\\n' + m.content + '<|end|>\\n' }}"
                  "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}"}
        (root / name / "tokenizer_config.json").write_text(json.dumps(config))
        ids = tokenizer.encode(CORPUS[0] + CORPUS[1], add_special_tokens=False).ids[:48]
        with torch.no_grad():
            logits = model.float()(input_ids=torch.tensor([ids]), use_cache=False).logits[0]
        # Everything behind a control token starts anew where libllama gives it a space mark, which "first" does not; the spaces
        # around Phi-4's vanish in its own library only.
        chat = [] if name in ("mistral", "phi4_mini") else tokenizer.encode(CHAT, add_special_tokens=False).ids
        found[name] = {"ids": ids, "logits": logits.tolist(), "chat": chat, "begin": tokenizer.encode("", add_special_tokens=True).ids,
                       "texts": [[text, tokenizer.encode(text, add_special_tokens=False).ids] for text in TEXTS]}
    print(json.dumps(found))


main()
