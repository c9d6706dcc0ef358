"""The seven files of recorded calls: counts, and seconds of import, curate, cluster and select of every task."""

import gzip
import json

import harness
import machine

SECONDS_MAX = 180  # curate + cluster + select together
SHOWN = ("tau_airline_gpt4o", "metagpt_runs")


def count_lines(path):
    with gzip.open(path, "rb") as lines:
        return sum(1 for line in lines if line.strip())


def excerpt(example):
    """The beginning of an example, as a person would recognise it."""
    text = example.get("answer") or example.get("slots") or example
    text = text if isinstance(text, str) else json.dumps(text, ensure_ascii=False)
    return " ".join(text.split())[:110]


def describe_tasks(program, tasks):
    lines = []
    for task in tasks:
        shown = program.json("tasks", "show", task["id"], "--examples", "1")
        calls = task["statistics"]["calls"]
        lines.append(f"{calls:6} calls  {task['id']}  {task['name'][:60]:60} {task['answer_form']}")
        lines += [f"              e.g. {excerpt(example)}" for example in shown["examples"][:1]]
    return lines


def run(program, data):
    files = sorted((data / "calls").glob("*.jsonl.gz"))
    if not files:
        raise harness.Failure(f"no calls in {data / 'calls'}")
    counts = {path.name: count_lines(path) for path in files}
    steps = machine.Steps()
    program.text("keys", "init")
    with steps.step("import"):
        imported = program.json("import", *files)
    stored = {entry["path"].rpartition("/")[2]: entry["calls"] for entry in imported["files"]}
    with steps.step("curate"):
        curated = program.json("curate")
    with steps.step("cluster"):
        program.json("cluster")
    tasks = program.json("tasks")
    with steps.step(f"select of {len(tasks)} tasks"):
        for task in tasks:
            program.json("select", task["id"])
    seconds = sum(value for name, value in steps.seconds.items() if name != "import")
    figures = {"files": {name: f"{counts[name]} lines, {stored.get(name)} calls" for name in counts},
               "curate": curated, "tasks found": len(tasks), "seconds": steps.seconds,
               "curate + cluster + select": f"{seconds:.1f} s", "largest tasks": describe_tasks(program, tasks[:15])}
    for name in SHOWN:
        figures[f"tasks of {name} alone"] = alone(program, data / f"calls/{name}.jsonl.gz", steps)
    targets = {"import counts equal line counts": stored == counts,
               f"curate, cluster and select in under {SECONDS_MAX} s": seconds < SECONDS_MAX}
    return figures, targets


def alone(program, path, steps):
    """The tasks of one file in a home of its own."""
    own = harness.Program(program.path, program.home / path.name.partition(".")[0])
    own.text("keys", "init")
    with steps.step(f"{path.name} alone"):
        own.json("import", path)
        own.json("curate")
        own.json("cluster")
    return describe_tasks(own, own.json("tasks"))
