#!/usr/bin/env python3
"""Builds the console's web page (web/) and writes it as a C++ source for the program.

    tools/build_web.py OUT      OUT/web_assets.cpp, and the files that it embeds

What was built once is kept in the cache under a hash of web/'s files, so that npm is asked only when they change.
Without npm's registry (and without a kept build) the program gets a page that says so: everything else works.
"""

import gzip
import hashlib
import pathlib
import shutil
import subprocess
import sys

import node_packages

PROJECT = pathlib.Path(__file__).resolve().parent.parent
WEB = PROJECT / "web"
BUILD_SECONDS_MAX = 240
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
         ".svg": "image/svg+xml", ".woff2": "font/woff2"}
WITHOUT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Understudy</title>
<h1>This build has no web page</h1>
<p>npm's registry was out of reach when it was built. The JSON API below /api works; build again for the page.</p></html>
"""

SOURCE = """// Made by tools/build_web.py.
#include "console/web/assets.hpp"

#include <array>

namespace understudy::console {

namespace {

%(arrays)s
template <std::size_t bytes>
std::string_view text(const unsigned char (&data)[bytes]) {
  return {reinterpret_cast<const char*>(data), bytes};
}

}  // namespace

std::span<const WebAsset> web_assets() {
  static const std::array<WebAsset, %(count)d> assets = {{
%(entries)s  }};
  return assets;
}

}  // namespace understudy::console
"""


def inputs():
    """web/'s files but what npm and vite leave there."""
    return sorted(p for p in WEB.rglob("*")
                  if p.is_file() and not {"node_modules", "dist"} & set(p.relative_to(WEB).parts))


def key():
    digest = hashlib.sha256(pathlib.Path(__file__).read_bytes())
    for path in inputs():
        digest.update(str(path.relative_to(WEB)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def run(command, directory):
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          timeout=BUILD_SECONDS_MAX)
    if done.returncode != 0:
        sys.exit(f"error: {' '.join(command)} failed:\n{done.stdout[-6000:]}{done.stderr[-3000:]}")


def built():
    """The folder with the finished page, complete or absent."""
    target = node_packages.cache() / f"web-{key()}"
    if target.is_dir():
        return target
    packages = node_packages.installed(WEB)
    work = target.with_name(target.name + f".{hash(str(PROJECT)) & 0xffff:x}.partial")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    for path in inputs():
        copy = work / "web" / path.relative_to(WEB)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    (work / "web/node_modules").symlink_to(packages / "node_modules")
    run(["node_modules/.bin/tsc", "--noEmit"], work / "web")
    run(["node_modules/.bin/vite", "build", "--logLevel", "warn"], work / "web")
    try:
        (work / "web/dist").rename(target)
    except OSError:  # another build was first
        pass
    shutil.rmtree(work, ignore_errors=True)
    return target


def write_source(out, files):
    """files: {path in the browser: bytes}"""
    out.mkdir(parents=True, exist_ok=True)
    arrays, entries = [], []
    for number, (path, content) in enumerate(sorted(files.items())):
        for form, data in (("plain", content), ("gzip", gzip.compress(content, 9, mtime=0))):
            (out / f"asset_{number}.{form}").write_bytes(data)
            arrays.append(f"constexpr unsigned char {form}_{number}[] = {{\n#embed \"asset_{number}.{form}\"\n}};\n")
        kind = TYPES.get(pathlib.PurePath(path).suffix, TYPES[".html"])
        entries.append(f'      {{"{path}", "{kind}", text(plain_{number}), text(gzip_{number})}},\n')
    (out / "web_assets.cpp").write_text(SOURCE % {"arrays": "".join(arrays), "count": len(files), "entries": "".join(entries)})


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    out = pathlib.Path(sys.argv[1])
    try:
        folder = built()
        files = {"/" + str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
        files["/"] = files.pop("/index.html")
    except node_packages.Unavailable as reason:
        print(f"warning: the console gets no web page: {reason}", file=sys.stderr)
        files = {"/": WITHOUT.encode()}
    write_source(out, files)


if __name__ == "__main__":
    main()
