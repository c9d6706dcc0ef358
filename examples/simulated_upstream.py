#!/usr/bin/env python3
"""A SIMULATED LLM behind the OpenAI and Anthropic APIs, for demos, tests and benchmarks. It is no model.

  simulated_upstream.py oracle                  answers the scripted agents of examples/agents.py
  simulated_upstream.py replay FILE...          answers from recorded calls (JSONL, plain or gzip): the same messages
                                                and tools get the recorded response, anything else a 404
  simulated_upstream.py script                  answers anything: text, tool calls, structured output, thinking

  POST /v1/chat/completions  /v1/completions  /v1/responses  /v1/embeddings  /v1/messages (+ /count_tokens)
                              JSON, or SSE with "stream": true
  GET /v1/models   POST /v1/files   any other /v1 path says what it received
  GET /simulated/statistics   how many requests came, how many faults were made

Faults (--fault, repeatable; RATE is a share of the calls, 1 without it):
  status=CODE:RATE    an error answer (429 and 503 with Retry-After)      reset:RATE       the connection is reset
  cut:RATE            a stream or body breaks off in the middle           no_done:RATE     a stream without its end mark
  malformed:RATE      a chunk or body that is no JSON                     silent:RATE      no answer at all
  stall=SECONDS:RATE  a pause in the middle of the answer                 slow=SECONDS:RATE  a late first token

A model named `sim/KEY=VALUE,...` makes its own faults: see BEHAVIOUR in simulated_script.py.
"""

import argparse
import asyncio
import dataclasses
import email
import gzip
import hashlib
import json
import os
import pathlib
import random
import signal
import socket
import struct
import sys
import time

from aiohttp import web

import agents
import simulated_apis
import simulated_script

BODY_BYTES_MAX = 128 << 20
FAULTS = ("status", "cut", "malformed", "stall", "slow", "reset", "no_done", "silent")
MIDDLE = -1  # a frame number: half way
SHAPES = ("tag", "times", "flap", "tokens", "pause_ms", "newline", "split", "comments", "size", "odd", "no_usage",
          "header_bytes")  # what a behaviour keeps while its faults rest


def canonical(request):
    """What makes two requests the same call: messages and tools, whatever the order of keys."""
    return json.dumps({"messages": request.get("messages"), "tools": request.get("tools") or None},
                      sort_keys=True, ensure_ascii=False)


class Fault:
    """One --fault: KIND[=VALUE][:RATE]."""

    def __init__(self, text):
        head, _, rate = text.partition(":")
        self.kind, _, value = head.partition("=")
        if self.kind not in FAULTS:
            raise argparse.ArgumentTypeError(f"no such fault: {self.kind}; there are {', '.join(FAULTS)}")
        try:
            self.rate = float(rate) if rate else 1.0
            self.value = float(value) if value else {"status": 500, "stall": 30, "slow": 20}.get(self.kind, 0)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text}: wanted KIND=VALUE:RATE, for example status=500:0.01") from None

    def behaviour(self):
        if self.kind == "status":
            again = {"retry_after": 1} if self.value in (429, 503) else {}
            return {"status": int(self.value), **again}
        return {self.kind: MIDDLE if self.kind in ("cut", "malformed") else self.value}


def replay_table(files):
    """{canonical request: response} of recorded calls; the first recording of a request wins."""
    table = {}
    for path in files:
        with open(path, "rb") as probe:
            zipped = probe.read(2) == b"\x1f\x8b"
        with (gzip.open if zipped else open)(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                try:
                    call = json.loads(line)
                    table.setdefault(canonical(call["request"]), call["response"])
                except (ValueError, KeyError, TypeError) as error:
                    raise SystemExit(f"{path}:{number}: no recorded call ({error})") from None
    return table


@dataclasses.dataclass
class Seen:
    """One request as it arrived, byte for byte, and what became of it. Times are time.monotonic()."""
    method: str
    path: str
    headers: list
    peer: object
    arrived: float
    body: bytes = b""
    request: dict = dataclasses.field(default_factory=dict)
    sent: bytearray = dataclasses.field(default_factory=bytearray)  # the answer's body
    status: int = 0
    gone: float = 0  # when the peer had closed the connection before the answer's end; 0: it stayed
    done: float = 0

    def header(self, name):
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


class SimulatedLlm:
    """Owner of counters and of what was seen. `answerer` gives (message, finish reason, usage) or None."""

    def __init__(self, answerer, faults=(), seed=1, first_token_ms=0, tokens_per_s=0, keep_seen=False):
        self.answerer = answerer
        self.faults = faults
        self.first_token_ms, self.tokens_per_s = first_token_ms, tokens_per_s
        self.random = random.Random(seed)
        self.statistics = {"requests": 0, "streams": 0, "unknown": 0, "faults": 0}
        self.counts = {}  # {(host, model): requests}
        self.seen = [] if keep_seen else None

    def application(self):
        app = web.Application(client_max_size=BODY_BYTES_MAX)
        for api in simulated_apis.APIS:
            app.router.add_post(api.path, self.handler(api))
        app.router.add_post("/v1/messages/count_tokens", self.handler(simulated_apis.Messages, counting=True))
        app.router.add_get("/v1/models", self.models)
        app.router.add_post("/v1/files", self.files)
        app.router.add_get("/simulated/statistics", self.show_statistics)
        app.router.add_route("*", "/{rest:.*}", self.echo)
        return app

    def note(self, http):
        headers = [(key.decode("latin-1"), value.decode("latin-1")) for key, value in http.raw_headers]
        seen = Seen(http.method, http.raw_path, headers, http.transport.get_extra_info("peername"), time.monotonic())
        if self.seen is not None:
            self.seen.append(seen)
        return seen

    def handler(self, api, counting=False):
        async def handle(http):
            seen = self.note(http)
            try:
                response = await self.answer(http, api, seen, counting)
                seen.status, seen.done = response.status, time.monotonic()
                return response
            except asyncio.CancelledError:
                seen.gone = time.monotonic()
                raise
            except ConnectionError:
                seen.gone = time.monotonic()
                return web.Response()  # nobody reads it
        return handle

    def due(self, model, behaviour, host):
        """The behaviour for this request: its faults may be limited to some requests of the model."""
        count = self.counts[(host, model)] = self.counts.get((host, model), 0) + 1
        resting = "times" in behaviour and count > behaviour["times"]
        resting = resting or ("flap" in behaviour and (count - 1) // behaviour["flap"] % 2 == 1)
        return {key: value for key, value in behaviour.items() if not resting or key in SHAPES}

    async def answer(self, http, api, seen, counting):
        self.statistics["requests"] += 1
        seen.body = await http.read()
        try:
            request = seen.request = json.loads(seen.body)
        except (ValueError, RecursionError):
            return self.refusal(api, seen, 400, "The body is no JSON.")
        if not isinstance(request, dict) or api.required not in request or (
                api.required == "messages" and not isinstance(request["messages"], list)):
            return self.refusal(api, seen, 400, f"'{api.required}' is a required property.")
        model = request.get("model") or agents.MODEL
        behaviour = self.due(model, simulated_script.parse_behaviour(model), http.headers.get("Host"))
        for fault in self.faults:
            if self.random.random() < fault.rate:
                behaviour = {**behaviour, **fault.behaviour()}
                self.statistics["faults"] += 1
                break
        chat = api.to_chat(request)
        if counting:
            tokens = sum(simulated_script.tokens_in(json.dumps(part)) for part in chat["messages"])
            return self.json(seen, {"input_tokens": tokens})
        refused = await self.refuse(http, api, seen, chat, behaviour)
        if refused is not None:
            return refused
        answered = self.answerer(chat, behaviour) if not model.startswith("sim/") else (
            simulated_script.scripted(chat, behaviour))
        if answered is None:
            self.statistics["unknown"] += 1
            return self.refusal(api, seen, 404, "SIMULATED LLM: nobody scripted or recorded this request.",
                                code="not_recorded")
        if "no_usage" in behaviour:
            answered = (*answered[:2], None)
        call_id = f"simulated{self.random.getrandbits(64):016x}"
        await asyncio.sleep(self.first_token_ms / 1000)
        if request.get("stream") and hasattr(api, "frames") and api is not simulated_apis.Embeddings:
            self.statistics["streams"] += 1
            frames = api.frames(request, answered, call_id, model)
            return await self.send_stream(http, api, seen, frames, answered, behaviour)
        await asyncio.sleep(self.seconds_for(answered))
        return await self.send_body(http, seen, api.body(request, answered, call_id, model), behaviour)

    def refusal(self, api, seen, status, message, kind="invalid_request_error", code=None, retry_after=None):
        headers = {"Retry-After": f"{retry_after:g}"} if retry_after is not None else {}
        return self.json(seen, api.error(message, kind, code, status), status, headers)

    def json(self, seen, body, status=200, headers=None):
        seen.sent += json.dumps(body).encode()
        return web.Response(body=bytes(seen.sent), status=status, content_type="application/json",
                            headers={**self.headers(), **(headers or {})})

    def headers(self, behaviour=None):
        headers = {"x-request-id": f"req_{self.random.getrandbits(48):012x}", "openai-processing-ms": "7",
                   "x-ratelimit-remaining-requests": "41", "Cache-Control": "no-cache"}
        if (behaviour or {}).get("header_bytes"):
            headers["x-large"] = "x" * behaviour["header_bytes"]
        return headers

    async def refuse(self, http, api, seen, chat, behaviour):
        """What a behaviour does before anything is answered; None: go on."""
        await asyncio.sleep(behaviour.get("slow", 0))
        if behaviour.get("silent") == 0:
            await asyncio.sleep(3600)
        if behaviour.get("reset") == 0 or "garbage" in behaviour:
            if "garbage" in behaviour:
                http.transport.write(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
                await asyncio.sleep(0.01)
            reset(http.transport)
            return web.Response()
        if "status" in behaviour:
            status = behaviour["status"]
            kind = {401: "authentication_error", 429: "rate_limit_error"}.get(
                status, "server_error" if status >= 500 else "invalid_request_error")
            return self.refusal(api, seen, status, f"SIMULATED fault {status}", kind,
                                {429: "rate_limit_exceeded"}.get(status), behaviour.get("retry_after"))
        if "context_length" in behaviour:
            limit = behaviour["context_length"]
            if api is simulated_apis.Messages:
                return self.refusal(api, seen, 400, f"prompt is too long: {2 * limit} tokens > {limit} maximum")
            return self.refusal(api, seen, 400, f"This model's maximum context length is {limit} tokens. However, your "
                                f"messages resulted in {2 * limit} tokens.", code="context_length_exceeded")
        if behaviour.get("content_filter") == "400":
            return self.refusal(api, seen, 400, "The response was filtered due to the prompt triggering our content "
                                "management policy.", code="content_filter")
        if "refuse_prefill" in behaviour and chat["messages"][-1].get("role") == "assistant":
            return self.refusal(api, seen, 400, "the last message may not be the assistant's")
        return None

    def seconds_for(self, answered):
        tokens = (answered[2] or {}).get("completion_tokens") or 0
        return tokens / self.tokens_per_s if self.tokens_per_s else 0

    async def send_body(self, http, seen, tree, behaviour):
        body = (json.dumps(tree, ensure_ascii=False) if "odd" not in behaviour else
                "\n" + json.dumps({"x_unknown": {"deep": [1.50, -0.0, 1e3]}, **tree}, indent=1) + " \n").encode()
        if "malformed" in behaviour:
            body = body[:-9] + b"<oops>"
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **self.headers(behaviour)}
        response = web.StreamResponse(headers=headers)
        await response.prepare(http)
        broken = {"cut", "stall"} & set(behaviour)
        first = len(body) // 2 if broken else len(body)
        seen.sent += body[:first]
        await response.write(body[:first])
        if "cut" in behaviour:
            reset(http.transport)
        elif broken:
            await asyncio.sleep(behaviour["stall"])
            seen.sent += body[first:]
            await response.write(body[first:])
        return response

    async def send_stream(self, http, api, seen, frames, answered, behaviour):
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8",
                                               **self.headers(behaviour)})
        await response.prepare(http)
        if behaviour.get("reset") == 1:
            reset(http.transport)
            return response
        if behaviour.get("silent") == 1:
            await asyncio.sleep(3600)
        await asyncio.sleep(behaviour.get("first_token", 0))
        count = sum(frame.is_piece for frame in frames)
        after = {key: count // 2 if behaviour[key] == MIDDLE else behaviour[key]
                 for key in ("cut", "end", "malformed", "error_event", "vllm_error") if key in behaviour}
        pause = behaviour.get("pause_ms", 0) / 1000 or self.seconds_for(answered) / max(1, len(frames))
        sent = 0
        for number, frame in enumerate(frames):
            if number == 0 or frame.is_piece or frame.is_finish or frame.is_end:
                if await self.break_stream(http, api, seen, response, after, sent, behaviour):
                    return response
                if sent == count // 2 and "stall" in behaviour and frame.is_piece:
                    await asyncio.sleep(behaviour["stall"])
                sent += frame.is_piece
            if frame.is_end and "no_done" in behaviour:
                break
            await self.write(seen, response, encode(frame, behaviour), behaviour)
            if pause:
                await asyncio.sleep(pause)
        return response

    async def break_stream(self, http, api, seen, response, after, sent, behaviour):
        """Makes the fault that is due after `sent` pieces; True: the stream is over."""
        if after.get("malformed") == sent:
            after.pop("malformed")
            await self.write(seen, response, b'data: {"id": "oops\n\n', {})
        for key, data in (("error_event", api.error_frame("SIMULATED error in a stream")), (
                "vllm_error", simulated_apis.Frame({"object": "error", "message": "SIMULATED vLLM error",
                                                    "type": "InternalServerError", "param": None, "code": 500}))):
            if after.get(key) == sent:
                await self.write(seen, response, encode(data, behaviour), {})
                return True
        if after.get("cut") == sent:
            reset(http.transport)
            return True
        return after.get("end") == sent

    async def write(self, seen, response, data, behaviour):
        seen.sent += data
        size = behaviour.get("split") or len(data)
        for start in range(0, len(data), size):
            await response.write(data[start:start + size])
            if size < len(data):
                await asyncio.sleep(0)

    async def models(self, http):
        seen = self.note(http)
        if http.headers.get("anthropic-version"):
            return self.json(seen, {"data": [{"type": "model", "id": agents.MODEL, "display_name": "Simulated",
                                              "created_at": "2026-01-01T00:00:00Z"}],
                                    "has_more": False, "first_id": agents.MODEL, "last_id": agents.MODEL})
        return self.json(seen, {"object": "list", "data": [
            {"id": agents.MODEL, "object": "model", "created": 0, "owned_by": "simulated"}]})

    async def files(self, http):
        seen = self.note(http)
        seen.body = await http.read()
        form = email.message_from_bytes(b"Content-Type: " + http.headers["Content-Type"].encode() + b"\r\n\r\n" +
                                        seen.body)
        parts = {part.get_param("name", header="content-disposition"): part for part in form.get_payload()}
        return self.json(seen, {"id": "file-simulated", "object": "file", "created_at": 0, "status": "processed",
                                "bytes": len(parts["file"].get_payload(decode=True)),
                                "filename": parts["file"].get_filename(),
                                "purpose": parts["purpose"].get_payload(decode=True).decode()})

    async def echo(self, http):
        seen = self.note(http)
        seen.body = await http.read()
        return self.json(seen, {"object": "echo", "method": http.method, "path": http.raw_path,
                                "body_bytes": len(seen.body), "sha256": hashlib.sha256(seen.body).hexdigest()})

    async def show_statistics(self, _):
        return web.json_response(self.statistics)


def reset(transport):
    """Ends a connection as a crash does: RST, not FIN."""
    peer = transport.get_extra_info("socket")
    if peer is not None:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def encode(frame, behaviour):
    """A frame's bytes on the wire."""
    newline = {"crlf": "\r\n", "cr": "\r"}.get(behaviour.get("newline"), "\n")
    lines = [": SIMULATED comment"] if "comments" in behaviour else []
    if "odd" in behaviour:
        lines += ["id: 7", "retry: 15"]
    if frame.event:
        lines.append(f"event: {frame.event}")
    if isinstance(frame.data, str):
        lines.append(f"data: {frame.data}")
    elif "odd" in behaviour:  # several data lines, each without the space that may follow the colon
        text = json.dumps({"x_unknown": [1.50, "é"], **frame.data}, indent=1, separators=(" ,", " : "))
        lines += ["data:" + line for line in text.splitlines()]
    else:
        lines.append("data: " + json.dumps(frame.data, ensure_ascii=False))
    return (newline.join(lines) + 2 * newline).encode()


def oracle(chat, _):
    message = agents.oracle(chat)
    if message is None:
        return None
    written = (message.get("content") or "") + json.dumps(message.get("tool_calls") or "")
    finish = "tool_calls" if message.get("tool_calls") else "stop"
    return {"role": "assistant", **message}, finish, simulated_script.usage_of(chat, written)


def replayer(table):
    def replay(chat, _):
        recorded = table.get(canonical(chat))
        if not recorded or not recorded.get("choices"):
            return None
        choice = recorded["choices"][0]
        message = {"role": "assistant", **choice["message"]}
        finish = choice.get("finish_reason") or ("tool_calls" if message.get("tool_calls") else "stop")
        usage = recorded.get("usage") or simulated_script.usage_of(chat, json.dumps(message))
        return message, finish, usage
    return replay


async def start(llm, host="127.0.0.1", port=0):
    """(runner, port); `await runner.cleanup()` ends the server."""
    runner = web.AppRunner(llm.application(), access_log=None, shutdown_timeout=1, handler_cancellation=True,
                           max_line_size=1 << 20, max_field_size=1 << 20)
    await runner.setup()
    site = web.TCPSite(runner, host, port, backlog=2048)
    await site.start()
    return runner, site._server.sockets[0].getsockname()[1]


async def serve(options):
    table = replay_table(options.files) if options.mode == "replay" else {}
    answerers = {"oracle": (oracle, "scripted oracle"), "script": (simulated_script.scripted, "script"),
                 "replay": (replayer(table), f"replay of {len(table)} recorded calls")}
    answerer, what = answerers[options.mode]
    llm = SimulatedLlm(answerer, options.fault, options.seed, options.first_token_ms, options.tokens_per_s)
    try:
        runner, port = await start(llm, options.host, options.port)
    except OSError as error:
        raise SystemExit(f"simulated upstream: {error.strerror}; choose another --port (0 takes a free one)") from None
    print(f"SIMULATED LLM ({what}) on http://{options.host}:{port}/v1", file=sys.stderr, flush=True)
    if options.port_file:
        partial = options.port_file.with_name(options.port_file.name + ".partial")
        partial.write_text(f"{port}\n")
        partial.rename(options.port_file)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    await runner.cleanup()


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=("oracle", "replay", "script"))
    parser.add_argument("files", nargs="*", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--port-file", type=pathlib.Path, help="write the port here once it is open")
    parser.add_argument("--first-token-ms", type=float, default=0, help="latency before the first token")
    parser.add_argument("--tokens-per-s", type=float, default=0, help="rate of the answer's tokens (0: at once)")
    parser.add_argument("--fault", action="append", type=Fault, default=[], metavar="KIND[=VALUE][:RATE]")
    parser.add_argument("--seed", type=int, default=1, help="of the faults")
    options = parser.parse_args()
    if options.mode == "replay" and not options.files:
        parser.error("replay wants at least one FILE of recorded calls")
    for path in options.files:
        if not os.access(path, os.R_OK):
            parser.error(f"cannot read {path}")
    return options


if __name__ == "__main__":
    asyncio.run(serve(parse_arguments()))
