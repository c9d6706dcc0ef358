#!/usr/bin/env python3
"""Turns CLINC150 (150 intents, CC BY 3.0) into the calls of an intent-recognition agent.

  clinc150.py ../shared/data/intents/clinc150.json.gz OUT

writes OUT/train.jsonl (15,000 calls, for `understudy import`) and OUT/live.jsonl (the 4,500 test utterances and the
1,000 out-of-scope ones, for `simulated_upstream.py replay`). The recorded answer is the data set's label; the LLM
that gave it is SIMULATED.
"""

import argparse
import gzip
import json
import pathlib
import sys

MODEL = "simulated-llm"
OUT_OF_SCOPE = "oos"


def load(path):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return json.load(file)


def system_prompt(intents):
    return ("You recognise the intent of what a user says to a personal assistant.\n"
            f"The intents are: {', '.join(sorted(intents))}.\n"
            f"Answer with exactly one of them, or with {OUT_OF_SCOPE} if none fits. Write nothing else.")


def make_call(system, utterance, intent, call_id):
    return {
        "id": call_id, "source": "clinc150", "session": call_id,
        "request": {"model": MODEL, "temperature": 0, "messages": [
            {"role": "system", "content": system},
            {"role": "user", "content": f"Utterance: {utterance}\nIntent:"}]},
        "response": {"object": "chat.completion", "model": MODEL, "choices": [
            {"index": 0, "message": {"role": "assistant", "content": intent}, "finish_reason": "stop"}]}}


def convert(source, directory):
    """Writes the two files and returns {"train": path, "live": path, "test": [call], "oos_test": [call]}."""
    data = load(source)
    system = system_prompt({intent for _, intent in data["train"]})
    calls = {split: [make_call(system, text, intent, f"clinc-{split}-{number}")
                     for number, (text, intent) in enumerate(data[split])]
             for split in ("train", "test", "oos_test")}
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    files = {"train": calls["train"], "live": calls["test"] + calls["oos_test"]}
    for name, content in files.items():
        with open(directory / f"{name}.jsonl", "w", encoding="utf-8") as file:
            file.writelines(json.dumps(call, ensure_ascii=False) + "\n" for call in content)
    return {"train": directory / "train.jsonl", "live": directory / "live.jsonl", "test": calls["test"],
            "oos_test": calls["oos_test"], "train_calls": len(calls["train"])}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=pathlib.Path, help="clinc150.json.gz")
    parser.add_argument("directory", type=pathlib.Path, help="where the two files go")
    options = parser.parse_args()
    made = convert(options.source, options.directory)
    print(f"{made['train']}: {made['train_calls']} calls\n"
          f"{made['live']}: {len(made['test'])} in scope, {len(made['oos_test'])} out of scope")


if __name__ == "__main__":
    sys.exit(main())
