"""Start, drain, reload: what an operator does to a gateway while agents talk through it.

Expects of the gateway: `serve --config FILE`, `serve --validate --config FILE` (exit 0, or 3 with file, line and key),
SIGHUP reads the file again (a wrong one is refused and the old one stays), SIGTERM drains: open calls end, new ones are
refused, everything is recorded; listening in under 50 ms.
"""

import json
import signal
import socket
import statistics
import subprocess
import threading
import time
import unittest

import configuration
import gateway_case
import raw_http
import support

START_SECONDS_MAX = 0.05


class FreedMemory(gateway_case.GatewayCase):
    config_needed = False
    environment = {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=32"}

    def test_more_of_it_is_kept_at_hand_and_what_the_user_says_stands_behind(self):
        with open(f"/proc/{self.gateway.process.pid}/environ", "rb") as file:
            names = dict(entry.partition(b"=")[::2] for entry in file.read().split(b"\0"))
        ours, _, own = names[b"GLIBC_TUNABLES"].decode().rpartition(":")
        self.assertEqual(own, self.environment["GLIBC_TUNABLES"])
        self.assertIn("glibc.malloc.tcache_max=", ours)


class Drain(gateway_case.GatewayCase):
    config_needed = False

    def setUp(self):
        super().setUp()
        self.own = self.start_gateway()

    def test_sigterm_lets_open_calls_end_and_takes_no_new_ones(self):
        answers = {}

        def run(name, stream):
            answers[name] = raw_http.ask(self.own.url, body=gateway_case.request_for(
                "/v1/chat/completions", name, stream))
        names = {"sim/tokens=20,pause_ms=40,tag=drain-stream": True, "sim/slow=0.8,tag=drain-plain": False}
        threads = [threading.Thread(target=run, args=pair) for pair in names.items()]
        idle = raw_http.Connection(self.own.url)
        for thread in threads:
            thread.start()
        self.assertTrue(self.upstream.wait_for(lambda: all(self.seen(name) for name in names)))
        self.own.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        with self.assertRaises(OSError):
            raw_http.Connection(self.own.url)
        for thread in threads:
            thread.join()
        self.assertEqual(self.own.process.wait(timeout=10), 0)
        self.assertEqual(idle.socket.recv(1), b"", "an idle connection is closed")
        for name, answer in answers.items():
            self.assertEqual((answer.status, answer.clean), (200, True), (name, answer.error))
        stat = self.program.json("log", "stat")
        self.assertGreaterEqual(stat["calls"], 2)
        self.assertEqual(stat["corrupt"], [])

    def test_an_idle_gateway_ends_at_once(self):
        started = time.monotonic()
        self.assertEqual(self.own.stop(), 0)
        self.assertLess(time.monotonic() - started, 1)

    def test_a_second_sigterm_ends_it_whatever_is_open(self):
        with raw_http.Connection(self.own.url) as connection:
            data = json.dumps(gateway_case.request_for("/v1/chat/completions", "sim/slow=20,tag=stubborn")).encode()
            connection.send(connection.head("POST", "/v1/chat/completions", {}, len(data)) + data)
            self.assertTrue(self.upstream.wait_for(lambda: self.seen("sim/slow=20,tag=stubborn")))
            self.own.process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            self.assertIsNone(self.own.process.poll(), "it waits for the open call")
            self.own.process.send_signal(signal.SIGTERM)
            self.own.process.wait(timeout=5)


class Start(gateway_case.GatewayCase):
    config_needed = False

    def test_it_listens_in_under_50_ms(self):
        """The median of several starts, from exec to an accepted connection on a port known beforehand."""
        seconds = []
        for _ in range(7):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            command = self.program.command("serve", "--listen", f"127.0.0.1:{port}", "--upstream",
                                           self.upstream.url + "/v1")
            started = time.monotonic()
            with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL) as process:
                while time.monotonic() < started + 10:
                    try:
                        socket.create_connection(("127.0.0.1", port), timeout=1).close()
                        break
                    except OSError:
                        time.sleep(0.0005)
                seconds.append(time.monotonic() - started)
                process.terminate()
        self.assertLess(min(seconds), START_SECONDS_MAX, seconds)
        self.assertLess(statistics.median(seconds), 3 * START_SECONDS_MAX, "also on a busy machine")


class Reload(gateway_case.GatewayCase):
    @classmethod
    def configure(cls, url):
        return configuration.render([configuration.upstream("one", url)],
                                    [configuration.model("alias", "one/sim/tag=before")])

    def write(self, *models, **more):
        self.config.write_text(configuration.render([configuration.upstream("one", self.upstream.url + "/v1")],
                                                    models, **more))

    def reload(self):
        self.gateway.process.send_signal(signal.SIGHUP)

    def served(self):
        return self.ask("alias").json()["model"]

    def test_sighup_puts_a_new_configuration_in_force_without_touching_open_calls(self):
        self.assertEqual(self.served(), "sim/tag=before")
        answers = []
        thread = threading.Thread(target=lambda: answers.append(self.ask("sim/tokens=20,pause_ms=40,tag=open", stream=True)))
        thread.start()
        self.assertTrue(self.upstream.wait_for(lambda: self.seen("sim/tokens=20,pause_ms=40,tag=open")))
        self.write(configuration.model("alias", "one/sim/tag=after"))
        self.reload()
        self.assertTrue(gateway_case.wait_until(lambda: self.served() == "sim/tag=after", 5))
        thread.join()
        self.assertEqual((answers[0].status, answers[0].clean, answers[0].events()[-1][1]), (200, True, "[DONE]"))

    def test_sighup_with_a_wrong_file_keeps_the_old_one_and_says_why(self):
        self.write(configuration.model("alias", "one/sim/tag=good"))
        self.reload()
        self.assertTrue(gateway_case.wait_until(lambda: self.served() == "sim/tag=good", 5))
        self.config.write_text("[[upstream]]\nurl = 7\n")
        self.reload()
        self.assertTrue(gateway_case.wait_until(lambda: "understudy.toml" in self.gateway.log_text(), 5),
                        self.gateway.log_text())
        self.assertEqual(self.served(), "sim/tag=good")
        self.assertIsNone(self.gateway.process.poll())

    def test_under_load_a_reload_loses_no_call(self):
        statuses, stop = [], threading.Event()

        def load():
            while not stop.is_set():
                statuses.append(self.ask("sim/tag=reload-load").status)
        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        for number in range(10):
            self.write(configuration.model("alias", f"one/sim/tag=n{number}"))
            self.reload()
            time.sleep(0.05)
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(set(statuses), {200})

    def test_validate_accepts_a_good_file_and_names_what_is_wrong_in_a_bad_one(self):
        good = self.directory / "good.toml"
        good.write_text(configuration.render([configuration.upstream("one", "http://127.0.0.1:9/v1")]))
        self.assertEqual(self.program.run("serve", "--validate", "--config", good).returncode, 0)
        for line, says in (('[[upstream]]\nurll = "http://x/v1"', ["bad.toml", "urll", "url"]),
                           ('[[upstream]]\nurl = "ftp://x"', ["url", "http"]),
                           ('[[upstream]]\nurl = "http://x/v1"\n[capture]\nmode = "sometimes"', ["mode", "durable"]),
                           ('[[upstream]]\nurl = "http://x/v1"\n[[model]]\nname = "m"\ntargets = ["nowhere"]', ["nowhere"]),
                           ("this is no TOML", ["bad.toml:1"])):
            with self.subTest(file=line):
                bad = self.directory / "bad.toml"
                bad.write_text(line)
                done = self.program.run("serve", "--validate", "--config", bad)
                self.assertEqual(done.returncode, support.EXIT_BAD_INPUT, done.stderr)
                for word in says:
                    self.assertIn(word, done.stderr)


if __name__ == "__main__":
    support.main()
