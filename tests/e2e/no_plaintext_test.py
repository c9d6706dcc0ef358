"""Nothing below the home directory shows what was said: not in clear, not in any usual encoding."""

import asyncio
import base64
import json
import urllib.parse

import aiohttp

import support
from support import harness

PROMPT = "The purple walrus of Ülm orders 417 blue umbrellas for Zebulon Quartermain"
ANSWER = "Forty-two gentle otters acknowledge the marmalade shipment"
EMAIL = "zebulon.quartermain@walrusmail.example"
API_KEY = "sk-proj-walrusWALRUS7qT2mV9xKd4pZ8sLb3nYcR6wJh5gFeUo"  # drawn: a sample like 0123...abcd is none


def encodings(text):
    """{encoding: bytes to look for}; each is long enough not to occur by chance."""
    raw = text.encode()
    forms = {"utf-8": raw, "utf-16-le": text.encode("utf-16-le"), "utf-16-be": text.encode("utf-16-be"),
             "hex": raw.hex().encode(), "HEX": raw.hex().upper().encode(), "json": json.dumps(text)[1:-1].encode(),
             "percent": urllib.parse.quote(text).encode(), "reversed": raw[::-1], "upper": text.upper().encode(),
             "json in json": json.dumps(json.dumps(text))[3:-3].encode()}
    for shift in range(3):  # base64 depends on where in a group of three bytes the text begins
        encoded = base64.b64encode(b"\0" * shift + raw)
        forms[f"base64+{shift}"] = encoded[4 if shift else 0:-4]
        forms[f"base64url+{shift}"] = forms[f"base64+{shift}"].replace(b"+", b"-").replace(b"/", b"_")
    return forms


def findings(directory, texts):
    found = []
    for path in sorted(path for path in directory.rglob("*") if path.is_file()):
        content = path.read_bytes()
        for text in texts:
            # A third of a text is a leak too.
            parts = {text[start:start + max(12, len(text) // 3)] for start in (0, len(text) // 3)}
            found += [f"{path.name}: {name} of {part!r}" for part in parts
                      for name, form in encodings(part).items() if form in content]
    return found


class NoPlaintext(support.ProgramTest):
    def call(self, number):
        return {"model": "simulated-llm", "user": EMAIL, "messages": [
            {"role": "system", "content": "You take orders."},
            {"role": "user", "content": f"Order {number}: {PROMPT}, mail {EMAIL}, key {API_KEY}"}]}

    def record(self, number):
        return {"id": f"walrus-{number}", "session": f"s{number}", "request": self.call(number), "response": {
            "choices": [{"message": {"role": "assistant", "content": ANSWER}, "finish_reason": "stop"}]}}

    def test_the_search_finds_every_encoding(self):
        for name, form in encodings(PROMPT).items():
            (self.directory / "leak").write_bytes(b"\x17junk" + form + b"\0\1")
            self.assertTrue([f for f in findings(self.directory, [PROMPT])], name)

    def test_imported_calls_leave_no_trace_in_clear(self):
        self.with_keys()
        path = self.write_lines("calls.jsonl", [self.record(number) for number in range(30)])
        self.program.json("import", path)
        self.program.run("curate")
        self.program.run("cluster")
        self.assertGreater(sum(segment.stat().st_size for segment in self.segments()), 1000)
        self.assertEqual(findings(self.home / "log", [PROMPT, ANSWER, EMAIL, API_KEY]), [])
        self.assertEqual(findings(self.home / "datasets", [PROMPT, ANSWER, EMAIL, API_KEY]), [])
        # The index of tasks keeps what all calls of a task share (here their one answer and the prompt's constants),
        # because routing needs it; ARCHITECTURE.md says so. What differs between calls, and secrets, it never holds.
        self.assertEqual(findings(self.home, [EMAIL, API_KEY]), [])

    def test_calls_through_the_gateway_leave_no_trace_in_clear(self):
        self.with_keys()
        path = self.write_lines("calls.jsonl", [self.record(number) for number in range(30)])
        upstream = self.children.upstream("replay", path)
        gateway = self.children.gateway(self.program, upstream.url)
        async def send():
            headers = {"Authorization": f"Bearer {API_KEY}", "x-understudy-tenant": EMAIL}
            async with aiohttp.ClientSession() as client:
                return [await harness.ask(client, gateway.url, {**self.call(n), "stream": n % 2 == 0}, EMAIL, headers)
                        for n in range(30)]
        replies = asyncio.run(send())
        self.assertEqual([reply.message["content"] for reply in replies], [ANSWER] * 30)
        self.assertEqual(gateway.stop(), 0)
        self.assertEqual(self.logged()["calls"], 30)
        texts = [PROMPT, ANSWER, EMAIL, API_KEY]
        self.assertEqual(findings(self.home, texts), [])
        self.assertFalse([text for text in texts if text in gateway.log_text()], "the gateway's own log")


if __name__ == "__main__":
    support.main()
