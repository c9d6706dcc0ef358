#!/usr/bin/env python3
"""Builds the container image where there is no container daemon, with buildah (Debian has it), and tries it:

    tools/build_image.py [--tag understudy] [--preset release] [--check-only]

Where no image debian:forky is here, one is made by mmdebstrap from the archive that this machine's apt uses, so no registry of images is
asked. The compiler cache and npm's settings of this machine are shown to the build (never copied). Then a container of the image makes
its keys, serves, and records one call of a SIMULATED LLM. Needs root; `docker build .` makes the same image on machines with Docker.
"""

import argparse
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import first_minutes

PROJECT = pathlib.Path(__file__).resolve().parent.parent
CACHE = pathlib.Path(os.environ.get("UNDERSTUDY_CACHE") or pathlib.Path.home() / ".cache/understudy")
BASE = "debian:forky"
PROGRAM = "/opt/understudy/bin/understudy"
PORT = 18080
START_SECONDS_MAX = 30


def buildah(*words, **options):
    return subprocess.run(["buildah", *map(str, words)], check=True, text=True, **options)


def make_base():
    if subprocess.run(["buildah", "inspect", "--type", "image", BASE], capture_output=True).returncode == 0:
        return
    with tempfile.TemporaryDirectory(prefix="understudy-base-") as work:
        root = pathlib.Path(work)
        print(f"making {BASE}", flush=True)
        subprocess.run(["unshare", "--mount", "--", "mmdebstrap", "--variant=minbase", "--aptopt=Acquire::Check-Valid-Until \"false\"", "forky",
                        root / "base.tar", first_minutes.archive_of_packages()], check=True, stderr=subprocess.DEVNULL)
        (root / "Containerfile").write_text("FROM scratch\nADD base.tar /\nCMD [\"bash\"]\n")
        buildah("bud", "--isolation", "chroot", "--tag", BASE, root, stdout=subprocess.DEVNULL)


def shown_to_the_build():
    """Options that show this machine's compiler cache and npm settings; the Dockerfile's ARGs name them there."""
    cache = CACHE / "ccache"
    cache.mkdir(parents=True, exist_ok=True)
    words = ["--volume", f"{cache}:/host/ccache", "--build-arg", "CCACHE_DIR=/host/ccache"]
    for setting, arguments in {"userconfig": ["NPM_CONFIG_USERCONFIG"], "globalconfig": ["NPM_CONFIG_GLOBALCONFIG"],
                               "cafile": ["NPM_CONFIG_CAFILE", "NODE_EXTRA_CA_CERTS"]}.items():
        if not shutil.which("npm"):
            break
        path = subprocess.run(["npm", "config", "get", setting], capture_output=True, text=True, cwd="/").stdout.strip()
        if path and pathlib.Path(path).is_file():
            words += ["--volume", f"{path}:/host/{setting}:ro"]
            for argument in arguments:
                words += ["--build-arg", f"{argument}=/host/{setting}"]
    return words


def build(tag, preset):
    begun = time.monotonic()
    buildah("bud", "--isolation", "chroot", "--layers", "--tag", tag, "--build-arg", f"PRESET={preset}", *shown_to_the_build(), PROJECT)
    print(f"the image was built in {time.monotonic() - begun:.0f} s", flush=True)


class Container:
    """Its home is the volume that the Dockerfile names: it lasts as long as the container."""

    def __init__(self, tag):
        self.name = buildah("from", "--pull-never", tag, stdout=subprocess.PIPE).stdout.strip()
        self.words = ["buildah", "run", "--isolation", "chroot", self.name, "--", PROGRAM]

    def run(self, *words):
        return subprocess.run([*self.words, *words], check=True, stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL).stdout

    def start(self, *words):
        return subprocess.Popen([*self.words, *words], stdin=subprocess.DEVNULL)

    def remove(self):
        buildah("rm", self.name, stdout=subprocess.DEVNULL)


def answer_to(request):
    """What the gateway answers as soon as it listens."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while True:
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.read().decode()
        except (ConnectionError, urllib.error.URLError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def check(tag):
    with contextlib.ExitStack() as ending:
        container = Container(tag)
        ending.callback(container.remove)
        print(container.run("--version").strip(), flush=True)
        container.run("keys", "init")
        upstream = ending.enter_context(first_minutes.simulated_llm())
        gateway = container.start("serve", "--upstream", upstream, "--listen", f"127.0.0.1:{PORT}")
        ending.callback(gateway.wait)
        ending.callback(gateway.terminate)
        body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "Say hello."}]}).encode()
        answer = answer_to(urllib.request.Request(f"http://127.0.0.1:{PORT}/v1/chat/completions", body, {"Content-Type": "application/json"}))
        assert "Hello." in answer, answer
        deadline = time.monotonic() + START_SECONDS_MAX
        while json.loads(container.run("log", "stat", "--json"))["calls"] != 1:
            if time.monotonic() > deadline:
                sys.exit("build_image: the call was not recorded")
        assert json.loads(container.run("doctor", "--offline", "--json"))["sound"]
        print(f"{tag}: made its keys, served, recorded one call, and is sound")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tag", default="understudy")
    parser.add_argument("--preset", default="release", help="of CMakePresets.json")
    parser.add_argument("--check-only", action="store_true", help="try the image that is here")
    options = parser.parse_args()
    if os.geteuid() != 0 or not shutil.which("buildah"):
        sys.exit("build_image: needs root and buildah (`apt-get install buildah`)")
    if not options.check_only:
        make_base()
        build(options.tag, options.preset)
    check(options.tag)


if __name__ == "__main__":
    main()
