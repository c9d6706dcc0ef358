"""Same-protocol relay changes no byte: requests arrive as they were sent, answers come back as the upstream wrote them.

Expects of the gateway: only the value of "model" (where the configuration maps it) and the credentials are replaced;
hop-by-hop headers and x-understudy-* do not reach the upstream; query strings and other /v1 paths do.
"""

import json
import unittest

import configuration
import gateway_case
import raw_http
import support

APIS = {"/v1/chat/completions": '"messages"', "/v1/completions": '"prompt"', "/v1/responses": '"input"',
        "/v1/embeddings": '"input"', "/v1/messages": '"messages"'}
STREAMED = [path for path in APIS if path != "/v1/embeddings"]
INPUT = {'"messages"': '[ {"role" :"user","content": "h\\u00e9llo \\ud83e\\udd8a / \\/ é", "x_note" : null} ]',
         '"prompt"': '"h\\u00e9llo"', '"input"': '"h\\u00e9llo"'}


def odd_body(path, model, stream=False):
    """Valid JSON as no library writes it: spaces, escapes, unknown and repeated keys, odd numbers."""
    key = APIS[path]
    return (f'\r\n {{ "x_unknown" : {{"deep":[1.50,-0.0,1E+2, {{}} ],"model":"not this one"}} ,\t"model"\n:  "{model}",'
            f'{key}:{INPUT[key]}, "max_tokens":2048 ,"x_twice":1,"x_twice":2'
            f'{", " + chr(34) + "stream" + chr(34) + " :true" if stream else ""} , "user":"u\\u006e"  }} \n').encode()


class Unchanged(gateway_case.GatewayCase):
    config_needed = False

    @classmethod
    def configure(cls, url):
        return configuration.render(
            [configuration.upstream("openai", url), configuration.upstream("anthropic", url, "anthropic")],
            retries={"attempts_max": 1}, breaker={"failures": 0})

    def exchange(self, path, model, stream=False, headers=None):
        body = odd_body(path, model, stream)
        answer = raw_http.ask(self.url, path, body, headers)
        return body, answer, self.seen(model)[-1]

    def test_requests_arrive_as_they_were_sent(self):
        for path in APIS:
            for stream in (False, True):
                with self.subTest(path=path, stream=stream):
                    body, answer, seen = self.exchange(path, f"sim/tag={path}-{stream}", stream and path in STREAMED)
                    self.assertEqual((answer.status, seen.path), (200, path))
                    self.assertEqual(seen.body, body)

    def test_answers_come_back_as_the_upstream_wrote_them(self):
        for path in APIS:
            for shape in ("odd=1", "size=300000", "tokens=30"):
                with self.subTest(path=path, shape=shape):
                    _, answer, seen = self.exchange(path, f"sim/{shape},tag={path}")
                    self.assertTrue(answer.clean)
                    self.assertEqual(answer.body, bytes(seen.sent))

    def test_streams_come_back_as_the_upstream_wrote_them(self):
        for path in STREAMED:
            for shape in ("tokens=30", "odd=1,tokens=9", "newline=crlf,tokens=9", "newline=cr,tokens=9",
                          "split=1,tokens=3", "split=7,newline=crlf,tokens=9", "comments=1,tokens=9",
                          "odd=1,split=3,newline=crlf,comments=1,tokens=4"):
                with self.subTest(path=path, shape=shape):
                    _, answer, seen = self.exchange(path, f"sim/{shape},tag={path}", stream=True)
                    self.assertTrue(answer.clean, answer.error)
                    self.assertEqual(answer.body, bytes(seen.sent))
                    self.assertIn("text/event-stream", answer.header("content-type"))
                    self.assertIn("no-cache", answer.header("cache-control", ""))
                    self.assertIsNone(answer.header("content-encoding"))

    def test_refusals_of_the_upstream_come_back_as_it_wrote_them(self):
        for path in APIS:
            for status in (400, 401, 403, 404, 409, 422, 429, 500, 503):
                with self.subTest(path=path, status=status):
                    _, answer, seen = self.exchange(path, f"sim/status={status},retry_after=60,tag={path}")
                    self.assertEqual((answer.status, answer.body), (status, bytes(seen.sent)))
                    self.assertEqual(answer.header("retry-after"), "60")

    def test_headers_of_the_answer_survive(self):
        _, answer, _ = self.exchange("/v1/chat/completions", "sim/tag=headers")
        self.assertTrue(answer.header("x-request-id", "").startswith("req_"))
        self.assertEqual((answer.header("openai-processing-ms"), answer.header("x-ratelimit-remaining-requests")),
                         ("7", "41"))

    def test_headers_of_the_request_survive_and_hop_by_hop_ones_do_not(self):
        _, _, seen = self.exchange("/v1/chat/completions", "sim/tag=request-headers", headers={
            "OpenAI-Organization": "org-1", "openai-beta": "x=1", "anthropic-beta": "tools-2024", "X-Custom": "a, b",
            "User-Agent": "test/1.0", "Connection": "keep-alive, X-Hop", "X-Hop": "1", "Keep-Alive": "timeout=5",
            "TE": "trailers", "x-understudy-session": "s1", "Authorization": "Bearer sk-mine"})
        for name, value in (("openai-organization", "org-1"), ("openai-beta", "x=1"), ("x-custom", "a, b"),
                            ("user-agent", "test/1.0"), ("authorization", "Bearer sk-mine"),
                            ("content-type", "application/json")):
            self.assertEqual(seen.header(name), value)
        names = {name.lower() for name, _ in seen.headers}
        self.assertFalse(names & {"x-hop", "keep-alive", "te", "x-understudy-session"}, names)
        self.assertEqual(seen.header("host"), f"127.0.0.1:{self.upstream.port}")

    def test_other_paths_below_v1_pass_through(self):
        for method, path, body in (("GET", "/v1/files?limit=3&after=a%2Fb", None), ("DELETE", "/v1/files/file-1", None),
                                   ("POST", "/v1/audio/transcriptions", b"\0\1\2\xff" * 5000),
                                   ("GET", "/v1/responses/resp_1", None), ("POST", "/v1/threads?x=1", b"{}")):
            with self.subTest(path=path):
                answer = raw_http.ask(self.url, path, body, method=method)
                self.assertEqual(answer.status, 200)
                self.assertEqual((answer.json()["method"], answer.json()["path"], answer.json()["body_bytes"]),
                                 (method, path, len(body or b"")))

    def test_query_strings_of_captured_apis_survive(self):
        raw_http.ask(self.url, "/v1/chat/completions?api-version=2026-01-01",
                     odd_body("/v1/chat/completions", "sim/tag=query"))
        self.assertEqual(self.seen("sim/tag=query")[0].path, "/v1/chat/completions?api-version=2026-01-01")


class Spliced(gateway_case.GatewayCase):
    environment = {"TEST_UPSTREAM_KEY": "sk-upstream-own-key"}

    @classmethod
    def configure(cls, url):
        return configuration.render(
            [configuration.upstream("openai", url, api_key_env="TEST_UPSTREAM_KEY"),
             configuration.upstream("anthropic", url, "anthropic", api_key_env="TEST_UPSTREAM_KEY")],
            [configuration.model("alias", "openai/sim/tag=spliced,odd=1"),
             configuration.model("claude-alias", "anthropic/sim/tag=claude")])

    def test_only_the_models_value_is_replaced(self):
        for path in STREAMED[:-1] + ["/v1/embeddings"]:
            for stream in (False, True):
                with self.subTest(path=path, stream=stream):
                    body = odd_body(path, "alias", stream and path != "/v1/embeddings")
                    answer = raw_http.ask(self.url, path, body)
                    seen = self.seen("sim/tag=spliced,odd=1")[-1]
                    self.assertEqual(answer.status, 200)
                    self.assertEqual(seen.body, body.replace(b'"alias"', b'"sim/tag=spliced,odd=1"'))
                    self.assertEqual(answer.body, bytes(seen.sent))

    def test_an_anthropic_body_is_spliced_alike(self):
        body = odd_body("/v1/messages", "claude-alias")
        answer = raw_http.ask(self.url, "/v1/messages", body, {"x-api-key": "sk-client", "anthropic-version": "2023-06-01"})
        seen = self.seen("sim/tag=claude")[-1]
        self.assertEqual(seen.body, body.replace(b'"claude-alias"', b'"sim/tag=claude"'))
        self.assertEqual(answer.body, bytes(seen.sent))

    def test_the_clients_key_is_replaced_by_the_upstreams(self):
        raw_http.ask(self.url, body=odd_body("/v1/chat/completions", "alias"),
                     headers={"Authorization": "Bearer sk-client-key"})
        seen = self.seen("sim/tag=spliced,odd=1")[-1]
        self.assertEqual(seen.header("authorization"), "Bearer sk-upstream-own-key")
        raw_http.ask(self.url, "/v1/messages", odd_body("/v1/messages", "claude-alias"), {"x-api-key": "sk-client-key"})
        seen = self.seen("sim/tag=claude")[-1]
        self.assertEqual(seen.header("x-api-key"), "sk-upstream-own-key")
        self.assertNotIn("sk-client-key", json.dumps(seen.headers))


if __name__ == "__main__":
    support.main()
