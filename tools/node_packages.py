#!/usr/bin/env python3
"""Installs the node packages of a folder (package.json + package-lock.json) once, and says where they are.

    tools/node_packages.py FOLDER      prints the directory that holds package.json and node_modules

They go into the cache (~/.cache/understudy, or $UNDERSTUDY_CACHE) as npm-HASH, HASH being that of the lock file, so that a
changed lock installs anew and an old one stays for other clones. Tests and benches import installed(); where the
registry cannot be reached it raises Unavailable, and the command exits 77, which ctest shows as skipped.
"""

import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

INSTALL_SECONDS_MAX = 240
EXIT_SKIPPED = 77


class Unavailable(Exception):
    """The packages are not here and cannot be fetched; the message says why."""


def cache():
    default = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "understudy"
    return pathlib.Path(os.environ.get("UNDERSTUDY_CACHE") or default)


def installed(folder):
    """The directory with `folder`'s node_modules; complete or absent, also when two tests ask at once."""
    folder = pathlib.Path(folder).resolve()
    key = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()[:16]
    target = cache() / f"npm-{key}"
    if target.is_dir():
        return target
    if not shutil.which("npm"):
        raise Unavailable("npm is not installed here")
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(target.with_name(target.name + ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            install(folder, target)
    return target


def install(folder, target):
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(folder / name, partial / name)
    # Scripts of packages do not run: none of ours needs one.
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=1"]
    try:
        done = subprocess.run(command, cwd=partial, capture_output=True, text=True, timeout=INSTALL_SECONDS_MAX,
                              stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"npm ci of {folder} took over {INSTALL_SECONDS_MAX} s") from None
    if done.returncode != 0:
        raise Unavailable(f"npm ci of {folder} failed (is the registry in reach?): {done.stderr.strip()[-1500:]}")
    partial.rename(target)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        print(installed(sys.argv[1]))
    except Unavailable as reason:
        print(f"skipped: {reason}", file=sys.stderr)
        sys.exit(EXIT_SKIPPED)


if __name__ == "__main__":
    main()
