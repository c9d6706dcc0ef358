"""`evaluate --endpoint`: another server answers for an adapter, proven and live, held to the request's schema in the form
that the server knows. The server is a real llama-server; before it stands one that refuses what vLLM would refuse."""

import contextlib
import json
import os
import pathlib
import tempfile
import time
import unittest
import urllib.error
import urllib.request

import support
import tune_base_test as words
from support import harness

SCHEMA = {"type": "object", "properties": {"kind": {"enum": words.KINDS}}, "required": ["kind"], "additionalProperties": False}
KNOWN = {"model", "messages", "temperature", "seed", "max_tokens", "logprobs", "top_logprobs", "stream"}
FORMS = {
    "response_format": {"response_format": {"type": "json_schema",
                                            "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA}}},
    "structured_outputs": {"structured_outputs": {"json": SCHEMA}}}


def answer(kind):
    return json.dumps({"kind": kind}, separators=(",", ":"))


def request(text):
    return {**words.request(text), "response_format": {"type": "json_schema", "json_schema": {"name": "kind", "schema": SCHEMA}}}


class StrictServer(support.LocalServer):
    """SIMULATED in what it refuses only: takes exactly the fields of a form, asks the llama-server behind it."""

    def __init__(self, behind, form):
        self.refused, self.asked = [], 0
        server = self
        wanted = FORMS[form]

        class Handler(support.LocalHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.request_json()
                server.asked += 1
                extra = {key: value for key, value in body.items() if key not in KNOWN}
                if self.path != "/v1/chat/completions" or extra != wanted or body["model"] != "kinds" or \
                        self.headers["Authorization"] != "Bearer sesame":
                    server.refused.append((self.path, extra, body["model"]))
                    return self.reply(400, b"{}")
                # As vLLM would hold the answer to it: this server's name for a bare schema.
                if "structured_outputs" in body:
                    body["json_schema"] = body.pop("structured_outputs")["json"]
                asked = urllib.request.Request(f"{behind}/v1/chat/completions", json.dumps(body).encode(),
                                               {"Content-Type": "application/json"})
                try:
                    with urllib.request.urlopen(asked, timeout=20) as answered:
                        return self.reply(200, answered.read())
                except urllib.error.HTTPError as error:
                    server.refused.append(error.read())
                    return self.reply(error.code, b"{}")

        super().__init__(Handler)


class Endpoint(support.ProgramTest):
    def setUp(self):
        super().setUp()
        if not os.access(words.TRAINER, os.X_OK):
            raise unittest.SkipTest("understudy-train is not built")
        # A small model that somebody else trained: it knows how such answers look, and names the wrong kind.
        directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="understudy-endpoint-")))
        self.base = words.train_base(directory, answer)
        self.with_keys()
        records = [{"id": f"call-{number}", "session": f"s{number}", "request": request(text), "response": {
            "choices": [{"message": {"role": "assistant", "content": answer(label)}, "finish_reason": "stop"}]}}
            for number, (text, label) in enumerate(words.calls(900, 1))]
        self.program.json("import", self.write_lines("calls.jsonl", records))
        self.program.json("curate")
        self.program.json("cluster")
        self.task, = [task["id"] for task in self.program.json("tasks") if task["statistics"]["calls"] > 100]
        os.environ["UNDERSTUDY_ENDPOINT_KEY"] = "sesame"
        self.addCleanup(os.environ.pop, "UNDERSTUDY_ENDPOINT_KEY")

    def test_another_server_answers_for_an_adapter(self):
        made = self.program.json("tune", self.task, "--base", self.base, *words.OPTIONS)
        here = self.program.json("evaluate", self.task, "--alpha", "0.1")
        self.assertEqual(here["verdict"], "convert", here["reason"])
        adapter = self.home / "artifacts" / made["id"] / "adapter.gguf"
        template = self.directory / "template.jinja"  # the prompt form that the adapter was trained with
        template.write_text("{{ messages[0]['content'] }}{{ '\\n' }}")
        with support.llama_server(self.directory, "-m", self.base, "--lora", adapter, "--jinja", "--chat-template-file", template,
                                  "-c", "2048", "-np", "4", "-t", "1") as (_, behind):
            for form in FORMS:
                with contextlib.closing(StrictServer(behind, form)) as other:
                    words_there = ["--endpoint", other.url, "--endpoint-model", "kinds", "--endpoint-form", form]
                    there = self.program.json("evaluate", self.task, "--alpha", "0.1", *words_there)
                    self.assertEqual(other.refused, [])
                    self.assertEqual(there["verdict"], "convert", there["reason"])
                    self.assertEqual(there["endpoint"], {"url": other.url, "model": "kinds", "form": form})
                    # The same weights, prompt and schema: as many answers agree as from our own server.
                    self.assertAlmostEqual(there["calibration"]["agreed"], here["calibration"]["agreed"], delta=5)
            with contextlib.closing(StrictServer(behind, "response_format")) as other:
                self.program.json("evaluate", self.task, "--alpha", "0.1", "--endpoint", other.url, "--endpoint-model", "kinds")
                self.program.json("promote", self.task)
                self.base.unlink()  # the gateway's machine need not have it
                self.serve_by(other)

    def serve_by(self, other):
        upstream = self.children.upstream("oracle")
        gateway = self.children.gateway(self.program, upstream.url)
        fresh = words.calls(40, 77)
        plain = [harness.PlainCall(request(text)) for text, _ in fresh]
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and all(r.served_by != "slm" for r in harness.send(gateway.url, plain[:4])):
            time.sleep(0.3)
        asked = other.asked
        replies = harness.send(gateway.url, plain, concurrency=4)
        served = [(label, reply) for (_, label), reply in zip(fresh, replies) if reply.served_by == "slm"]
        self.assertGreater(len(served), 25)
        self.assertGreaterEqual(other.asked - asked, len(served))
        self.assertEqual(other.refused, [])
        self.assertGreaterEqual(sum(reply.message["content"] == answer(label) for label, reply in served), 0.9 * len(served))
        # Away: the LLM answers, unseen by the agents.
        other.close()
        self.assertTrue(all(reply.served_by == "llm" for reply in harness.send(gateway.url, plain[:8])))

    def test_what_does_not_fit_is_said(self):
        self.assert_fails(support.EXIT_USAGE, "evaluate", self.task, "--endpoint-model", "m", says=["--endpoint"])
        made = self.program.json("tune", self.task, "--base", self.base, "--epochs", 1, "--threads", 1)
        self.assertEqual(made["kind"], "adapter")
        self.assert_fails(support.EXIT_BAD_INPUT, "evaluate", self.task, "--endpoint", "gpus:8000", says=["http", "--endpoint-model"])
        with contextlib.closing(support.SimulatedChat("no logprobs here")) as chat:
            done = self.program.run("evaluate", self.task, "--endpoint", chat.url, "--endpoint-model", "m")
            self.assertIn("logprobs", done.stderr)
            self.assertNotEqual(done.returncode, 0)


if __name__ == "__main__":
    support.main()
