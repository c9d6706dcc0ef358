"""kill -9 of the gateway in mid-load: what was committed is there, a torn tail is reported, nothing fails."""

import asyncio
import signal
import time

import aiohttp

import support
from support import agents, harness

# The recorder works behind the answers and writes in groups (limits::log_write_interval_ms is 50): an answer that
# was out this long before the kill must be in the log, also on a busy machine.
WRITE_SECONDS_MAX = 1.0
LOAD_SECONDS = 3.0


class Kill9(support.ProgramTest):
    def load_until_killed(self, gateway):
        """When each answer came; the gateway is killed in the middle of the load."""
        calls = iter(agents.generate("tools", 1, 20000))
        answered = []

        async def work(client):
            for call in calls:
                reply = await harness.ask(client, gateway.url, call.request, call.session)
                if not reply.whole:
                    return
                answered.append(time.monotonic())

        async def run():
            async with aiohttp.ClientSession() as client:
                workers = [asyncio.create_task(work(client)) for _ in range(16)]
                await asyncio.sleep(LOAD_SECONDS)
                gateway.process.send_signal(signal.SIGKILL)
                killed = time.monotonic()
                await asyncio.gather(*workers)
                return killed
        killed = asyncio.run(run())
        gateway.process.wait(timeout=10)
        return answered, killed

    def test_committed_calls_survive_and_the_log_opens(self):
        self.with_keys()
        upstream = self.children.upstream("oracle")
        gateway = self.children.gateway(self.program, upstream.url)
        answered, killed = self.load_until_killed(gateway)
        committed = sum(moment < killed - WRITE_SECONDS_MAX for moment in answered)
        self.assertGreater(committed, 100, "the load was too small to say anything")
        statistics = self.logged()
        self.assertGreaterEqual(statistics["calls"], committed)
        self.assertEqual(statistics["corrupt"], [])

        # And on: another gateway starts on the same home and records into a new segment.
        again = self.children.gateway(self.program, upstream.url)
        harness.send(again.url, agents.generate("intent", 2, 10))
        self.assertEqual(self.wait_for_calls(statistics["calls"] + 10)["calls"], statistics["calls"] + 10)
        self.assertEqual(again.stop(), 0)

    def test_a_torn_tail_is_reported_and_is_no_error(self):
        self.with_keys()
        self.program.json("import", self.write_lines("calls.jsonl", support.records("intent", 1, 50)))
        segment = self.segments()[0]
        whole = segment.read_bytes()
        with support.swapped(segment, whole[:-150]):  # more than the end mark: the last record is torn
            statistics = self.logged()
        self.assertEqual(statistics["corrupt"], [])
        self.assertEqual(len(statistics["warnings"]), 1)
        self.assertIn(segment.name, statistics["warnings"][0])
        self.assertGreater(statistics["lost_tail_bytes"], 0)
        self.assertLess(statistics["calls"], 50)
        self.assertEqual(self.logged()["calls"], 50)


if __name__ == "__main__":
    support.main()
