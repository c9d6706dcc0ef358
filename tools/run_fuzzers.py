#!/usr/bin/env python3
"""Runs every fuzz program of a folder for some seconds each: tools/run_fuzzers.py DIR [SECONDS].

Prints a line per target; exits 1 if one of them finds a crash, a leak or a hang.
"""

import pathlib
import subprocess
import sys
import tempfile

import fuzz_seeds


def main():
    folder = pathlib.Path(sys.argv[1])
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    targets = sorted(p for p in folder.iterdir() if p.name.endswith("_fuzz"))
    if not targets:
        print(f"no fuzz programs in {folder}; build them with ./dev fuzz")
        return 1
    failed = 0
    seeds = fuzz_seeds.seeds()
    for target in targets:
        with tempfile.TemporaryDirectory() as work:
            for number, seed in enumerate(seeds.get(target.name.removesuffix("_fuzz"), [])):
                (pathlib.Path(work) / f"seed_{number}").write_bytes(seed)
            run = subprocess.run(
                [target, f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=4096", "-print_final_stats=1", work],
                cwd=work, capture_output=True, text=True, errors="replace")
            executed = next((line.split()[-1] for line in run.stderr.splitlines()
                             if "number_of_executed_units" in line), "?")
            print(f"{'ok  ' if run.returncode == 0 else 'FAIL'} {target.name}: {executed} runs in {seconds} s")
            if run.returncode != 0:
                failed += 1
                print(run.stderr[-4000:])
    print(f"{len(targets) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
