"""The gateway between agents and the (SIMULATED) LLM: relays unchanged, records every call, never lies."""

import asyncio

import aiohttp

import support
from support import agents, harness


class Gateway(support.ProgramTest):
    def start(self, *faults):
        self.with_keys()
        self.upstream = self.children.upstream("oracle", *faults)
        self.gateway = self.children.gateway(self.program, self.upstream.url)
        return self.gateway.url

    def test_json_and_streams_are_relayed_and_recorded(self):
        url = self.start()
        calls = [call for name in ("intent", "extract", "tools") for call in agents.generate(name, 1, 60)]
        replies = harness.send(url, calls, concurrency=16, stream_share=0.5)
        for call, reply in zip(calls, replies):
            self.assertTrue(reply.whole, reply.error)
            self.assertTrue(agents.same_answer(reply.message, call.answer))
            self.assertEqual(reply.served_by, "llm")
            self.assertGreater(reply.usage["completion_tokens"], 0)
        self.assertEqual(len({reply.call_id for reply in replies} - {""}), len(calls))
        statistics = self.wait_for_calls(len(calls))
        self.assertEqual((statistics["calls"], statistics["not_ok"]), (len(calls), 0))

    def test_a_draining_gateway_leaves_nothing_unrecorded(self):
        url = self.start()
        harness.send(url, agents.generate("tools", 2, 100), concurrency=16)
        self.assertEqual(self.gateway.stop(), 0)
        self.assertEqual(self.logged()["calls"], 100)

    def test_models_are_relayed_and_unknown_paths_are_refused(self):
        url = self.start()
        self.assertEqual(harness.get_json(url + "/v1/models"), harness.get_json(self.upstream.url + "/v1/models"))
        self.assertIn("error", harness.get_json(url + "/nothing/here"))

    def test_a_body_that_is_no_json_is_refused_without_asking_upstream(self):
        url = self.start()
        async def post():
            async with aiohttp.ClientSession() as client:
                async with client.post(url + "/v1/chat/completions", data=b"{oops") as response:
                    return response.status, await response.json(content_type=None)
        status, body = asyncio.run(post())
        self.assertEqual(status, 400)
        self.assertTrue(body["error"]["message"])
        self.assertEqual(harness.get_json(self.upstream.url + "/simulated/statistics")["requests"], 0)

    def test_a_missing_upstream_is_a_502_that_names_it_and_is_recorded(self):
        self.with_keys()
        gateway = self.children.gateway(self.program, "http://127.0.0.1:9")
        reply = harness.send(gateway.url, agents.generate("intent", 1, 1))[0]
        self.assertEqual(reply.status, 502)
        self.assertIn("127.0.0.1:9", reply.error)
        statistics = self.wait_for_calls(1)
        self.assertEqual((statistics["calls"], statistics["not_ok"]), (1, 1))

    def test_a_rate_limit_is_relayed_with_its_retry_after(self):
        reply = harness.send(self.start("--fault", "status=429"), agents.generate("intent", 1, 1))[0]
        self.assertEqual((reply.status, reply.headers.get("retry-after")), (429, "1"))

    def test_a_stream_that_upstream_cuts_never_ends_like_a_whole_one(self):
        reply = harness.send(self.start("--fault", "cut"), agents.generate("extract", 1, 1), stream_share=1)[0]
        self.assertFalse(reply.whole)
        self.assertTrue(reply.error)
        self.assertEqual(self.wait_for_calls(1)["not_ok"], 1)

    def test_a_taken_port_is_a_clear_error(self):
        url = self.start()
        address = url.removeprefix("http://")
        error = self.program.run("serve", "--listen", address, "--upstream", self.upstream.url)
        self.assertNotEqual(error.returncode, 0)
        self.assertIn(address.rpartition(":")[2], error.stderr)

    def test_health_is_json(self):
        self.assertIsInstance(harness.get_json(self.start() + "/health"), dict)


if __name__ == "__main__":
    support.main()
