"""Rounds of SIGKILL under load: which acknowledged calls does the log still hold? Shared by the bench and tests/e2e.

A call counts as acknowledged when its whole answer came: a JSON body to its last byte, a stream to its [DONE].
"""

import asyncio
import dataclasses
import itertools
import random
import signal
import time

import aiohttp

import harness

WORKERS = 12


@dataclasses.dataclass
class Round:
    acknowledged: dict  # {call id: when its last byte came}
    killed: float
    unnamed: int = 0    # whole answers without x-understudy-call: they cannot be looked up
    lost: list = dataclasses.field(default_factory=list)  # seconds before the kill of each call that the log lacks


async def load(url, seconds, process, seed, salt):
    """Answers until the gateway is killed, which happens `seconds` from now."""
    done, counter = Round({}, 0.0), itertools.count()

    async def work(client, worker):
        while True:
            number = next(counter)
            request = {"model": "mock", "messages": [
                {"role": "system", "content": "You are terse. " * 20},
                {"role": "user", "content": f"{salt}-{seed}-{worker}-{number}"}]}
            if number % 3 == 0:
                request["stream"] = True
            try:
                async with client.post(url + "/v1/chat/completions", json=request) as response:
                    body = await response.read()
            except (aiohttp.ClientError, OSError, asyncio.TimeoutError):
                return
            whole = body.endswith(b"data: [DONE]\n\n") if request.get("stream") else body.endswith(b"}")
            if response.status == 200 and whole:
                call_id = response.headers.get("x-understudy-call", "")
                if call_id:
                    done.acknowledged[call_id] = time.monotonic()
                else:
                    done.unnamed += 1

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0),
                                     timeout=aiohttp.ClientTimeout(total=20)) as client:
        workers = [asyncio.create_task(work(client, worker)) for worker in range(WORKERS)]
        await asyncio.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        done.killed = time.monotonic()
        await asyncio.gather(*workers)
    return done


def run_rounds(program, children, serve_words, rounds, seed=1, progress=None, name=""):
    """`rounds` times: start a gateway on program.home, load it, kill it; then look which calls the log holds."""
    rng, results = random.Random(seed), []
    for number in range(rounds):
        gateway = children.start(f"kill9-{name}", program.command(*serve_words))
        results.append(asyncio.run(load(gateway.url, rng.uniform(0.08, 0.5), gateway.process, number, f"{name}{seed}")))
        gateway.process.wait(timeout=10)
        if progress:
            progress(number + 1, rounds)
    statistics = program.json("log", "stat")
    if statistics["corrupt"]:
        raise harness.Failure(f"the log is corrupt after a kill: {statistics['corrupt']}")
    calls = program.logged_calls("--metadata")
    held = None if calls is None else {call["id"] for call in calls}
    for result in results:
        if held is not None:
            result.lost = [result.killed - when for call_id, when in result.acknowledged.items() if call_id not in held]
    return results, statistics, held is not None
