#!/usr/bin/env python3
"""A first user's path, timed from a root directory that holds nothing of ours: install, init, up, the first recorded call.

    tools/first_minutes.py build/release/understudy-0.1.0-linux-amd64.tar.gz [--demo] [--root DIR]
    tools/first_minutes.py build/release/understudy_0.1.0_amd64.deb

The archive goes into a bare Debian bookworm (no compiler, no Python), the package by apt into a bare Debian forky. With --demo,
`understudy demo` runs there, too. The LLM is SIMULATED; everything else is what a user gets. Needs root (mmdebstrap, chroot);
a root given by --root is used as it is and kept. Prints seconds per step; exit code 1 where the bar is missed.
"""

import argparse
import contextlib
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time

SECONDS_MAX = 120  # from the install to the first recorded call
STEP_SECONDS_MAX = 300
DEMO_SECONDS_MAX = 600
HOME = "/root/understudy"
ANSWER = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "simulated",
          "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}],
          "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}}
# What curl would do: a bare root has none.
CALL = """exec 3<>/dev/tcp/127.0.0.1/$1
body='{"model":"m","messages":[{"role":"user","content":"Say hello."}]}'
printf 'POST /v1/chat/completions HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\nConnection: close\\r\\nContent-Type: application/json\\r\\nContent-Length: %s\\r\\n\\r\\n%s' "${#body}" "$body" >&3
cat <&3"""


class SimulatedLlm(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps(ANSWER).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def simulated_llm():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), SimulatedLlm)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()


def archive_of_packages():
    """The Debian archive that this machine's apt uses."""
    lines = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(ORIGIN) $(COMPONENT) $(CODENAME)"],
                           check=True, capture_output=True, text=True).stdout.splitlines()
    for uri, origin, component, codename in (line.split() for line in lines if len(line.split()) == 4):
        if (origin, component) == ("Debian", "main") and not any(word in codename for word in ("security", "updates", "backports")):
            return os.environ.get("UNDERSTUDY_MIRROR", uri)
    sys.exit("first_minutes: apt names no Debian archive on this machine; set UNDERSTUDY_MIRROR to one")


class Root:
    """A root directory to run commands in, in mount and process namespaces that end with them."""

    def __init__(self, directory):
        self.directory = directory

    def make(self, suite, variant):
        # Its lists of packages stay, so that the package's installation is timed and not the archive's lists.
        done = subprocess.run(["unshare", "--mount", "--", "mmdebstrap", f"--variant={variant}", "--skip=cleanup/apt/lists",
                               "--aptopt=Acquire::Check-Valid-Until \"false\"", suite, self.directory, archive_of_packages()],
                              capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"first_minutes: no root was made:\n{done.stderr[-3000:]}")

    def command(self, *words):
        inside = 'mount --bind /proc "$1/proc" && mount --rbind /dev "$1/dev" && root=$1 && shift && exec chroot "$root" "$@"'
        return ["unshare", "--mount", "--", "sh", "-c", inside, "sh", str(self.directory), "/usr/bin/env", "-i",
                "PATH=/opt/understudy/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", f"UNDERSTUDY_HOME={HOME}", "LC_ALL=C.UTF-8",
                "DEBIAN_FRONTEND=noninteractive", *map(str, words)]

    def run(self, *words, seconds=STEP_SECONDS_MAX):
        done = subprocess.run(self.command(*words), capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=seconds)
        if done.returncode != 0:
            sys.exit(f"first_minutes: {' '.join(map(str, words))}: exit code {done.returncode}\n{done.stderr[-3000:]}{done.stdout[-2000:]}")
        return done.stdout

    def has(self, program):
        return subprocess.run(self.command("sh", "-c", f"command -v {program}"), capture_output=True).returncode == 0


class Steps:
    def __init__(self):
        self.taken = {}

    @contextlib.contextmanager
    def step(self, name):
        begun = time.monotonic()
        yield
        self.taken[name] = time.monotonic() - begun
        print(f"  {name:<24}{self.taken[name]:7.2f} s", flush=True)


def install(root, file):
    inside = root.directory / "root" / file.name
    shutil.copy(file, inside)
    if file.suffix == ".deb":
        root.run("apt-get", "install", "-y", "-qq", "--no-install-recommends", f"/root/{file.name}")
    else:
        (root.directory / "opt/understudy").mkdir(parents=True, exist_ok=True)
        root.run("tar", "--extract", "--gzip", "--file", f"/root/{file.name}", "--directory", "/opt/understudy", "--strip-components=1")
    inside.unlink()


def recorded_calls(root):
    return json.loads(root.run("understudy", "log", "stat", "--json"))["calls"]


def walk(root, file, steps):
    """From the install to the first recorded call."""
    with steps.step("install"):
        install(root, file)
    with simulated_llm() as upstream, contextlib.ExitStack() as ending:
        with steps.step("init"):
            root.run("understudy", "init", "--upstream", upstream, "--listen", "127.0.0.1:0")
        with steps.step("up"):
            up = ending.enter_context(subprocess.Popen(root.command("understudy", "up", "--console", "127.0.0.1:0", "--json"),
                                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                                       text=True))
            ending.callback(up.terminate)
            addresses = {}
            while not {"gateway", "console"} <= addresses.keys():
                line = up.stdout.readline()
                if not line:
                    sys.exit(f"first_minutes: `understudy up` ended with code {up.wait()}")
                addresses.update(json.loads(line))
        with steps.step("the first recorded call"):
            answer = root.run("bash", "-c", CALL, "bash", addresses["gateway"].rpartition(":")[2])
            if " 200 " not in answer.splitlines()[0] or "Hello." not in answer:
                sys.exit(f"first_minutes: the call failed:\n{answer}")
            while recorded_calls(root) < 1:
                if up.poll() is not None:
                    sys.exit("first_minutes: the gateway ended before it recorded the call")
                time.sleep(0.05)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=pathlib.Path, help="the portable archive, or the Debian package")
    parser.add_argument("--root", type=pathlib.Path, help="a root directory to use instead of a new one")
    parser.add_argument("--demo", action="store_true", help="run the whole demo there as well")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("first_minutes: only root may enter another root directory")
    if not options.file.is_file():
        sys.exit(f"first_minutes: {options.file} is not there; ./dev release makes it")
    work = pathlib.Path(tempfile.mkdtemp(prefix="understudy-first-"))
    try:
        root = Root(options.root or work / "root")
        steps = Steps()
        package = options.file.suffix == ".deb"
        if not options.root:
            print(f"making a bare {'forky' if package else 'bookworm'} (not counted)", flush=True)
            root.make("forky" if package else "bookworm", "apt" if package else "minbase")
        for program in ("g++", "gcc", "understudy"):
            if root.has(program):
                sys.exit(f"first_minutes: this root is not clean: it has {program}")
        walk(root, options.file, steps)
        seconds = sum(steps.taken.values())
        print(f"  {'in all':<24}{seconds:7.2f} s (the bar: {SECONDS_MAX} s)")
        if options.demo:
            with steps.step("the demo"):
                result = json.loads(root.run("understudy", "demo", "--json", "--directory", "/root/tour", seconds=DEMO_SECONDS_MAX))
            print("  the demo's bars: " + ", ".join(f"{name}: {'met' if met else 'MISSED'}" for name, met in result["bar"].items()))
            if not all(result["bar"].values()):
                sys.exit(1)
        sys.exit(0 if seconds < SECONDS_MAX else 1)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
