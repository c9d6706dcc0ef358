#!/usr/bin/env python3
"""A SIMULATED LLM behind the OpenAI chat-completions API, for demos, tests and benchmarks. It is no model.

  simulated_upstream.py oracle                  answers the scripted agents of examples/agents.py
  simulated_upstream.py replay FILE...          answers from recorded calls (JSONL, plain or gzip): the same messages
                                                and tools get the recorded response, anything else a 404

  POST /v1/chat/completions   JSON, or SSE with "stream": true        GET /v1/models
  GET /simulated/statistics   how many requests came, how many faults were made

Faults (--fault, repeatable; RATE is a share of the calls, 1 without it):
  status=CODE:RATE    an error answer (429 and 503 with Retry-After)      reset:RATE       the connection is reset
  cut:RATE            a stream or body breaks off in the middle           no_done:RATE     a stream without [DONE]
  malformed:RATE      a chunk or body that is no JSON                     silent:RATE      no answer at all
  stall=SECONDS:RATE  a pause in the middle of the answer                 slow=SECONDS:RATE  a late first token
"""

import argparse
import asyncio
import gzip
import json
import os
import pathlib
import random
import signal
import sys
import time

from aiohttp import web

import agents

BODY_BYTES_MAX = 64 << 20
FAULTS = ("status", "cut", "malformed", "stall", "slow", "reset", "no_done", "silent")
CHARACTERS_PER_TOKEN = 4


def tokens_in(text):
    return max(1, len(text) // CHARACTERS_PER_TOKEN)


def canonical(request):
    """What makes two requests the same call: messages and tools, whatever the order of keys."""
    return json.dumps({"messages": request.get("messages"), "tools": request.get("tools") or None},
                      sort_keys=True, ensure_ascii=False)


def error_response(status, message, kind="invalid_request_error", code=None, headers=None):
    return web.json_response({"error": {"message": message, "type": kind, "param": None, "code": code}},
                             status=status, headers=headers)


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


class SimulatedLlm:
    def __init__(self, options, table):
        self.options = options
        self.table = table  # None: the oracle answers
        self.random = random.Random(options.seed)
        self.statistics = {"requests": 0, "streams": 0, "unknown": 0, "faults": 0}

    def answer(self, request):
        """(message, finish reason, usage) or None for a request that nobody recorded and no agent would make."""
        recorded = None
        if self.table is None:
            message = agents.oracle(request)
        else:
            recorded = self.table.get(canonical(request))
            message = (recorded or {}).get("choices", [{}])[0].get("message")
        if message is None:
            return None
        written = (message.get("content") or "") + json.dumps(message.get("tool_calls") or "")
        prompt = sum(tokens_in(json.dumps(part, ensure_ascii=False))
                     for part in request["messages"] + (request.get("tools") or []))
        usage = {"prompt_tokens": prompt, "completion_tokens": tokens_in(written),
                 "total_tokens": prompt + tokens_in(written)}
        finish = "tool_calls" if message.get("tool_calls") else "stop"
        if recorded:
            usage = recorded.get("usage") or usage
            finish = recorded["choices"][0].get("finish_reason") or finish
        return {"role": "assistant", **message}, finish, usage

    def draw_fault(self):
        for fault in self.options.fault:
            if self.random.random() < fault.rate:
                self.statistics["faults"] += 1
                return fault
        return None

    async def chat_completions(self, http):
        self.statistics["requests"] += 1
        try:
            request = json.loads(await http.read())
        except ValueError:
            return error_response(400, "The body is no JSON.")
        if not isinstance(request, dict) or not isinstance(request.get("messages"), list):
            return error_response(400, "'messages' is a required property.")
        fault = self.draw_fault()
        refusal = await self.refuse(http, fault)
        if refusal is not None:
            return refusal
        answered = self.answer(request)
        if answered is None:
            self.statistics["unknown"] += 1
            what = "no recorded call" if self.table is not None else "no scripted agent"
            return error_response(404, f"SIMULATED LLM: {what} matches this request.", code="not_recorded")
        base = {"id": f"chatcmpl-simulated{self.random.getrandbits(64):016x}", "created": int(time.time()),
                "model": agents.MODEL, "system_fingerprint": "simulated"}
        await asyncio.sleep(self.options.first_token_ms / 1000)
        if request.get("stream"):
            self.statistics["streams"] += 1
            return await self.send_stream(http, request, base, answered, fault)
        return await self.send_body(http, base, answered, fault)

    async def refuse(self, http, fault):
        """What a fault does before anything is answered; None: go on."""
        if fault is None:
            return None
        if fault.kind == "status":
            code = int(fault.value)
            again = {"Retry-After": "1"} if code in (429, 503) else None
            kind = "rate_limit_error" if code == 429 else "server_error"
            return error_response(code, f"SIMULATED fault {code}", kind, headers=again)
        if fault.kind == "reset":
            http.transport.abort()
            return web.Response()
        if fault.kind in ("silent", "slow"):
            await asyncio.sleep(3600 if fault.kind == "silent" else fault.value)
        return None

    def seconds_for(self, tokens):
        return tokens / self.options.tokens_per_s if self.options.tokens_per_s else 0

    async def send_body(self, http, base, answered, fault):
        message, finish, usage = answered
        await asyncio.sleep(self.seconds_for(usage["completion_tokens"] or 0))
        body = json.dumps({**base, "object": "chat.completion", "usage": usage, "choices": [
            {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}]}).encode()
        if fault is None or fault.kind not in ("cut", "malformed", "stall"):
            return web.Response(body=body, content_type="application/json")
        if fault.kind == "malformed":
            return web.Response(body=body[:-9] + b"<oops>", content_type="application/json")
        response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(body))})
        await response.prepare(http)
        await response.write(body[:len(body) // 2])
        if fault.kind == "cut":
            http.transport.abort()
            return response
        await asyncio.sleep(fault.value)
        await response.write(body[len(body) // 2:])
        return response

    async def send_stream(self, http, request, base, answered, fault):
        message, finish, usage = answered
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
        await response.prepare(http)
        kind = fault.kind if fault else ""
        deltas = list(stream_deltas(message))
        pause = self.seconds_for(usage["completion_tokens"] or 0) / len(deltas)

        async def send(choices, **extra):
            chunk = {**base, "object": "chat.completion.chunk", "choices": choices, **extra}
            await response.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")

        for number, delta in enumerate(deltas):
            await send([{"index": 0, "delta": delta, "finish_reason": None}])
            if number == len(deltas) // 2:
                if kind == "cut":
                    http.transport.abort()
                    return response
                if kind == "malformed":
                    await response.write(b"data: {\"id\": \"oops\n\n")
                if kind == "stall":
                    await asyncio.sleep(fault.value)
            if pause:
                await asyncio.sleep(pause)
        await send([{"index": 0, "delta": {}, "finish_reason": finish}])
        if (request.get("stream_options") or {}).get("include_usage"):
            await send([], usage=usage)
        if kind != "no_done":
            await response.write(b"data: [DONE]\n\n")
        return response

    async def models(self, _):
        return web.json_response({"object": "list", "data": [
            {"id": agents.MODEL, "object": "model", "created": 0, "owned_by": "simulated"}]})

    async def show_statistics(self, _):
        return web.json_response(self.statistics)


def stream_deltas(message, piece=12):
    """A message as the deltas of a stream: the role, then pieces of the text, then each tool call's pieces."""
    text = message.get("content") or ""
    yield {"role": "assistant", "content": "" if text or not message.get("tool_calls") else None}
    for start in range(0, len(text), piece):
        yield {"content": text[start:start + piece]}
    for index, call in enumerate(message.get("tool_calls") or []):
        function = call["function"]
        yield {"tool_calls": [{"index": index, "id": call.get("id"), "type": "function",
                               "function": {"name": function["name"], "arguments": ""}}]}
        arguments = function["arguments"]
        for start in range(0, len(arguments), piece):
            yield {"tool_calls": [{"index": index, "function": {"arguments": arguments[start:start + piece]}}]}


async def serve(options, table):
    llm = SimulatedLlm(options, table)
    app = web.Application(client_max_size=BODY_BYTES_MAX)
    app.router.add_post("/v1/chat/completions", llm.chat_completions)
    app.router.add_get("/v1/models", llm.models)
    app.router.add_get("/simulated/statistics", llm.show_statistics)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, options.host, options.port, backlog=1024)
    try:
        await site.start()
    except OSError as error:
        raise SystemExit(f"simulated upstream: {error.strerror}; choose another --port (0 takes a free one)") from None
    port = site._server.sockets[0].getsockname()[1]
    what = "scripted oracle" if table is None else f"replay of {len(table)} recorded calls"
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
    parser.add_argument("mode", choices=("oracle", "replay"))
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
    chosen = parse_arguments()
    asyncio.run(serve(chosen, replay_table(chosen.files) if chosen.mode == "replay" else None))
