"""What HTTP allows and what attackers try, against the gateway's own server.

Expects of the gateway: bodies to limits::body_bytes_max (64 MiB) and 413 beyond; Expect: 100-continue; chunked uploads;
slow clients that hold up nobody; 431 or 400 for header bombs; a request with two readings is refused and its
connection closed; no header and no request target names another upstream.
"""

import concurrent.futures
import json
import pathlib
import threading
import time
import unittest

import gateway_case
import raw_http
import support

MEBI = 1 << 20


def resident_mib(process):
    text = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) / 1024


def body_with_image(model, size):
    return json.dumps({"model": model, "messages": [{"role": "user", "content": [
        {"type": "text", "text": "what is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "QUJD" * (size // 4)}}]}]}).encode()


class Bodies(gateway_case.GatewayCase):
    config_needed = False

    def test_bodies_of_10_and_50_mb_arrive_whole(self):
        for size in (10 * MEBI, 50 * MEBI):
            with self.subTest(mebi=size // MEBI):
                body = body_with_image(f"sim/tag=large-{size}", size)
                answer = raw_http.ask(self.url, body=body, timeout=60)
                self.assertEqual(answer.status, 200, answer.body[:200])
                self.assertTrue(self.seen(f"sim/tag=large-{size}")[0].body == body, "the body was changed on its way")
                self.expect_recorded(answer.call_id, status="ok")

    def test_a_large_body_beside_streams_delays_them_not(self):
        gaps = []

        def stream():
            times = []
            with raw_http.Connection(self.url) as connection:
                data = json.dumps(gateway_case.request_for("/v1/chat/completions", "sim/tokens=60,pause_ms=10", True)).encode()
                connection.send(connection.head("POST", "/v1/chat/completions", {}, len(data)) + data)
                connection.receive(lambda _: times.append(time.monotonic()))
            gaps.append(max(later - earlier for earlier, later in zip(times, times[1:])))
        thread = threading.Thread(target=stream)
        thread.start()
        time.sleep(0.1)
        raw_http.ask(self.url, body=body_with_image("sim/tag=beside", 20 * MEBI), timeout=60)
        thread.join()
        # The upstream and this client share the process with the body's sender: half a second is theirs.
        self.assertLess(gaps[0], 1.0)

    def test_a_body_over_the_limit_is_413_and_not_read_to_its_end(self):
        with raw_http.Connection(self.url) as connection:
            connection.send(connection.head("POST", "/v1/chat/completions", {"Content-Length": str(200 * MEBI)}) +
                            b'{"model":"sim/tag=too-large"')
            answer = connection.receive()
        self.assertEqual(answer.status, 413)
        self.assertTrue(answer.json()["error"]["message"])
        self.assertEqual(self.seen("sim/tag=too-large"), [])

    def test_an_answer_of_20_mb_comes_back_whole(self):
        answer = self.ask("sim/size=20000000,tag=large-answer", timeout=60)
        self.assertEqual(answer.body, bytes(self.seen("sim/size=20000000,tag=large-answer")[0].sent))

    def test_expect_100_continue(self):
        body = json.dumps(gateway_case.request_for("/v1/chat/completions", "sim/tag=expect")).encode()
        with raw_http.Connection(self.url) as connection:
            connection.send(connection.head("POST", "/v1/chat/completions", {"Expect": "100-continue"}, len(body)))
            self.assertIn(b"100", connection.take_until(b"\r\n\r\n"))
            connection.send(body)
            answer = connection.receive()
        self.assertEqual(answer.status, 200)
        self.assertEqual(self.seen("sim/tag=expect")[0].body, body)

    def test_chunked_uploads(self):
        body = json.dumps(gateway_case.request_for("/v1/chat/completions", "sim/tag=chunked", text="x" * 5000)).encode()
        with raw_http.Connection(self.url) as connection:
            connection.send(connection.head("POST", "/v1/chat/completions", {"Transfer-Encoding": "chunked"}))
            for start in range(0, len(body), 777):
                part = body[start:start + 777]
                connection.send(f"{len(part):X};ext=1\r\n".encode() + part + b"\r\n")
            connection.send(b"0\r\nX-Trailer: 1\r\n\r\n")
            answer = connection.receive()
            self.assertEqual(answer.status, 200, answer.body)
            # the connection stays in step
            connection.send(connection.head("POST", "/v1/chat/completions", {}, len(body)) + body)
            self.assertEqual(connection.receive().status, 200)
        seen = self.seen("sim/tag=chunked")
        self.assertEqual([one.body for one in seen], [body, body])

    def test_a_request_in_single_bytes(self):
        body = json.dumps(gateway_case.request_for("/v1/chat/completions", "sim/tag=bytes")).encode()
        with raw_http.Connection(self.url) as connection:
            for byte in connection.head("POST", "/v1/chat/completions", {}, len(body)) + body:
                connection.send(bytes([byte]))
            self.assertEqual(connection.receive().status, 200)
        self.assertEqual(self.seen("sim/tag=bytes")[0].body, body)

    def test_two_requests_in_one_packet_are_answered_in_order(self):
        requests = []
        with raw_http.Connection(self.url) as connection:
            for number in range(2):
                body = json.dumps(gateway_case.request_for("/v1/chat/completions", "sim/", text=f"pipelined {number}")).encode()
                requests.append(connection.head("POST", "/v1/chat/completions", {}, len(body)) + body)
            connection.send(b"".join(requests))
            answers = [connection.receive() for _ in range(2)]
        self.assertEqual([f"pipelined {n}" in answer.body.decode() for n, answer in enumerate(answers)], [True, True])

    def settled_memory(self):
        last, calm = resident_mib(self.gateway.process), 0
        for _ in range(100):
            time.sleep(0.1)
            now = resident_mib(self.gateway.process)
            calm = calm + 1 if abs(now - last) < 0.5 else 0
            last = now
            if calm == 5:
                break
        return last

    def test_a_slow_reader_costs_neither_memory_nor_other_clients(self):
        before = self.settled_memory()  # the large bodies of earlier tests may still be on their way to the log
        held = []
        for number in range(3):
            connection = raw_http.Connection(self.url)
            connection.socket.setsockopt(raw_http.socket.SOL_SOCKET, raw_http.socket.SO_RCVBUF, 4096)
            data = json.dumps(gateway_case.request_for("/v1/chat/completions", f"sim/tokens=40000,tag=slow{number}", True)).encode()
            connection.send(connection.head("POST", "/v1/chat/completions", {}, len(data)) + data)
            held.append(connection)
        time.sleep(1.5)
        self.assertEqual(self.ask("sim/tag=beside-slow").status, 200)
        grown = resident_mib(self.gateway.process) - before
        for connection in held:
            connection.reset()
        # One such stream is 13 MB on the wire; what waits must wait at the upstream.
        self.assertLess(grown, 16, "the gateway holds what its slow readers do not read")

    def test_a_slow_writer_holds_up_nobody(self):
        with raw_http.Connection(self.url) as connection:
            connection.send(connection.head("POST", "/v1/chat/completions", {}, 1000) + b'{"model"')
            self.assertEqual(self.ask("sim/tag=beside-writer").status, 200)

    def test_zz_what_was_recorded(self):
        self.check_recorded()


class Attacks(gateway_case.GatewayCase):
    config_needed = False

    def raw(self, data, timeout=5):
        with raw_http.Connection(self.url, timeout) as connection:
            connection.send(data)
            answer = connection.receive()
            if answer.status:
                connection.socket.settimeout(1)
                try:
                    answer.closed = connection.socket.recv(1) == b""
                except OSError:
                    answer.closed = False
            return answer

    def requests_upstream(self):
        return len(self.upstream.seen)

    def test_header_bombs_are_refused(self):
        for name, head in (("one of 10 MB", b"X-Bomb: " + b"a" * (10 * MEBI) + b"\r\n"),
                           ("100,000 small ones", b"".join(b"X-%d: 1\r\n" % n for n in range(100_000))),
                           ("no end", b"X-Bomb: " + b"b" * (4 * MEBI))):
            with self.subTest(bomb=name):
                before = self.requests_upstream()
                try:
                    answer = self.raw(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n" + head +
                                      b"\r\n{}")
                except OSError:
                    answer = None  # it stopped reading and closed: as good
                if answer is not None and answer.status:
                    self.assertIn(answer.status, (400, 413, 431))
                self.assertEqual(self.requests_upstream(), before)
        self.assertEqual(self.ask("sim/tag=after-bombs").status, 200)

    def test_smuggled_requests_are_refused(self):
        body = json.dumps(gateway_case.request_for("/v1/chat/completions", "sim/tag=smuggle")).encode()
        inner = b"GET /v1/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
        length = b"Content-Length: %d\r\n" % len(body)
        start = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
        attacks = {
            "both framings": start + length + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inner,
            "two lengths": start + length + b"Content-Length: 5\r\n\r\n" + body + inner,
            "lengths in a list": start + b"Content-Length: %d, 5\r\n\r\n" % len(body) + body + inner,
            "a signed length": start + b"Content-Length: +%d\r\n\r\n" % len(body) + body + inner,
            "a negative length": start + b"Content-Length: -1\r\n\r\n" + body,
            "an odd encoding": start + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + inner,
            "chunked not last": start + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + inner,
            "a blank before the colon": start + b"Content-Length : %d\r\n\r\n" % len(body) + body + inner,
            "a bare line feed in a chunk size": start + b"Transfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n" + inner,
            "a chunk size too large": start + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n",
        }
        for name, data in attacks.items():
            with self.subTest(attack=name):
                before = self.requests_upstream()
                answer = self.raw(data)
                self.assertIn(answer.status, (400, 411, 413, 501), name)
                self.assertTrue(answer.closed, "the connection must end: nobody knows where the next request begins")
                self.assertEqual(self.requests_upstream(), before)
        self.assertFalse([seen for seen in self.upstream.seen if "smuggled" in seen.path])

    def test_a_folded_header_is_refused_or_unfolded(self):
        body = json.dumps(gateway_case.request_for("/v1/chat/completions", "sim/tag=folded")).encode()
        answer = self.raw(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nX-A: 1\r\n Content-Length: 5\r\n"
                          b"Content-Length: %d\r\n\r\n" % len(body) + body)
        if answer.status != 400:
            self.assertEqual([seen.body for seen in self.seen("sim/tag=folded")], [body])

    def test_no_header_and_no_target_names_another_upstream(self):
        other = gateway_case.inside_upstream.InsideUpstream()
        self.addCleanup(other.stop)
        address = f"127.0.0.1:{other.port}"
        body = json.dumps(gateway_case.request_for("/v1/chat/completions", "sim/tag=ssrf")).encode()
        for header in ("x-portkey-custom-host", "x-upstream", "x-understudy-upstream", "x-forwarded-host", "x-base-url",
                       "x-original-url", "x-rewrite-url", "forwarded", "Host", "x-understudy-url"):
            with self.subTest(header=header):
                answer = raw_http.ask(self.url, body=body, headers={header: address if header == "Host" else
                                                                    f"http://{address}/v1"})
                self.assertEqual(answer.status, 200)
                self.assertEqual(self.seen("sim/tag=ssrf")[-1].header("host"), f"127.0.0.1:{self.upstream.port}")
        for target in (f"http://{address}/v1/chat/completions", f"//{address}/v1/chat/completions",
                       f"/v1/../../@{address}/v1/chat/completions", f"/v1@{address}/x", "/v1/%2e%2e/simulated/statistics",
                       "/v1/../simulated/statistics", "/v1/..%2fsimulated/statistics"):
            with self.subTest(target=target):
                with raw_http.Connection(self.url) as connection:
                    connection.send(connection.head("POST", target, {}, len(body)) + body)
                    connection.receive()
        with raw_http.Connection(self.url) as connection:
            connection.send(f"CONNECT {address} HTTP/1.1\r\nHost: {address}\r\n\r\n".encode())
            self.assertGreaterEqual(connection.receive().status, 400)
        self.assertEqual(other.seen, [], "a request reached an upstream that nobody configured")
        self.assertEqual([s.path for s in self.upstream.seen if "statistics" in s.path and ".." not in s.path], [])

    def test_control_characters_in_headers_are_refused_or_dropped(self):
        body = b"{}"
        for head in (b"X-A: a\0b\r\n", b"X-A: a\rX-Smuggled: 1\r\n", b"Bad Name: 1\r\n", b": 1\r\n"):
            with self.subTest(head=head):
                answer = self.raw(b"POST /v1/files HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n" + head + b"\r\n" + body)
                self.assertGreaterEqual(answer.status, 400)
        self.assertFalse([s for s in self.upstream.seen if s.header("x-smuggled")])

    def test_nonsense_is_refused_and_the_gateway_lives(self):
        for data in (b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + b"\0" * 200, b"GET\r\n\r\n", b"\0" * 5000,
                     b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET /v1/models HTTP/9.9\r\nHost: x\r\n\r\n"):
            with self.subTest(data=data[:20]):
                answer = self.raw(data)
                self.assertTrue(answer.status == 0 or answer.status >= 400, answer.status)
        self.assertEqual(self.ask("sim/tag=after-nonsense").status, 200)

    def test_bodies_that_are_no_request_are_400_in_the_apis_own_form(self):
        for path, key in (("/v1/chat/completions", "error"), ("/v1/responses", "error"), ("/v1/messages", "type")):
            for body in (b"{oops", b"[]", b'"text"', b"", b"{}", b'{"model": 7}', b"\xff\xfe", b'{"model":"x"} trailing',
                         b"[" * 100_000):
                with self.subTest(path=path, body=body[:20]):
                    answer = raw_http.ask(self.url, path, body)
                    self.assertEqual(answer.status, 400)
                    self.assertIn(key, answer.json())

    def test_many_idle_connections_are_no_obstacle(self):
        held = [raw_http.Connection(self.url) for _ in range(500)]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(lambda n: self.ask(f"sim/tag=idle{n}").status, range(32)))
        self.assertEqual(set(statuses), {200})
        for connection in held:
            connection.socket.close()


if __name__ == "__main__":
    support.main()
