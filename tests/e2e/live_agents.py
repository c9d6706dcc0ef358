"""Agents that talk to a gateway without a pause while a test changes things under them.

Each is a coroutine with sessions of its own; every exchange is kept with what the oracle would have said, so that a test
can say afterwards whether one failed, and wait meanwhile for what the agents see.
"""

import asyncio
import dataclasses
import itertools
import json
import random
import threading
import time

import aiohttp

import support  # noqa: F401  (puts examples/ on the path)
from support import agents, harness

REQUEST_SECONDS_MAX = 60
STREAM_SHARE = 0.4
THINK_SECONDS = 0.02  # what the agent itself does between two calls


@dataclasses.dataclass
class Exchange:
    call: agents.Call
    reply: harness.Reply
    in_tool_loop: bool = False

    @property
    def mode(self):
        return self.reply.headers.get("x-understudy-mode", "")

    @property
    def task(self):
        return self.reply.headers.get("x-understudy-task", "")

    @property
    def model(self):
        return self.reply.headers.get("x-understudy-model", "")


def fault(exchange):
    """Why this is no answer that an agent could go on with; empty: it is one."""
    reply = exchange.reply
    if reply.status != 200 or not reply.whole or reply.error or reply.message is None:
        return f"status {reply.status}, whole {reply.whole}: {reply.error}"
    tools = {tool["function"]["name"]: tool["function"]["parameters"] for tool in exchange.call.request.get("tools", [])}
    called = reply.message.get("tool_calls") or []
    if bool(tools) != bool(called):
        return f"tools offered: {sorted(tools)}; called: {called}"
    for call in called:
        schema, arguments = tools.get(call["function"]["name"]), json.loads(call["function"]["arguments"])
        if schema is None or set(arguments) != set(schema["required"]) or not call["id"]:
            return f"no such call: {call}"
    if not tools and not (reply.message.get("content") or "").strip():
        return "an empty answer"
    return ""


class LiveAgents:
    """Runs them on a thread of its own until stop(). `exchanges` grows meanwhile."""

    def __init__(self, url, names, seed=100):
        self.url, self.exchanges, self.stopping = url, [], False
        self.numbers = itertools.count(seed)
        self.thread = threading.Thread(target=lambda: asyncio.run(self.work(names)), daemon=True)
        self.thread.start()

    async def work(self, names):
        timeout = aiohttp.ClientTimeout(total=REQUEST_SECONDS_MAX)
        async with aiohttp.ClientSession(timeout=timeout) as client:
            await asyncio.gather(*(self.agent(client, name, next(self.numbers)) for name in names))

    async def agent(self, client, name, seed):
        rng = random.Random(seed)
        for round_number in itertools.count():
            for call in agents.generate(name, f"{seed}.{round_number}", 50):
                if self.stopping:
                    return
                exchange = await self.ask(client, rng, call)
                if exchange.reply.message and exchange.reply.message.get("tool_calls"):
                    await self.bring_results(client, rng, exchange)
                await asyncio.sleep(THINK_SECONDS)

    async def ask(self, client, rng, call, in_tool_loop=False):
        stream = {"stream": True, "stream_options": {"include_usage": True}} if rng.random() < STREAM_SHARE else {}
        reply = await harness.ask(client, self.url, {**call.request, **stream}, call.session)
        exchange = Exchange(call, reply, in_tool_loop)
        self.exchanges.append(exchange)
        return exchange

    async def bring_results(self, client, rng, exchange):
        """The tool's results go back, and the model may use tools again: what it was asked stands unchanged."""
        message = exchange.reply.message
        results = [{"role": "tool", "tool_call_id": call["id"], "content": "done"} for call in message["tool_calls"]]
        request = {**exchange.call.request, "messages": [*exchange.call.request["messages"],
                                                         {**message, "content": message.get("content") or None}, *results]}
        await self.ask(client, rng, dataclasses.replace(exchange.call, request=request), in_tool_loop=True)

    def mark(self):
        return len(self.exchanges)

    def wait_for(self, condition, seconds=60):
        """The first exchange from now on of which `condition` is true."""
        at, deadline = self.mark(), time.monotonic() + seconds
        while time.monotonic() < deadline:
            while at < len(self.exchanges):
                if condition(self.exchanges[at]):
                    return self.exchanges[at]
                at += 1
            time.sleep(0.02)
        raise AssertionError("the agents never saw it; the last they saw: " + "; ".join(
            f"{e.call.agent} {e.mode} {e.reply.served_by} {e.reply.reason}" for e in self.exchanges[-12:]))

    def stop(self):
        self.stopping = True
        self.thread.join(timeout=REQUEST_SECONDS_MAX + 10)
        return self.exchanges
