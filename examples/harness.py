"""Runs the program, the gateway and the SIMULATED upstream from Python: shared by demo.py, bench/ and tests/e2e/.

A `Children` object owns every process that it starts; leaving its `with` block ends them, also after an error or
Ctrl-C. `send()` is a client that reads JSON and SSE answers like an OpenAI SDK would.
"""

import asyncio
import dataclasses
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time

import aiohttp

EXAMPLES = pathlib.Path(__file__).resolve().parent
PROJECT = EXAMPLES.parent
SHARED_DATA = PROJECT.parent / "shared/data"
START_SECONDS_MAX = 90
VERB_SECONDS_MAX = 900


def free_port():
    """One that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Failure(Exception):
    """Something that was asked for did not work; the message says what, for a person."""


class Program:
    """The built `understudy` with one home directory."""

    def __init__(self, program, home):
        self.path = pathlib.Path(program).resolve()
        self.home = pathlib.Path(home)
        self.running = set()
        if not os.access(self.path, os.X_OK):
            raise Failure(f"{self.path} is not there; build it first: ./dev build")

    def command(self, *words):
        return [str(self.path), "--home", str(self.home), *map(str, words)]

    def run(self, *words, environment=None):
        """The finished process, whatever its exit code."""
        process = subprocess.Popen(self.command(*words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})})
        self.running.add(process)
        try:
            output, errors = process.communicate(timeout=VERB_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            raise Failure(f"understudy {' '.join(map(str, words))}: still at work after {VERB_SECONDS_MAX} s") from None
        finally:
            self.running.discard(process)
            if process.poll() is None:
                process.terminate()
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    def stop(self):
        """Ends the verbs that other threads of this script run."""
        for process in list(self.running):
            process.terminate()

    def text(self, *words, environment=None):
        done = self.run(*words, environment=environment)
        if done.returncode != 0:
            raise Failure(f"understudy {' '.join(map(str, words))}: exit code {done.returncode}\n{done.stderr.strip()}")
        return done.stdout

    def json(self, *words, environment=None):
        return json.loads(self.text(*words, "--json", environment=environment))

    def logged_calls(self, *words):
        """The records of the call log, oldest first; None where this program cannot list them."""
        if "cat" not in self.run("log", "--help").stdout:
            return None
        text = self.text("log", "cat", "--json", *words)
        if text.lstrip().startswith("["):
            return json.loads(text)
        return [json.loads(line) for line in text.splitlines() if line.strip()]

    def assignments(self):
        """{call id: task id or None}"""
        lines = self.text("export", "assignments").splitlines()
        return {entry["call_id"]: entry["task_id"] for entry in map(json.loads, lines)}


@dataclasses.dataclass
class Child:
    process: subprocess.Popen
    url: str
    log: pathlib.Path

    def log_text(self):
        return self.log.read_text(errors="replace")

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout=30)


class Children:
    """Owner of the child processes; their logs and port files lie in `directory`."""

    def __init__(self, directory=None):
        self.directory = pathlib.Path(directory or tempfile.mkdtemp(prefix="understudy-"))
        self.directory.mkdir(parents=True, exist_ok=True)
        self.children = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for child in self.children:
            if child.process.poll() is None:
                child.process.terminate()
        for child in self.children:
            try:
                child.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                child.process.kill()

    def start(self, name, command, environment=None):
        """Starts a server that writes its port to a file, and waits until it did."""
        number = len(self.children)
        port_file, log = self.directory / f"{name}-{number}.port", self.directory / f"{name}-{number}.log"
        port_file.unlink(missing_ok=True)
        with open(log, "wb") as output:
            process = subprocess.Popen([*map(str, command), "--port-file", str(port_file)], stdin=subprocess.DEVNULL,
                                       stdout=output, stderr=output, env={**os.environ, **(environment or {})})
        child = Child(process, "", log)
        self.children.append(child)
        deadline = time.monotonic() + START_SECONDS_MAX
        while not (port_file.exists() and port_file.read_text().strip()):
            if process.poll() is not None or time.monotonic() > deadline:
                raise Failure(f"{name} did not start; its log says:\n{child.log_text()[-2000:]}")
            time.sleep(0.02)
        child.url = f"http://127.0.0.1:{int(port_file.read_text())}"
        return child

    def upstream(self, *words):
        return self.start("simulated-upstream", [sys.executable, EXAMPLES / "simulated_upstream.py", *words])

    def gateway(self, program, upstream_url, *words, environment=None):
        return self.start("gateway", program.command("serve", "--listen", "127.0.0.1:0", "--upstream",
                                                     upstream_url + "/v1", *words), environment)


@dataclasses.dataclass
class Reply:
    """What came back for one request. `message` is None when there was no whole answer; `error` says why."""
    status: int = 0
    message: dict | None = None
    finish_reason: str | None = None
    usage: dict | None = None
    headers: dict = dataclasses.field(default_factory=dict)
    error: str = ""
    seconds: float = 0
    whole: bool = False  # JSON complete, or the stream ended with [DONE]

    @property
    def call_id(self):
        return self.headers.get("x-understudy-call", "")

    @property
    def served_by(self):
        return self.headers.get("x-understudy-served-by", "")

    @property
    def reason(self):
        return self.headers.get("x-understudy-reason", "")


def add_chunk(reply, chunk):
    """Adds one chat.completion.chunk to the reply's message."""
    reply.usage = chunk.get("usage") or reply.usage
    for choice in chunk.get("choices", []):
        reply.finish_reason = choice.get("finish_reason") or reply.finish_reason
        delta = choice.get("delta", {})
        message = reply.message = reply.message or {"role": "assistant", "content": ""}
        message["content"] += delta.get("content") or ""
        for part in delta.get("tool_calls") or []:
            calls = message.setdefault("tool_calls", [])
            while len(calls) <= part["index"]:
                calls.append({"id": "", "type": "function", "function": {"name": "", "arguments": ""}})
            call, function = calls[part["index"]], part.get("function", {})
            call["id"] = part.get("id") or call["id"]
            call["function"]["name"] += function.get("name") or ""
            call["function"]["arguments"] += function.get("arguments") or ""


async def read_stream(response, reply):
    async for line in response.content:
        line = line.strip()
        if not line.startswith(b"data:"):
            continue
        data = line[5:].strip()
        if data == b"[DONE]":
            reply.whole = True
            continue
        event = json.loads(data)
        if event.get("error"):
            reply.error = json.dumps(event["error"])
            continue
        add_chunk(reply, event)


async def ask(client, url, request, session="", headers=None):
    reply, started = Reply(), time.perf_counter()
    sent = {**({"x-understudy-session": session} if session else {}), **(headers or {})}
    try:
        async with client.post(url + "/v1/chat/completions", json=request, headers=sent) as response:
            reply.status, reply.headers = response.status, {k.lower(): v for k, v in response.headers.items()}
            if "text/event-stream" in response.headers.get("Content-Type", ""):
                await read_stream(response, reply)
            else:
                body = await response.json(content_type=None)
                reply.whole, reply.usage = True, body.get("usage")
                if body.get("error"):
                    reply.error = json.dumps(body["error"])
                else:
                    reply.message = body["choices"][0]["message"]
                    reply.finish_reason = body["choices"][0].get("finish_reason")
    except (aiohttp.ClientError, asyncio.TimeoutError, ValueError, KeyError, OSError) as error:
        reply.error = f"{type(error).__name__}: {error}"
        reply.whole = False
    reply.seconds = time.perf_counter() - started
    return reply


async def send_all(url, calls, concurrency, stream_share, progress):
    """The replies, in the order of `calls` (things with .request and .session)."""
    replies, queue, rng = [None] * len(calls), iter(enumerate(calls)), random.Random(7)
    done = 0
    connector = aiohttp.TCPConnector(limit=concurrency)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=300)) as client:
        async def work():
            nonlocal done
            for number, call in queue:
                request = call.request
                if rng.random() < stream_share:
                    request = {**request, "stream": True, "stream_options": {"include_usage": True}}
                replies[number] = await ask(client, url, request, call.session)
                done += 1
                if progress:
                    progress(done, len(calls))
        await asyncio.gather(*(work() for _ in range(min(concurrency, len(calls)))))
    return replies


def send(url, calls, concurrency=64, stream_share=0.0, progress=None):
    return asyncio.run(send_all(url, list(calls), concurrency, stream_share, progress))


@dataclasses.dataclass
class PlainCall:
    """A request with nothing known about its answer."""
    request: dict
    session: str = ""


def get_json(url):
    async def get():
        async with aiohttp.ClientSession() as client, client.get(url) as response:
            return await response.json(content_type=None)
    return asyncio.run(get())


def median(values):
    ordered = sorted(values)
    return ordered[len(ordered) // 2] if ordered else 0.0
