"""S4 and S6: how much of recorded traffic converts and why the rest stays, how long a routing decision takes, how soon
a change is seen, and what 50 kills of `refine` leave behind.

The paper (arXiv 2506.02153) claims that 60 % of MetaGPT's calls could be answered by small models, by inspection; the
table sets beside that what was certified here.
"""

import json
import pathlib
import random
import re
import subprocess
import sys

import bench_clinc150
import harness
import machine

FILES = ("tau_airline_gpt4o", "metagpt_runs", "metagpt_cache", "chatdev")
PARTS = "clinc150,decision,kills,traffic"
PAPER = {"metagpt_runs": 0.60, "metagpt_cache": 0.60}
SERVED_MIN, AGREEMENT_MIN, OUT_OF_SCOPE_MAX = 0.93, 0.96, 0.15
DECISION_P99_US_MAX, DEMOTED_WITHIN_MAX = 100, 200
sys.path.insert(0, str(harness.PROJECT / "tests/e2e"))


def clinc150(program, data):
    figures, _ = bench_clinc150.run(harness.Program(program.path, program.home / "clinc"), data)
    inside, outside = figures["in scope"], figures["out of scope"]
    return {"in scope": inside, "out of scope": outside, "evaluation": figures["evaluation"],
            "seconds": figures["seconds"]}, {
        f"CLINC150: at least {SERVED_MIN:.0%} of the in-scope calls served": inside["share"] >= SERVED_MIN,
        f"CLINC150: at {AGREEMENT_MIN:.0%} agreement": (inside["agreement"] or 0) >= AGREEMENT_MIN,
        "CLINC150: certified at (0.05, 0.1)": figures["evaluation"]["verdict"] == "convert",
        f"CLINC150: at most {OUT_OF_SCOPE_MAX:.0%} of the out-of-scope calls accepted":
            outside["share"] <= OUT_OF_SCOPE_MAX}


TRAINED_HERE = ("classifier", "nano")  # what needs no weights from elsewhere
REMARKS = ("needs no download", "reads ", "closed set of")  # of `select`: nothing against a candidate


def reasons_against(candidates):
    """What keeps the kinds that need no download from a task, each reason once, those of both kinds first."""
    lists = [[re.sub(r"^(open-ended text):.*", r"\1", reason) for reason in c["reasons"] if not reason.startswith(REMARKS)]
             for c in candidates if c["kind"] in TRAINED_HERE]
    both = [r for r in lists[0] if all(r in other for other in lists[1:])]
    return both + [f"{c['kind']}: {r}" for c, reasons in zip([c for c in candidates if c["kind"] in TRAINED_HERE], lists)
                   for r in reasons if r not in both]


def convert(program, task, minutes):
    """{"tried": [...], "certified": share of the unseen test calls, "reason": why}."""
    candidates = program.json("select", task["id"])["candidates"]
    tried, reason, share = [], "", 0
    for candidate in candidates:
        if not candidate["eligible"] or candidate["kind"] not in TRAINED_HERE:
            continue
        tried.append(candidate["kind"])
        made = program.run("tune", task["id"], "--candidate", candidate["kind"], "--max-minutes", str(minutes), "--json")
        if made.returncode != 0:
            reason = f"{candidate['kind']}: {made.stderr.strip().splitlines()[0]}"
            continue
        evaluation = program.json("evaluate", task["id"], "--alpha", "0.05", "--delta", "0.1")
        reason = f"{candidate['kind']}: {evaluation['reason']}"
        if evaluation["verdict"] == "convert":
            share = evaluation["test"]["coverage"]
            break
    return {"tried": tried, "certified": share, "reason": reason or "; ".join(reasons_against(candidates))}


def exact_repeats(path):
    """Shares of calls and of their bytes whose request was made before word for word: what an exact-match cache answers."""
    import gzip
    seen, calls, hits, size, hit_size = set(), 0, 0, 0, 0
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            request = json.dumps(json.loads(line)["request"], sort_keys=True)
            calls += 1
            size += len(request)
            if request in seen:
                hits += 1
                hit_size += len(request)
            seen.add(request)
    return {"calls": round(hits / calls, 4), "bytes asked": round(hit_size / size, 4)} if calls else {}


def file_table(program, data, name, minutes, steps):
    """Every task of a file in a home of its own: what of it is certified, and why the rest stays."""
    path = data / f"calls/{name}.jsonl.gz"
    own = harness.Program(program.path, program.home / name)
    own.text("keys", "init")
    own.json("import", path)
    curated = own.json("curate")
    own.json("cluster")
    tasks = own.json("tasks")
    rows, certified, stays = [], {"calls": 0.0, "tokens": 0.0, "cost": 0.0}, {}
    with steps.step(f"{name}: {len(tasks)} tasks"):
        for task in tasks:
            made, statistics = convert(own, task, minutes), task["statistics"]
            for key in certified:
                certified[key] += made["certified"] * statistics[f"share_of_{key}"]
            if not made["certified"]:
                why = made["reason"].partition(";")[0].partition(" (")[0]
                why = re.sub(r"[0-9.,]+ (bytes|calls)", r"N \1", re.sub(r"of [0-9,]+", "of N", why))
                stays[why] = round(stays.get(why, 0) + statistics["share_of_calls"], 4)
            rows.append({"task": task["name"], "calls": statistics["calls"],
                         "share of calls": round(statistics["share_of_calls"], 4),
                         "share of tokens": round(statistics["share_of_tokens"], 4),
                         "share of money": round(statistics["share_of_cost"], 4),
                         "answers": f"{statistics['distinct_answers']} {task['answer_form']}", **made})
    return {"calls read": curated["calls_read"], "calls kept": sum(row["calls"] for row in rows),
            "certified": {key: round(value, 4) for key, value in certified.items()},
            "the paper's claim": PAPER.get(name), "exact repeats (a cache's)": exact_repeats(path),
            "stays, by reason (share of calls)": dict(sorted(stays.items(), key=lambda item: -item[1])), "tasks": rows}


def markdown(figures):
    """The rows of docs/benchmarks.md."""
    lines = ["| file | calls | certified: calls, tokens, money | a cache's repeats | the paper |", "|---|---:|---|---:|---:|"]
    for name in FILES:
        made = figures[name]
        claim, repeats = made["the paper's claim"], made["exact repeats (a cache's)"]["calls"]
        paper = f"{claim:.0%}" if claim else "-"
        shares = ", ".join(f"{made['certified'][key]:.1%}" for key in ("calls", "tokens", "cost"))
        lines.append(f"| {name} | {made['calls read']} | {shares} | {repeats:.1%} | {paper} |")
    for name in FILES:
        lines += ["", f"**{name}**", "", "| task | calls | of calls, tokens, money | answers | certified | why |", "|---|---:|---|---|---:|---|"]
        for row in figures[name]["tasks"]:
            shares = ", ".join(f"{row[f'share of {key}']:.1%}" for key in ("calls", "tokens", "money"))
            certified = f"{row['certified']:.1%}" if row["certified"] else "stays"
            lines.append(f"| {row['task'][:60]} | {row['calls']} | {shares} | {row['answers']} | {certified} | {row['reason']} |")
    return "\n".join(lines) + "\n"


def decision(program, bench):
    """The router by itself, then the gateway's own histogram on the same policy."""
    home = program.home / "policy200"
    done = subprocess.run([bench, home], capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise harness.Failure(f"route_bench: {done.stderr}")
    figures = json.loads(done.stdout)
    own = harness.Program(program.path, home)
    policy = own.json("policy")
    with harness.Children(program.home / "children-decision") as children:
        upstream = children.upstream("oracle")
        token = own.json("access", "token", "--role", "auditor")
        secret = token.get("secret") or token.get("token")
        gateway = children.start("gateway", own.command("serve", "--config", write_config(home, upstream.url),
                                                        "--admin-port-file", home / "admin.port"))
        rng = random.Random(3)
        calls = []
        for number in range(3000):
            constants = rng.choice(policy["tasks"])["template"]["constants"]
            system = constants[0].removeprefix("<|system|>\n").partition("\n<|user|>\n")[0]
            words = " ".join(f"word{rng.randrange(999)}" for _ in range(rng.randrange(20, 200)))
            calls.append(harness.PlainCall({"model": "m", "messages": [
                {"role": "system", "content": system},
                {"role": "user", "content": "Context: " + words + constants[1] + words}]}, f"s{number}"))
        replies = harness.send(gateway.url, calls, concurrency=8)
        figures["reasons"] = {r: sum(x.reason == r for x in replies) for r in {x.reason for x in replies}}
        admin = int((home / "admin.port").read_text())
        text = scrape(admin, secret)
    figures["gateway's histogram"] = {name: quantile(text, share) for name, share in (("p50 us", .5), ("p99 us", .99))}
    return figures


def write_config(home, upstream):
    path = home / "understudy.toml"
    path.write_text(f'''listen = "127.0.0.1:0"
[[upstream]]
name = "llm"
url = "{upstream}/v1"
[admin]
listen = "127.0.0.1:0"
''')
    return path


def scrape(port, secret):
    import urllib.request
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers={"Authorization": f"Bearer {secret}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode()


def quantile(exposition, share):
    """The upper bound of the bucket that holds it."""
    buckets = [(float(bound.replace("+Inf", "inf")), float(count)) for bound, count in re.findall(
        r'understudy_route_decision_microseconds_bucket\{le="([^"]+)"\} (\S+)', exposition)]
    total = buckets[-1][1] if buckets else 0
    return next((bound for bound, count in buckets if total and count >= share * total), None)


def kills(program, count, steps):
    import refine_test
    import support
    own = harness.Program(program.path, program.home / "kills")
    own.text("keys", "init")

    def more(seed, number):
        path = own.home / f"calls-{seed}.jsonl"
        path.write_text("".join(json.dumps(record) + "\n" for record in support.records("intent", seed, number)))
        own.json("import", path)

    class Check:
        def __init__(self):
            self.broken = []

        def assertTrue(self, held, message=""):
            if not held:
                self.broken.append(message)

    more(1, 900)
    own.json("curate")
    own.json("cluster")
    task = max(own.json("tasks"), key=lambda entry: entry["statistics"]["calls"])["id"]
    own.json("refine", task, "--go-live", "active")
    words = ("--force", "--go-live", "active", "--max-minutes", "0.1")
    more(2, 200)
    spans = refine_test.Refining(own, *words).spans()
    rng, check, killed = random.Random(11), Check(), dict.fromkeys(refine_test.STAGES, 0)
    with steps.step(f"{count} kills of refine"):
        for attempt in range(3 * count):
            if sum(killed.values()) == count:
                break
            # The stage first, then a moment in it: by the clock alone nearly all would fall into the training.
            least = min(killed.values())
            stage = rng.choice([name for name, kills in killed.items() if kills == least])
            more(100 + attempt, 20)
            fell_in = refine_test.Refining(own, *words).kill_in(stage, rng.uniform(0, spans.get(stage, 0.01)))
            if fell_in:
                killed[fell_in] += 1
            served = refine_test.check_consistent(check, own)
            check.assertTrue(task in served.values(), "the task lost its model")
    own.json("refine", "--go-live", "active", "--max-minutes", "0.1")
    open_runs = [run for run in own.json("refine", "--list") if run["stage"] != "done"]
    return {"kills": sum(killed.values()), "killed in": killed, "inconsistent": check.broken,
            "left open at the end": len(open_runs), "usual seconds of each stage": spans}


def run(program, data, options):
    steps, figures, targets = machine.Steps(), {}, {}
    parts = (options.parts or PARTS).split(",")
    if "clinc150" in parts:
        figures["clinc150"], targets = clinc150(program, data)
    if "decision" in parts:
        bench = pathlib.Path(program.path).parent / "route_bench"
        if not bench.exists():
            raise harness.Failure("build it first: ./dev build --target route_bench")
        made = decision(program, bench)
        figures["decision"], figures["drift"] = {k: v for k, v in made.items() if k != "drift"}, made["drift"]
        targets[f"decision below {DECISION_P99_US_MAX} us at p99 with 200 tasks"] = (
            made["decision"]["p99 us"] < DECISION_P99_US_MAX and
            (made["gateway's histogram"]["p99 us"] or 1e9) <= DECISION_P99_US_MAX)
        drift = made["drift"]
        targets["a stable task is never demoted"] = drift["demoted though stable"] == 0
        targets[f"a change is seen within {DEMOTED_WITHIN_MAX} audited calls"] = (
            drift["change seen"] == drift["seeds"] and drift["slowest, audited calls"] <= DEMOTED_WITHIN_MAX)
    if "kills" in parts:
        figures["kills of refine"] = made = kills(program, options.kills if options.kills != 200 else 50, steps)
        targets["every kill leaves a home that is consistent and goes on"] = (
            not made["inconsistent"] and made["left open at the end"] == 0)
    if "traffic" in parts:
        for name in FILES:
            figures[name] = file_table(program, data, name, options.tune_minutes, steps)
        figures["as a table"] = markdown(figures).splitlines()
    figures["seconds"] = steps.seconds
    return figures, targets
