"""A client that goes away ends its call upstream within 50 ms, in every phase; what came so far is recorded.

Measured on one clock: this process is the client and the upstream. The bar stands for the median of several rounds,
because one scheduling hiccup of this shared machine is no property of the gateway; none may take 0.5 s.
Expects of the gateway: records of status "cancelled", http_status 499, with partial usage.
"""

import json
import statistics
import time
import unittest

import configuration
import gateway_case
import raw_http
import support

ROUNDS = 7
CANCEL_SECONDS_MAX = 0.05
CANCEL_SECONDS_WORST = 0.5


class ClientGone(gateway_case.GatewayCase):
    config_needed = False

    @classmethod
    def configure(cls, url):
        return configuration.render(
            [configuration.upstream("openai", url), configuration.upstream("anthropic", url, "anthropic"),
             configuration.upstream("failing", url)],
            [configuration.model("backs-off", "failing/sim/status=503,tag=backs-off")],
            retries={"backoff_ms": 1000, "backoff_ms_max": 1000}, breaker={"failures": 0})

    def leave(self, phase, path, model, stream, leave_when, how):
        """Seconds from the client's leaving until the upstream saw it, per round."""
        delays = []
        for number in range(ROUNDS):
            name = f"{model},tag={phase}-{path[4:].replace('/', '-')}-{how}-{number}"
            data = json.dumps(gateway_case.request_for(path, name, stream)).encode()
            connection = raw_http.Connection(self.url)
            connection.send(connection.head("POST", path, {}, len(data)) + data)
            leave_when(connection, name)
            left = time.monotonic()
            connection.reset() if how == "reset" else connection.socket.close()
            gone = self.upstream.wait_for(lambda name=name: [s.gone for s in self.seen(name) if s.gone])
            self.assertTrue(gone, f"{phase}: the upstream never saw that the client left")
            delays.append(gone[0] - left)
        return delays

    def assert_quick(self, delays):
        self.assertLess(statistics.median(delays), CANCEL_SECONDS_MAX, delays)
        self.assertLess(max(delays), CANCEL_SECONDS_WORST, delays)

    def arrived(self, _, name):
        self.assertTrue(self.upstream.wait_for(lambda: self.seen(name) and self.seen(name)[0].body))

    def after_words(self, count):
        def wait(connection, _):
            connection.receive(lambda body: body.count(b"\n\n") >= count)
        return wait

    def test_before_the_first_byte(self):
        for path in ("/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1/embeddings", "/v1/completions"):
            for how in ("close", "reset"):
                with self.subTest(path=path, how=how):
                    self.assert_quick(self.leave("waiting", path, "sim/slow=20", False, self.arrived, how))

    def test_before_the_first_token_of_a_stream(self):
        for path in ("/v1/chat/completions", "/v1/responses", "/v1/messages"):
            with self.subTest(path=path):
                self.assert_quick(self.leave("headless", path, "sim/slow=20", True, self.arrived, "close"))
                self.assert_quick(self.leave("tokenless", path, "sim/first_token=20", True, self.arrived, "close"))

    def test_in_the_middle_of_a_stream(self):
        for path in ("/v1/chat/completions", "/v1/responses", "/v1/messages"):
            for how in ("close", "reset"):
                with self.subTest(path=path, how=how):
                    self.assert_quick(self.leave("stream", path, "sim/tokens=400,pause_ms=20", True,
                                                 self.after_words(6), how))

    def test_while_a_stream_stalls(self):
        self.assert_quick(self.leave("stalled", "/v1/chat/completions", "sim/tokens=8,stall=20", True,
                                     self.after_words(4), "close"))

    def test_while_a_body_arrives(self):
        self.assert_quick(self.leave("body", "/v1/chat/completions", "sim/size=100000,stall=20", False,
                                     lambda connection, name: (self.arrived(connection, name), time.sleep(0.05)), "close"))

    def test_on_paths_that_pass_through(self):
        seen_before = len(self.upstream.seen)
        connection = raw_http.Connection(self.url)
        connection.send(connection.head("POST", "/v1/files", {"Content-Length": "1000"}) + b"x")
        time.sleep(0.1)
        connection.socket.close()
        # either the request never got there, or its connection was closed: never a whole request of one byte
        self.upstream.wait_for(lambda: any(s.gone for s in self.upstream.seen[seen_before:]), 0.5)
        self.assertFalse([s for s in self.upstream.seen[seen_before:] if s.status == 200])

    def test_during_the_pause_before_a_retry_nothing_more_is_tried(self):
        if not hasattr(self, "config"):
            self.skipTest("this program's `serve` knows no --config FILE")
        connection = raw_http.Connection(self.url)
        data = json.dumps(gateway_case.request_for("/v1/chat/completions", "backs-off")).encode()
        connection.send(connection.head("POST", "/v1/chat/completions", {}, len(data)) + data)
        self.assertTrue(self.upstream.wait_for(lambda: self.seen("sim/status=503,tag=backs-off")))
        connection.socket.close()
        time.sleep(1.6)
        self.assertEqual(len(self.seen("sim/status=503,tag=backs-off")), 1)

    def test_zz_what_was_recorded(self):
        """Cancelled calls have no answer that named their record: the log is searched by model."""
        records = list(self.recorded().values())
        for phase, partial in (("waiting", False), ("headless", False), ("stream", True)):
            with self.subTest(phase=phase):
                found = [r for r in records if f"tag={phase}-" in r["requested_model"]]
                self.assertTrue(found)
                self.assertEqual({(r["status"], r["http_status"]) for r in found}, {("cancelled", 499)})
                if partial:
                    self.assertTrue(all(r["usage"]["completion_tokens"] > 0 for r in found), "partial usage")
                    self.assertTrue(all("w1" in json.dumps(r["response"]) for r in found), "the partial answer")


if __name__ == "__main__":
    support.main()
