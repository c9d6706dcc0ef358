"""What `./dev bench gateway` compares, each started once and measured in turn: the mock upstream itself, nginx, Portkey
from npm, and Understudy with capture off, async and durable."""

import dataclasses
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time

import harness
import machine

sys.path.insert(0, str(machine.PROJECT / "tools"))
import node_packages  # noqa: E402  (the path is set above)

START_SECONDS_MAX = 60
CAPTURE_MODES = ("off", "async", "durable")

NGINX = """
worker_processes auto;
pid {directory}/nginx.pid;
error_log {directory}/nginx.log error;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy; fastcgi_temp_path {directory}/f;
  uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s;
  client_body_buffer_size 64k;
  keepalive_requests 100000000;
  upstream mock {{ server 127.0.0.1:{upstream}; keepalive 1024; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://mock;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }}
  }}
}}
"""


@dataclasses.dataclass
class System:
    name: str
    port: int
    pid: int
    headers: str = ""  # further request headers, each with \r\n
    home: pathlib.Path | None = None


def wait_for_port(port, process, log):
    deadline = time.monotonic() + START_SECONDS_MAX
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise harness.Failure(f"{process.args[0]} does not listen:\n{log.read_text()[-2000:]}") from None
            time.sleep(0.02)


def load_tool(program):
    path = pathlib.Path(program).resolve().parent / "understudy-load"
    if not path.exists():
        raise harness.Failure(f"{path} is not there; build it first: ./dev build --target understudy-load")
    return path


class Systems:
    """Owner of all processes of the bench; leaving its `with` block ends them."""

    def __init__(self, program, directory):
        self.program, self.directory = program, pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.children = harness.Children(self.directory / "children")
        self.processes = []
        self.notes = []

    def __enter__(self):
        self.children.__enter__()
        return self

    def __exit__(self, *_):
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
        self.children.__exit__()

    def launch(self, name, command, port, environment=None):
        log = self.directory / f"{name}.log"
        with open(log, "wb") as output:
            process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                       env={**os.environ, **(environment or {})})
        self.processes.append(process)
        wait_for_port(port, process, log)
        return process.pid

    def mock(self, *words):
        child = self.children.start("mock", [load_tool(self.program.path), "upstream", *words])
        return System("direct", int(child.url.rpartition(":")[2]), child.process.pid)

    def nginx(self, upstream):
        directory, port = self.directory / "nginx", harness.free_port()
        directory.mkdir()
        config = directory / "nginx.conf"
        config.write_text(NGINX.format(directory=directory, upstream=upstream, port=port))
        return System("nginx", port, self.launch("nginx", ["nginx", "-c", config, "-p", directory, "-e",
                                                           directory / "start.log", "-g", "daemon off;"], port))

    def portkey(self, upstream):
        """None where npm's registry is out of reach."""
        try:
            packages = node_packages.installed(machine.PROJECT / "bench/portkey")
        except node_packages.Unavailable as reason:
            self.notes.append(f"Portkey is not measured: {reason}")
            return None
        port = harness.free_port()
        script = packages / "node_modules/@portkey-ai/gateway/build/start-server.js"
        pid = self.launch("portkey", ["node", script, "--headless", f"--port={port}"], port,
                          {"TRUSTED_CUSTOM_HOSTS": "127.0.0.1,localhost", "NODE_ENV": "production"})
        return System("portkey", port, pid, "x-portkey-provider: openai\r\n"
                      f"x-portkey-custom-host: http://127.0.0.1:{upstream}/v1\r\n")

    def serve_words(self, mode, upstream, directory):
        """How this program is told to capture in `mode`; None: it cannot be."""
        url = f"http://127.0.0.1:{upstream}/v1"
        known = subprocess.run([self.program.path, "serve", "--help"], capture_output=True, text=True).stdout
        if "--capture" in known:
            return ["serve", "--listen", "127.0.0.1:0", "--upstream", url, "--capture", mode]
        if "--config" in known:
            config = directory / "understudy.toml"
            config.write_text(f'listen = "127.0.0.1:0"\n[[upstream]]\nurl = "{url}"\n[capture]\nmode = "{mode}"\n')
            return ["serve", "--config", config]
        return ["serve", "--listen", "127.0.0.1:0", "--upstream", url] if mode == "async" else None

    def understudy(self, mode, upstream, name=None, home=None, environment=None):
        """None where this program knows no such mode."""
        name = name or f"understudy {mode}"
        directory = self.directory / name.replace(" ", "-")
        directory.mkdir()
        own = harness.Program(self.program.path, home or directory / "home")
        words = self.serve_words(mode, upstream, directory)
        if words is None:
            self.notes.append(f"{name} is not measured: this program's `serve` has no --capture and no --config")
            return None
        own.text("keys", "init")
        child = self.children.start(name.replace(" ", "-"), own.command(*words), environment)
        return System(name, int(child.url.rpartition(":")[2]), child.process.pid, home=own.home)

    def compared(self, wanted):
        """Those of `wanted` that can run here; the mock upstream ("direct") is always the first. Each has an upstream of
        its own: which of a mock's threads the next connection goes to hangs on the ones before."""
        systems = [self.mock()]
        for name in wanted:
            upstream = self.mock().port
            if name in CAPTURE_MODES:
                systems.append(self.understudy(name, upstream))
            elif name in ("nginx", "portkey"):
                systems.append(getattr(self, name)(upstream))
            else:
                raise harness.Failure(f"there is no system {name!r} to compare")
        return [system for system in systems if system]


def drop_log(system):
    """Removes what a finished round has recorded, so that a long bench fits any disk. The open segment stays open."""
    if system.home and (system.home / "log").is_dir():
        segments = sorted((system.home / "log").glob("*.sealed"), key=lambda path: path.stat().st_mtime)
        for path in segments[:-1]:
            path.unlink()


def file_system_of(path):
    """What holds the log: figures from a tmpfs say nothing about a disk."""
    best = ("", "unknown")
    for line in pathlib.Path("/proc/mounts").read_text().splitlines():
        _, where, kind = line.split()[:3]
        if (str(path) + "/").startswith(where.rstrip("/") + "/") and len(where) >= len(best[0]):
            best = (where, kind)
    return f"{best[1]} ({best[0]}), {shutil.disk_usage(path).free / 2**30:.0f} GiB free"
