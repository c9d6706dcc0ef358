"""CLINC150 as intent calls: learn from 15,000 recorded calls, then serve 5,500 unseen ones live.

The test utterances go through the gateway with the SIMULATED upstream replaying the data set's label behind it, so
that a call that the small model does not take gets the label from there.
"""

import collections
import time

import clinc150
import harness
import machine

SERVED_MIN, AGREEMENT_MIN = 0.80, 0.95
LIVE_SECONDS_MAX = 60


def label(message):
    return (message or {}).get("content", "").strip().lower()


def main_task(program):
    tasks = program.json("tasks")
    if not tasks:
        raise harness.Failure("no task was found")
    return max(tasks, key=lambda task: task["statistics"]["calls"]), len(tasks)


def wait_until_live(gateway, call):
    deadline = time.monotonic() + LIVE_SECONDS_MAX
    while True:
        reply = harness.send(gateway.url, [harness.PlainCall(call["request"], "probe")])[0]
        if reply.served_by == "slm" or reply.reason == "low_confidence":
            return
        if time.monotonic() > deadline:
            raise harness.Failure(f"the model did not go live: last reason {reply.reason!r}\n"
                                  f"{gateway.log_text()[-1500:]}")
        time.sleep(0.2)


def measure(calls, replies):
    slm = [(call, reply) for call, reply in zip(calls, replies) if reply.served_by == "slm"]
    agreed = sum(label(r.message) == c["response"]["choices"][0]["message"]["content"] for c, r in slm)
    return {
        "calls": len(calls), "answered": sum(r.whole and r.message is not None for r in replies),
        "served_by_slm": len(slm), "share": round(len(slm) / len(calls), 4),
        "agreed": agreed, "agreement": round(agreed / len(slm), 4) if slm else None,
        "reasons": dict(collections.Counter(r.reason for r in replies)),
        "median_ms": {by: round(1000 * harness.median(r.seconds for r in replies if r.served_by == by), 2)
                      for by in ("slm", "llm")}}


def run(program, data):
    steps, made = machine.Steps(), None
    with steps.step("convert"):
        made = clinc150.convert(data / "intents/clinc150.json.gz", program.home / "clinc150")
    program.text("keys", "init")
    with steps.step("import"):
        imported = program.json("import", made["train"])
    with steps.step("curate"):
        program.json("curate")
    with steps.step("cluster"):
        program.json("cluster")
    task, tasks = main_task(program)
    with steps.step("tune"):
        program.json("tune", task["id"], "--candidate", "classifier")
    with steps.step("evaluate"):
        evaluation = program.json("evaluate", task["id"], "--alpha", "0.05", "--delta", "0.1")
    program.json("promote", task["id"])
    with harness.Children(program.home / "children") as children:
        upstream = children.upstream("replay", made["live"])
        gateway = children.gateway(program, upstream.url)
        wait_until_live(gateway, made["test"][0])
        measured = {}
        for name in ("test", "oos_test"):
            with steps.step(f"live {name}"):
                calls = [harness.PlainCall(call["request"], call["session"]) for call in made[name]]
                measured[name] = measure(made[name], harness.send(gateway.url, calls, concurrency=16))
    in_scope, out_of_scope = measured["test"], measured["oos_test"]
    figures = {
        "imported": imported["calls"], "tasks": tasks,
        "task": f"{task['id']} {task['name']}: {task['statistics']['calls']} calls, answers: {task['answer_form']}",
        "evaluation": {key: evaluation[key] for key in ("verdict", "threshold", "calibration", "test", "reason")},
        "in scope": in_scope, "out of scope": {**out_of_scope, "fallback": round(1 - out_of_scope["share"], 4)},
        "seconds": steps.seconds}
    targets = {
        "every call of the train file imported": imported["calls"] == made["train_calls"],
        f"at least {SERVED_MIN:.0%} of the in-scope calls by the small model": in_scope["share"] >= SERVED_MIN,
        f"at least {AGREEMENT_MIN:.0%} agreement of those": (in_scope["agreement"] or 0) >= AGREEMENT_MIN,
        "most out-of-scope calls fall back": out_of_scope["share"] < 0.5,
        "every live call answered": all(m["answered"] == m["calls"] for m in measured.values())}
    return figures, targets
