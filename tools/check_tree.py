#!/usr/bin/env python3
"""Checks that the tree is what it says it is: the include graph against tools/layers.txt, the maps in
README.md and ARCHITECTURE.md against the folders, and the format of every source file.

    tools/check_tree.py            checks, prints every finding, exits 1 if there is one
    tools/check_tree.py --format   applies clang-format first

A copy of this check that must fail guards the checker itself: see canary() below.
"""

import pathlib
import re
import subprocess
import sys

PROJECT = pathlib.Path(__file__).resolve().parent.parent
SOURCE = PROJECT / "src"
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
TORCH = re.compile(r"^\s*#\s*include\s*<(torch|ATen|c10)/", re.MULTILINE)
LIMIT_LINES = 600


def read_layers(text):
    """{module: [what it may include]}; 'adapters/*' stands for every module below adapters/."""
    layers = {}
    for line in text.splitlines():
        line = line.split("#")[0].strip()
        if line:
            module, _, allowed = line.partition(":")
            layers[module.strip()] = allowed.split()
    return layers


def module_of(path, modules):
    """The longest module name that is a folder prefix of a path below src/."""
    best = ""
    for module in modules:
        if (path == module or path.startswith(module + "/")) and len(module) > len(best):
            best = module
    return best


def may_include(module, target, layers):
    if target == module:
        return True
    for allowed in layers[module]:
        if allowed == target or (allowed.endswith("/*") and target.startswith(allowed[:-1])):
            return True
    return False


def check_includes(files, layers):
    """files: {path below src/: text}. Yields one finding for each include that the table forbids."""
    for path, text in sorted(files.items()):
        module = module_of(path, layers)
        if not module:
            yield f"src/{path}: lies in no module of tools/layers.txt"
            continue
        for included in INCLUDE.findall(text):
            if included not in files:
                yield f'src/{path}: includes "{included}", which does not exist'
                continue
            target = module_of(included, layers)
            if not may_include(module, target, layers):
                yield f"src/{path}: {module} may not include {target} (tools/layers.txt)"
        if TORCH.search(text) and module != "steps/s5_tune/torch":
            yield f"src/{path}: only steps/s5_tune/torch includes libtorch"
        if text.count("\n") > LIMIT_LINES:
            yield f"src/{path}: {text.count(chr(10))} lines; split it by purpose (limit {LIMIT_LINES})"


def folders_in_map(text):
    """Paths in the fenced block that follows a line with '<!-- map -->', as the tree's indentation nests them."""
    match = re.search(r"<!-- map -->\s*```[a-z]*\n(.*?)```", text, re.DOTALL)
    if not match:
        return None
    paths, stack = [], []
    for line in match.group(1).splitlines():
        name = line.split("  ")[0] if not line.startswith(" ") else line.strip().split("  ")[0]
        if not line.strip():
            continue
        indent = len(line) - len(line.lstrip())
        while stack and stack[-1][0] >= indent:
            stack.pop()
        name = name.strip().split()[0]
        path = (stack[-1][1] if stack else "") + name
        paths.append(path)
        if name.endswith("/"):
            stack.append((indent, path))
    return paths


def check_map(document, paths, modules, exists):
    if paths is None:
        yield f"{document}: has no map (a fenced block behind <!-- map -->)"
        return
    for path in paths:
        if not exists(path):
            yield f"{document}: its map names {path}, which does not exist"
    named = {path.rstrip("/") for path in paths}
    for module in modules:
        if f"src/{module}" not in named:
            yield f"{document}: its map lacks src/{module}/"


def canary():
    """The checker must find what it is for."""
    layers = read_layers("base:\nsteps/a: base\nsteps/b: base\n")
    files = {"base/x.hpp": "", "steps/a/a.hpp": "", "steps/b/b.cpp": '#include "steps/a/a.hpp"\n'}
    assert list(check_includes(files, layers)), "a step that includes a step went unnoticed"
    files = {"base/x.hpp": "", "steps/b/b.cpp": '#include "base/x.hpp"\n'}
    assert not list(check_includes(files, layers)), "an allowed include was refused"
    drawn = folders_in_map("<!-- map -->\n```\nsrc/\n  base/      ground\n  gone/      nothing\n```\n")
    assert drawn == ["src/", "src/base/", "src/gone/"], drawn
    assert list(check_map("X", drawn, ["base"], lambda path: "gone" not in path)), "a stale map went unnoticed"


def check_format(paths):
    changed = subprocess.run(["clang-format", "--dry-run", "--Werror", *paths], capture_output=True, text=True)
    unformatted = {line.split(":")[0] for line in changed.stderr.splitlines() if "error:" in line}
    for path in sorted(unformatted):
        yield path.replace(str(PROJECT) + "/", "") + ": not formatted (./dev format)"


def main():
    canary()
    sources = sorted(p for p in SOURCE.rglob("*") if p.suffix in (".cpp", ".hpp"))
    if "--format" in sys.argv:
        subprocess.run(["clang-format", "-i", *map(str, sources)], check=True)
    files = {str(p.relative_to(SOURCE)): p.read_text() for p in sources}
    layers = read_layers((PROJECT / "tools/layers.txt").read_text())
    findings = list(check_includes(files, layers))
    for module in layers:
        if not (SOURCE / module).is_dir():
            findings.append(f"tools/layers.txt: names {module}, which does not exist")
    for document in ("README.md", "ARCHITECTURE.md"):
        text = (PROJECT / document).read_text()
        modules = layers if document == "ARCHITECTURE.md" else []
        findings += check_map(document, folders_in_map(text), modules, lambda path: (PROJECT / path).exists())
    findings += check_format([str(p) for p in sources])
    for finding in findings:
        print(finding)
    print(f"checked {len(files)} source files, {len(layers)} modules, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
