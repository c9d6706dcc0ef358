#!/usr/bin/env python3
"""Prints as JSON what transformers computes for PEFT adapters, which plain torch code reads: peft_logits.py DIRECTORY

DIRECTORY holds PEFT directories. The base of each is the model directory that its configuration names, or else the tiny model
of training_reference.py that it is called after. Neither peft nor safetensors is used: the adapter is added to the weights
as its two files say. reference_test.cpp and hf_base_test.cpp call this.
"""

import json
import math
import pathlib
import struct
import sys

import numpy
import torch
import transformers

import training_reference


def tensors_of(path):
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    for name, what in json.loads(data[8:8 + length]).items():
        if name != "__metadata__":
            assert what["dtype"] == "F32", what
            begin, end = (8 + length + offset for offset in what["data_offsets"])
            yield name, torch.from_numpy(numpy.frombuffer(data[begin:end], dtype="<f4").reshape(what["shape"]).copy())


def base_of(directory, config):
    base = pathlib.Path(config["base_model_name_or_path"])
    if (base / "config.json").exists():
        return transformers.AutoModelForCausalLM.from_pretrained(base, attn_implementation="eager", dtype=torch.float32)
    model = dict(training_reference.models())[directory.name]
    training_reference.set_weights(model)
    return model


def adapt(model, directory, config):
    assert config["peft_type"] == "LORA" and config["bias"] == "none"
    scale = config["lora_alpha"] / (math.sqrt(config["r"]) if config["use_rslora"] else config["r"])
    tensors = dict(tensors_of(directory / "adapter_model.safetensors"))
    targets = [name for name, module in model.named_modules()
               if isinstance(module, torch.nn.Linear) and name.rsplit(".", 1)[-1] in config["target_modules"]]
    for name in targets:
        a, b = (tensors.pop(f"base_model.model.{name}.lora_{side}.weight") for side in "AB")
        assert a.shape[0] == b.shape[1] == config["r"]
        weight = model.get_submodule(name).weight
        weight += scale * b @ a
        if config["use_dora"]:
            magnitude = tensors.pop(f"base_model.model.{name}.lora_magnitude_vector")
            weight *= (magnitude / weight.norm(dim=1)).unsqueeze(1)
    assert targets and not tensors, f"no module for {list(tensors)}"


def main():
    tokens = training_reference.texts()[:1]
    found = {"tokens": tokens[0].tolist()}
    with torch.no_grad():
        for file in sorted(pathlib.Path(sys.argv[1]).glob("*/adapter_config.json")):
            config = json.loads(file.read_text())
            model = base_of(file.parent, config).eval()
            adapt(model, file.parent, config)
            found[file.parent.name] = model(input_ids=tokens, use_cache=False).logits[0].tolist()
    print(json.dumps(found))


main()
