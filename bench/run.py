#!/usr/bin/env python3
"""Runs one benchmark of this folder against the built program: `./dev bench NAME [--json] [--home DIR]`.

  clinc150   intent recognition: 15,000 recorded calls, then 5,500 live ones through the gateway
  calls      seven files of real agent calls: import, curate, cluster, select
  curate     what `scan` finds in labelled texts, per type, and its megabytes per second
  cluster    tasks against hidden call sites, intents without k, scikit-learn beside it; speed, ids that stay
  gateway    direct, nginx, Portkey, and the gateway with capture off, async, durable: rates, latencies, memory
  train      LoRA and full tuning at the shape of SmolLM2-135M with transformers in turn; QLoRA; nano (10 to 15 minutes)
  route      CLINC150's targets, what of four files converts and why the rest stays, decisions, drift, kills of refine
  console    100,000 recorded calls: what each page waits for, at rest and while calls come in
  kill9      SIGKILL under load: which acknowledged calls does the log still hold?

Each prints its figures with machine and commit, and exits 1 when a target is missed, 77 when its data is absent.
"""

import argparse
import json
import os
import pathlib
import sys
import tempfile

BENCH = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(BENCH), str(BENCH.parent / "examples")]

import bench_calls  # noqa: E402  (the path is set above)
import bench_clinc150  # noqa: E402
import bench_cluster  # noqa: E402
import bench_console  # noqa: E402
import bench_curate  # noqa: E402
import bench_gateway  # noqa: E402
import bench_kill9  # noqa: E402
import bench_route  # noqa: E402
import bench_train  # noqa: E402
import harness  # noqa: E402
import machine  # noqa: E402

NEED_DATA = {"clinc150": bench_clinc150.run, "calls": bench_calls.run, "curate": bench_curate.run}
NEED_DATA_AND_OPTIONS = {"cluster": bench_cluster.run, "route": bench_route.run}
BENCHMARKS = {**NEED_DATA, **NEED_DATA_AND_OPTIONS, "console": bench_console.run, "gateway": bench_gateway.run,
              "kill9": bench_kill9.run, "train": bench_train.run}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, help="the built understudy")
    parser.add_argument("name", choices=BENCHMARKS)
    parser.add_argument("--home", type=pathlib.Path, help="an empty directory (default: a new one below /tmp)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    gateway = parser.add_argument_group("gateway")
    gateway.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default 5)")
    gateway.add_argument("--pairs", type=int, default=15, help="pairs of processes for what capture costs (default 15; 0: none)")
    gateway.add_argument("--seconds", type=int, default=2, help="of load per figure and round (default 2)")
    gateway.add_argument("--minutes", type=float, default=0.5,
                         help="of load while memory is watched, on each of three disks (default 0.5; the bar is 10; "
                              "0: not at all)")
    gateway.add_argument("--systems", default="nginx,portkey,off,async,durable",
                         help="what to compare, while working on one of them (default: %(default)s)")
    gateway.add_argument("--raw", type=pathlib.Path, help="write every round's figures here, as JSON")
    parser.add_argument_group("kill9").add_argument("--kills", type=int, default=200, help="rounds (default 200)")
    parser.add_argument("--parts", help="which parts: of route clinc150,decision,kills,traffic; of train "
                                        "lora,full,qlora,nano (default: all of them)")
    train = parser.add_argument_group("train", "whole in 10 to 15 minutes; a part alone with --parts, a quick look with "
                                               "--parts lora --steps 1; --home keeps the models written for the next run")
    train.add_argument("--steps", type=int, default=5, help="that count, of each trainer (default 5)")
    train.add_argument("--threads", type=int, default=os.cpu_count(), help="of each trainer (default: all processors)")
    train.add_argument("--peer", choices=("transformers", "none"), default="transformers", help="(default: %(default)s)")
    route = parser.add_argument_group("route")
    route.add_argument("--tune-minutes", type=float, default=2, help="of training per task (default 2)")
    cluster = parser.add_argument_group("cluster")
    cluster.add_argument("--calls", type=pathlib.Path, action="append", default=[],
                         help="a further file of recorded calls, with meta.task to score against")
    cluster.add_argument("--texts", type=pathlib.Path, action="append", default=[],
                         help='a further file of {"text", "label"} lines')
    options = parser.parse_args()
    home = options.home or pathlib.Path(tempfile.mkdtemp(prefix=f"understudy-{options.name}-"))
    if options.name in {**NEED_DATA, **NEED_DATA_AND_OPTIONS} and not harness.SHARED_DATA.is_dir():
        print(f"bench {options.name}: skipped, its data is not at {harness.SHARED_DATA}", file=sys.stderr)
        return 77
    try:
        program = harness.Program(options.program, home)
        more = () if options.name in NEED_DATA else (options,)
        figures, targets = BENCHMARKS[options.name](program, harness.SHARED_DATA, *more)
    except harness.Failure as failure:
        print(f"bench {options.name}: {failure}\nbench: the home is kept in {home}", file=sys.stderr)
        return 1
    result = {"benchmark": options.name, "machine": machine.describe(), "commit": machine.commit(),
              "home": str(home), **figures, "targets": targets}
    if options.json:
        print(json.dumps(result, indent=2, ensure_ascii=False))
    else:
        machine.print_figures(result)
    return 0 if all(targets.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
