#!/usr/bin/env python3
"""Prints as JSON what transformers computes for PEFT adapters, which plain torch code reads: peft_logits.py DIRECTORY

DIRECTORY holds one PEFT directory for each tiny model of training_reference.py, under the model's name. Neither peft nor
safetensors is used: the adapter is added to the weights as its two files say. reference_test.cpp calls this.
"""

import json
import math
import pathlib
import struct
import sys

import numpy
import torch

import training_reference


def tensors_of(path):
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    for name, what in json.loads(data[8:8 + length]).items():
        if name != "__metadata__":
            assert what["dtype"] == "F32", what
            begin, end = (8 + length + offset for offset in what["data_offsets"])
            yield name, torch.from_numpy(numpy.frombuffer(data[begin:end], dtype="<f4").reshape(what["shape"]).copy())


def adapt(model, directory):
    config = json.loads((directory / "adapter_config.json").read_text())
    assert config["peft_type"] == "LORA" and not config["use_dora"] and config["bias"] == "none"
    scale = config["lora_alpha"] / (math.sqrt(config["r"]) if config["use_rslora"] else config["r"])
    tensors = dict(tensors_of(directory / "adapter_model.safetensors"))
    targets = [name for name, module in model.named_modules()
               if isinstance(module, torch.nn.Linear) and name.rsplit(".", 1)[-1] in config["target_modules"]]
    for name in targets:
        a, b = (tensors.pop(f"base_model.model.{name}.lora_{side}.weight") for side in "AB")
        assert a.shape[0] == b.shape[1] == config["r"]
        model.get_submodule(name).weight += scale * b @ a
    assert targets and not tensors, f"no module for {list(tensors)}"


def main():
    found = {}
    with torch.no_grad():
        for name, model in training_reference.models():
            training_reference.set_weights(model)
            adapt(model.eval(), pathlib.Path(sys.argv[1]) / name)
            found[name] = model(input_ids=training_reference.texts()[:1], use_cache=False).logits[0].tolist()
    print(json.dumps(found))


main()
