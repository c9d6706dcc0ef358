"""What `understudy scan` finds, and how fast: labelled sentences, single vectors, keys, and the JSONL of recorded calls."""

import gzip
import json
import os
import pathlib
import shutil
import subprocess
import time

import curate_log
import harness
import machine
import privacy_scores

STRUCTURED = ("EMAIL_ADDRESS", "CREDIT_CARD", "IBAN_CODE", "US_SSN", "IP_ADDRESS", "PHONE_NUMBER")
STRUCTURED_MIN, F2_MIN = 0.97, 0.75
VECTORS_MIN, TYPES_MIN = 0.95, 60
SECRETS_MIN = 0.9
SPEED_MIN_MB_S = 100
LOG_SIZES = (25_000, 50_000, 100_000)
CURATE_SECONDS_MAX = 180
# From a quarter of the log to all of it: hashes of calls and the personal values grow; content (10 kB a call) does not stay.
GROWTH_KB_PER_CALL_MAX = 0.5
# A vector set's own names, and checks of a set's harness: no types.
NO_TYPES = {"PATTERN"}


def read_lines(path):
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


class Scanner:
    """Texts in, spans by index out."""

    def __init__(self, program):
        self.program = program
        self.directory = program.home / "scan"
        self.directory.mkdir(parents=True, exist_ok=True)

    def spans(self, name, texts, *options):
        path = self.directory / f"{name}.jsonl"
        path.write_text("".join(json.dumps({"id": index, "text": text}) + "\n" for index, text in enumerate(texts)))
        result = {}
        for line in self.program.text("scan", path, *options).splitlines():
            entry = json.loads(line)
            result[entry["id"]] = [(span["start"], span["end"], span["type"]) for span in entry["spans"]]
        if len(result) != len(texts):
            raise harness.Failure(f"scan answered {len(result)} of {len(texts)} texts")
        return lambda index: result[index]


def sentences(scanner, path):
    records = json.load(gzip.open(path))
    scores = privacy_scores.score_sentences(records, scanner.spans("sentences", [r["full_text"] for r in records]))
    figures = {kind: scores.of(kind) for kind in scores.kinds()}
    figures["all"] = scores.of(*scores.kinds())
    return figures, scores


def vectors(scanner, path):
    """With a score_min of 0: a vector asks for one type and has mostly no context."""
    cases = [case for case in read_lines(path) if not NO_TYPES & set(case["entity"])]
    result, wrong = privacy_scores.score_cases(
        cases, scanner.spans("vectors", [case["text"] for case in cases], "--score-min", "0"))
    supported = {kind: counts for kind, counts in result.items() if counts[0] > 0 or counts[1] == 0 < counts[3]}
    totals = [sum(counts[i] for counts in supported.values()) for i in range(4)]
    missing = sorted(set(result) - set(supported))
    return {"types": len(result), "supported": len(supported), "not supported": ", ".join(missing) or "none",
            "positive": round(totals[0] / totals[1], 4), "negative": round(totals[2] / totals[3], 4),
            "vectors": f"{totals[0]} of {totals[1]} positive, {totals[2]} of {totals[3]} negative"}, wrong


def secret_cases(data):
    """(text, is a secret) of both sets; a key that is bare of the name it needs is no question that text can answer."""
    cases = []
    for record in read_lines(data / "secrets_a.jsonl.gz"):
        case = record["case"]
        text = case.get("payload") or case.get("line")
        if text is None or "should_flag" not in case or record["file"].endswith("ip_public_test.py"):
            continue
        cases.append((text, case["should_flag"], record["file"].rpartition("/")[2]))
    for record in read_lines(data / "secrets_b.jsonl.gz"):
        if record["mode"] == "line":
            cases.append((record["text"], record["label"], record["rule"]))
    return cases


def secrets(scanner, data):
    cases = secret_cases(data)
    spans_of = scanner.spans("secrets", [text for text, _, _ in cases])
    found = [any(span[2] == "SECRET" for span in spans_of(index)) for index in range(len(cases))]
    hits = sum(flag for flag, (_, label, _) in zip(found, cases) if label)
    wanted, flagged = sum(label for _, label, _ in cases), sum(found)
    wrong = [(label, source, text) for flag, (text, label, source) in zip(found, cases) if flag != label]
    return {"vectors": len(cases), "secrets": wanted, "recall": round(hits / wanted, 4),
            "precision": round(hits / flagged, 4)}, wrong


def speed(program, scanner, data):
    """Each call's line is a text. Once as logs are, where a conversation's calls repeat its messages, and once with
    every repeated string searched again."""
    path, size = scanner.directory / "calls.jsonl", 0
    with path.open("w") as out:
        for file in sorted((data / "calls").glob("*.jsonl.gz")):
            with gzip.open(file, "rt", encoding="utf-8") as lines:
                for line in lines:
                    size += len(line.encode())
                    out.write(json.dumps({"id": 0, "text": line.strip()}, ensure_ascii=False) + "\n")
    figures = {"megabytes": round(size / 1e6, 1)}
    for name, options in {"MB/s": (), "MB/s, nothing remembered": ("--remember", "0")}.items():
        runs = []
        for _ in range(3):
            done = program.run("scan", path, "--counts", *options)
            counts = json.loads(done.stderr.splitlines()[-1])
            runs.append([counts["text_bytes"] / counts[clock] / 1e6 for clock in ("cpu_seconds", "seconds")])
        # One thread: its CPU time is what "on one core" means where other processes share the machine.
        figures[name] = round(max(cpu for cpu, _ in runs), 1)
        figures[f"{name}: by CPU time, by the clock"] = [[round(rate, 1) for rate in run] for run in runs]
    figures["spans"], figures["strings"], figures["repeated"] = (
        counts["spans"], counts["strings"], counts["repeated_strings"])
    return figures


def curate_once(program):
    """Seconds, CPU seconds and peak resident MiB of one `understudy curate`, and its report."""
    started = time.monotonic()
    with subprocess.Popen(program.command("curate", "--json"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True) as process:
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise harness.Failure(f"curate: exit code {process.returncode}")
    return {"seconds": round(time.monotonic() - started, 1), "CPU seconds": round(usage.ru_utime + usage.ru_stime, 1),
            "peak MiB": round(usage.ru_maxrss / 1024, 1)}, json.loads(output)


def curate_logs(program, data, sizes=LOG_SIZES):
    """`understudy curate` over logs of growing size, each imported into a home of its own."""
    figures = {}
    for size in sizes:
        own = harness.Program(program.path, program.home / f"log{size}")
        lines = program.home / "calls.jsonl"
        line_bytes = curate_log.write_calls(data, lines, size)
        own.text("keys", "init")
        own.text("import", lines)
        lines.unlink()
        cost, report = curate_once(own)
        figures[size] = {**cost, "MB of JSONL": line_bytes // 1_000_000, "examples": report["examples"],
                         "values": sum(report["distinct_values"].values()), "replaced": sum(report["entities"].values()),
                         "dropped": report["dropped"]}
        shutil.rmtree(own.home)
    return figures


def consistency(program):
    """One surrogate for one original, schemas, copied arguments, over all files: what a test counts on a sample."""
    path = program.path.parent / "steps_s2_curate_test"
    if not path.exists():
        raise harness.Failure(f"{path} is not there; build it first: ./dev build --target {path.name}")
    done = subprocess.run([str(path), "--gtest_filter=CurateRecorded.IsConsistentOverAllFiles"], capture_output=True, text=True,
                          env={**os.environ, "UNDERSTUDY_ALL_CALLS": "1"}, cwd=pathlib.Path(__file__).resolve().parent,
                          timeout=harness.VERB_SECONDS_MAX)
    lines = [line.partition(": ")[2] for line in done.stdout.splitlines() if line.startswith("consistency: ")]
    return done.returncode == 0 and bool(lines), lines or ["not measured: " + done.stdout.strip()[-300:]]


def run(program, data):
    scanner, steps = Scanner(program), machine.Steps()
    with steps.step("sentences"):
        in_sentences, _ = sentences(scanner, data / "privacy/sentences_dev.json.gz")
    with steps.step("vectors"):
        in_vectors, _ = vectors(scanner, data / "privacy/entity_cases_dev.jsonl.gz")
    with steps.step("secrets"):
        in_secrets, _ = secrets(scanner, data / "privacy")
    with steps.step("speed"):
        fast = speed(program, scanner, data)
    with steps.step("curate of growing logs"):
        curated = curate_logs(program, data)
    with steps.step("consistency"):
        consistent, consistency_lines = consistency(program)
    least, most = curated[LOG_SIZES[0]], curated[LOG_SIZES[-1]]
    growth_kb = (most["peak MiB"] - least["peak MiB"]) * 1024 / (LOG_SIZES[-1] - LOG_SIZES[0])
    figures = {"sentences": in_sentences, "vectors": in_vectors, "secrets": in_secrets, "speed on one core": fast,
               "curate, calls": curated, "memory per further call": f"{growth_kb:.2f} kB",
               "consistency over all files": consistency_lines, "seconds": steps.seconds}
    targets = {
        "one original has one surrogate, none is an original; tool arguments fit, copies are copies": consistent,
        f"each structured type at least {STRUCTURED_MIN:.0%} recall and precision": all(
            min(in_sentences[kind]["recall"], in_sentences[kind]["precision"]) >= STRUCTURED_MIN
            for kind in STRUCTURED if kind in in_sentences),
        f"overall F2 above {F2_MIN}": in_sentences["all"]["F2"] > F2_MIN,
        f"at least {TYPES_MIN} types supported": in_vectors["supported"] >= TYPES_MIN,
        f"at least {VECTORS_MIN:.0%} of the positive and of the negative vectors": min(
            in_vectors["positive"], in_vectors["negative"]) >= VECTORS_MIN,
        f"secrets: recall and precision at least {SECRETS_MIN}": min(
            in_secrets["recall"], in_secrets["precision"]) >= SECRETS_MIN,
        f"scan at least {SPEED_MIN_MB_S} MB/s on one core": fast["MB/s"] >= SPEED_MIN_MB_S,
        f"curate of {LOG_SIZES[-1]} calls in under {CURATE_SECONDS_MAX} s": most["seconds"] < CURATE_SECONDS_MAX,
        f"content does not stay in memory: at most {GROWTH_KB_PER_CALL_MAX} kB per further call":
            growth_kb <= GROWTH_KB_PER_CALL_MAX}
    return figures, targets
