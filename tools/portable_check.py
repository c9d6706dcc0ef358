#!/usr/bin/env python3
"""Shows that a portable tree needs nothing from the machine but its kernel and processor, as `./dev release` does at its end:

    tools/portable_check.py build/release/understudy-0.1.0-linux-amd64

By readelf, of every file that the loader may open: what people start is linked statically; each library that is asked for lies in
shared/, with every symbol version that is asked of it (a library of the machine would be older, or missing); the kernel that the C
library wants is no newer than Ubuntu 22.04's; no program wants a processor beyond the first x86-64 (ggml's code for newer ones is
chosen at run time); no link leads out. Exit code 1 with one line for each finding.
"""

import pathlib
import re
import subprocess
import sys

KERNEL_MAX = (5, 15)  # Ubuntu 22.04; Debian 12 has 6.1
PROCESSOR = "x86-64-baseline"


def is_elf(path):
    if path.is_symlink() or not path.is_file():
        return False
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


class Elf:
    """What readelf says of one file."""

    def __init__(self, path):
        self.name = path.name
        text = subprocess.run(["readelf", "--wide", "--program-headers", "--dynamic", "--version-info", "--notes", str(path)],
                              check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
        self.static = "INTERP" not in text and "(NEEDED)" not in text
        self.needed = re.findall(r"\(NEEDED\).*\[(.*)\]", text)
        self.kernel = max((tuple(map(int, found.split("."))) for found in re.findall(r"OS: Linux, ABI: ([\d.]+)", text)), default=(0,))
        self.processors = set(re.findall(r"x86 ISA needed: ([^\n,]+)", text))
        defined, _, asked = text.partition("Version needs section")
        self.defined = set(re.findall(r"Name: (\S+)", defined.partition("Version definition section")[2]))
        self.versions = {}  # library -> versions asked of it
        library = None
        for line in asked.splitlines():
            if found := re.search(r"File: (\S+)", line):
                library = self.versions.setdefault(found[1], set())
            # A weak one may be missing.
            elif library is not None and (found := re.search(r"Name: (\S+)\s+Flags: (\S+)", line)) and "WEAK" not in found[2]:
                library.add(found[1])


def findings(tree):
    """One line for each thing that would be taken from the machine; and how much was looked at."""
    programs = tree / "lib/understudy"
    shared = {path.name: Elf(path) for path in (programs / "shared").iterdir() if is_elf(path)}
    opened = [Elf(path) for path in [*(programs / "elf").iterdir(), *programs.glob("*.so"), *tree.glob("lib/python*/**/*.so")] if is_elf(path)]
    launchers = [Elf(path) for path in programs.iterdir() if path.suffix != ".so" and is_elf(path)]
    found = [f"{one.name} is not linked statically" for one in launchers if not one.static]
    for one in [*opened, *shared.values()]:
        found += [f"{one.name} needs {name}, which is not in shared/" for name in one.needed if name not in shared]
        for name, versions in one.versions.items():
            missing = versions - shared[name].defined if name in shared else set()
            found += [f"{one.name} needs {version} of {name}, which that does not have" for version in sorted(missing)]
    everything = [*launchers, *opened, *shared.values()]
    for one in everything:
        if one.kernel[:2] > KERNEL_MAX:
            found.append(f"{one.name} wants Linux {'.'.join(map(str, one.kernel))}")
        found += [f"{one.name} wants the processor {word}" for word in sorted(one.processors - {PROCESSOR})]
    found += [f"the link {path.relative_to(tree)} leads out of the tree" for path in tree.rglob("*")
              if path.is_symlink() and not path.resolve().is_relative_to(tree.resolve())]
    kernel = ".".join(map(str, max((one.kernel for one in everything), default=(0,))))
    return found, f"{len(launchers)} programs, {len(shared)} libraries: nothing from the machine but Linux {kernel} or newer"


def main():
    if len(sys.argv) != 2 or not (pathlib.Path(sys.argv[1]) / "lib/understudy/shared").is_dir():
        sys.exit(__doc__)
    found, summary = findings(pathlib.Path(sys.argv[1]))
    print(*[f"portable_check: {line}" for line in found] or [summary], sep="\n")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
