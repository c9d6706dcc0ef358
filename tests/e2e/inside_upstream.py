"""The SIMULATED LLM inside the test's process: what arrived is at hand byte for byte, on the test's own clock."""

import asyncio
import threading
import time

import support  # noqa: F401  (puts examples/ on the path)
import simulated_script
import simulated_upstream


class InsideUpstream:
    """Runs on a thread of its own until stop(). `seen` grows while requests arrive."""

    def __init__(self, port=0):
        self.llm = simulated_upstream.SimulatedLlm(simulated_script.scripted, keep_seen=True)
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.runner, self.port = self.run(simulated_upstream.start(self.llm, port=port))

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def seen(self):
        return self.llm.seen

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout=30)

    def asked_for(self, model):
        """What arrived for a model's name, in order."""
        return [seen for seen in list(self.seen) if isinstance(seen.request, dict) and seen.request.get("model") == model]

    def wait_for(self, condition, seconds=5):
        """What `condition` gives as soon as that is true; its last value after `seconds`."""
        deadline = time.monotonic() + seconds
        while not (value := condition()) and time.monotonic() < deadline:
            time.sleep(0.005)
        return value

    def stop(self):
        self.run(self.runner.cleanup())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(timeout=10)
        self.loop.close()
