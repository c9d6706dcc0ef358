"""A third-party upstream (`@copilotkit/aimock`) behind the gateway, so that not only our own idea of the APIs is tested.

Expects of the gateway: two upstreams of either protocol at one address; a stream that aimock truncates or disconnects
never ends like a whole one (Portkey 1.15.2 ends it cleanly: notes/gateways.md, section 3).
"""

import pathlib
import signal
import subprocess
import unittest

import configuration
import gateway_case
import node_packages
import raw_http
import support

CLIENT_HEADERS = {"authorization": "Bearer sk-x", "x-api-key": "sk-x", "anthropic-version": "2023-06-01"}
STREAM_PATHS = ("/v1/chat/completions", "/v1/responses", "/v1/messages")
ENDS = (b"[DONE]", b"message_stop", b"response.completed")


class Aimock(gateway_case.GatewayCase):
    config_needed = False

    @classmethod
    def start_gateway(cls):
        try:
            packages = node_packages.installed(gateway_case.CLIENTS)
        except node_packages.Unavailable as reason:
            raise unittest.SkipTest(f"the node clients are not installed: {reason}") from None
        work = cls.directory / "node"
        gateway_case.shutil.copytree(gateway_case.CLIENTS, work)
        (work / "node_modules").symlink_to(packages / "node_modules")
        port_file = cls.directory / "aimock.port"
        cls.aimock = subprocess.Popen(["node", work / "aimock.mjs", port_file], stdin=subprocess.DEVNULL,
                                      stdout=subprocess.DEVNULL, stderr=open(cls.directory / "aimock.log", "wb"))
        cls.addClassCleanup(cls.aimock.wait, 10)
        cls.addClassCleanup(cls.aimock.send_signal, signal.SIGTERM)
        if not gateway_case.wait_until(port_file.exists, 30):
            raise AssertionError((cls.directory / "aimock.log").read_text())
        cls.aimock_url = f"http://127.0.0.1:{int(port_file.read_text())}"
        if "--config" not in gateway_case.serve_help():
            return cls.children.gateway(cls.program, cls.aimock_url)
        config = pathlib.Path(cls.directory / "understudy.toml")
        config.write_text(configuration.render(
            [configuration.upstream("openai", cls.aimock_url + "/v1"),
             configuration.upstream("anthropic", cls.aimock_url + "/v1", "anthropic")], retries={"attempts_max": 1}))
        return cls.children.start("gateway", cls.program.command("serve", "--config", config))

    def stream(self, path, text):
        return raw_http.ask(self.url, path, gateway_case.request_for(path, "gpt-4o", True, text), CLIENT_HEADERS)

    def test_the_client_libraries_see_aimocks_answers(self):
        saw = gateway_case.run_node_client(self.directory, "openai_client.mjs", self.url + "/v1", "gpt-4o",
                                           ["chat_plain", "chat_stream", "responses_plain", "responses_stream", "models"])
        for name, result in saw.items():
            self.assertIsNone(result.get("error"), (name, result))
        self.assertIn("Hello from aimock – ü 🦊", saw["chat_plain"]["data"]["choices"][0]["message"]["content"])
        self.assertEqual(saw["chat_stream"]["content"], "Hello from aimock – ü 🦊")
        self.assertEqual(saw["responses_stream"]["text"], "Hello from aimock – ü 🦊")
        saw = gateway_case.run_node_client(self.directory, "anthropic_client.mjs", self.url, "claude-3",
                                           ["plain", "stream"])
        self.assertEqual(saw["plain"]["data"]["content"][0]["text"], "Hello from aimock – ü 🦊")
        self.assertEqual((saw["stream"]["text"], saw["stream"]["error"]), ("Hello from aimock – ü 🦊", None))

    def test_tools_errors_and_a_slow_first_token_are_relayed(self):
        for path in STREAM_PATHS:
            with self.subTest(path=path):
                answer = self.stream(path, "weather")
                self.assertTrue(answer.clean and any(end in answer.body for end in ENDS))
                self.assertIn(b"get_weather", answer.body)
                self.assertEqual(self.stream(path, "limit").status, 429)
                slow = self.stream(path, "slow")
                self.assertTrue(slow.clean and any(end in slow.body for end in ENDS))
                self.assertGreaterEqual(slow.end_seconds, 0.1)

    def test_a_stream_that_aimock_breaks_off_is_never_whole(self):
        for path in STREAM_PATHS:
            for fault in ("cut me", "break off"):
                with self.subTest(path=path, fault=fault):
                    answer = self.stream(path, fault)
                    self.assertFalse(any(end in answer.body for end in ENDS), answer.body)
                    self.assertTrue(not answer.clean or answer.status >= 400 or b"error" in answer.body or
                                    b"response.failed" in answer.body, answer.body)


if __name__ == "__main__":
    support.main()
