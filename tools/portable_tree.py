#!/usr/bin/env python3
"""Makes the portable tree: Understudy with every library that it needs down to the C library, so that it runs on any
Linux of this processor, wherever it is unpacked. Run inside forky, after a build:

    tools/portable_tree.py --build build/release --output build/release/understudy-0.1.0-linux-amd64 [--archive FILE.tar.gz]

    bin/                    links to the programs for people
    lib/understudy/         launchers (src/apps/portable_launcher.cpp), and the shared objects that the programs open
    lib/understudy/elf/     the programs: ours, llama.cpp's, and python3, which only the demo's SIMULATED agents need
    lib/understudy/shared/  the dynamic loader, the libraries, ggml's code for each kind of processor
    lib/pythonX.Y/          what the demo's scripts import
    share/doc/              the licence of each Debian package that files were taken from
"""

import argparse
import concurrent.futures
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile

import portable_check

PROJECT = pathlib.Path(__file__).resolve().parent.parent
LLAMA_PROGRAMS = ("llama-server", "llama-quantize", "llama-bench")
PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
PYTHON_LEFT_OUT = ("test", "idlelib", "tkinter", "turtledemo", "ensurepip", "pydoc_data", "__pycache__", "config-*",
                   "dist-packages", "EXTERNALLY-MANAGED", "_pyrepl", "lib2to3")
DEMO_MODULES = ("demo", "simulated_upstream", "clinc150")


def run(*words):
    return subprocess.run(list(map(str, words)), check=True, stdout=subprocess.PIPE, text=True).stdout


def libraries_of(path):
    """{name as the loader asks for it: file}, of everything that `path` needs, its needs' needs included."""
    found = {}
    for line in run("ldd", path).splitlines():
        words = line.split()
        if "not found" in line:
            raise SystemExit(f"portable_tree: {path} needs {words[0]}, which is not installed")
        if "=>" in words and words[-1].startswith("("):
            found[words[0]] = pathlib.Path(words[2])
        elif words and words[0].startswith("/"):
            found[pathlib.Path(words[0]).name] = pathlib.Path(words[0])
    return found


def ggml_backends():
    """libggml opens its code for the processor at run time, so no ldd shows it."""
    backends = sorted(pathlib.Path("/usr/lib").glob("*/ggml/backends*/libggml-cpu-*.so"))
    if not backends:
        raise SystemExit("portable_tree: no ggml backend is installed; packages.txt names llama.cpp-tools")
    return backends


def demo_packages():
    """Top-level modules outside the standard library that the demo's scripts import, and their files."""
    code = ("import sys; sys.path.insert(0, 'examples')\n" + "\n".join(f"import {m}" for m in DEMO_MODULES) +
            "\nfor name, module in list(sys.modules.items()):\n"
            "    file = getattr(module, '__file__', None) or ''\n"
            "    if '.' not in name and 'dist-packages' in file: print(file)")
    files = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True, cwd=PROJECT).stdout
    for file in map(pathlib.Path, files.split()):
        if file.parent.name != "_distutils_hack":
            yield file.parent if file.name.startswith("__init__.") else file


class Tree:
    def __init__(self, output):
        self.output = output
        self.programs = output / "lib/understudy"
        self.elf, self.shared = self.programs / "elf", self.programs / "shared"
        self.taken = set()  # files of Debian packages

    def install(self, build):
        run("cmake", "--install", build, "--prefix", self.output, "--strip")
        shutil.rmtree(self.output / "lib/systemd")  # for the package: it names /usr
        self.elf.mkdir()
        self.shared.mkdir()
        for path in list(self.programs.iterdir()):
            if path.is_file() and path.suffix != ".so":
                path.rename(self.elf / path.name)

    def take(self, source, target):
        shutil.copy2(source.resolve(), target)
        self.taken.add(source.resolve())

    def take_python(self):
        library = self.output / "lib" / PYTHON
        shutil.copytree(f"/usr/lib/{PYTHON}", library, ignore=shutil.ignore_patterns(*PYTHON_LEFT_OUT))
        for package in demo_packages():
            if package.is_dir():
                shutil.copytree(package, library / package.name, ignore=shutil.ignore_patterns("__pycache__", "tests"))
            else:
                shutil.copy2(package, library)
            self.taken.add(package / "__init__.py" if package.is_dir() else package)
        self.taken.add(pathlib.Path(f"/usr/lib/{PYTHON}/os.py"))
        self.take(pathlib.Path(f"/usr/bin/{PYTHON}"), self.elf / "python3")

    def take_programs(self):
        for name in LLAMA_PROGRAMS:
            self.take(pathlib.Path("/usr/bin") / name, self.elf / name)
        for backend in ggml_backends():
            self.take(backend, self.shared / backend.name)

    def take_libraries(self):
        # As built or as installed: a stripped copy in a new place would no longer find its own neighbours.
        needing = [path for path in self.output.rglob("*") if portable_check.is_elf(path)]
        with concurrent.futures.ThreadPoolExecutor() as pool:
            for libraries in pool.map(libraries_of, needing):
                for name, file in libraries.items():
                    if not (self.shared / name).exists():
                        self.take(file, self.shared / name)

    def add_launchers(self, launcher):
        for program in self.elf.iterdir():
            shutil.copy2(launcher, self.programs / program.name)
            run("strip", self.programs / program.name)

    def add_licences(self):
        names = run("dpkg-query", "--search", *sorted(map(str, self.taken)))
        for package in sorted({re.split("[:,]", line)[0] for line in names.splitlines()}):
            licence = pathlib.Path("/usr/share/doc") / package / "copyright"
            if licence.exists():
                (self.output / "share/doc" / package).mkdir(parents=True, exist_ok=True)
                shutil.copy2(licence.resolve(), self.output / "share/doc" / package / "copyright")


def archive(output, file):
    def as_root(entry):
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        return entry
    partial = file.with_name(file.name + ".partial")
    with tarfile.open(partial, "w:gz", compresslevel=6) as tar:
        tar.add(output, output.name, filter=as_root)
    partial.rename(file)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--output", type=pathlib.Path, required=True, help="a directory to make; an old one is replaced")
    parser.add_argument("--archive", type=pathlib.Path, help="also pack it into this .tar.gz")
    options = parser.parse_args()
    output = options.output.resolve()
    if output.exists():
        if not (output / "lib/understudy").exists():
            parser.error(f"{output} exists and is no portable tree")
        shutil.rmtree(output)
    tree = Tree(output)
    tree.install(options.build)
    tree.take_programs()
    tree.take_python()
    tree.take_libraries()
    tree.add_launchers(options.build / "bin/portable-launcher")
    certificates = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
    if certificates.exists():
        shutil.copy2(certificates, output / "share/understudy")
    tree.add_licences()
    found, summary = portable_check.findings(output)
    if found:
        raise SystemExit("\n".join(f"portable_tree: {line}" for line in found))
    print(summary)
    if options.archive:
        archive(output, options.archive)
    print(f"{options.archive or output}: "
          f"{sum(p.stat().st_size for p in output.rglob('*') if p.is_file() and not p.is_symlink()) / 2**20:.0f} MiB unpacked" +
          (f", {options.archive.stat().st_size / 2**20:.0f} MiB packed" if options.archive else ""))


if __name__ == "__main__":
    main()
