"""Who may call: virtual keys from the command line and the admin API, limits, budgets over a restart, role tokens."""

import json
import re

import configuration
import gateway_case
import raw_http
import support

CHAT = "/v1/chat/completions"
GATEWAY_PAGE = support.PROJECT / "docs/reference/gateway_api.yaml"
# What stands in front of the last '/' of a model's name is its provider's.
PRICES = """
[[price]]
model = "tokens=*"
input_usd_per_million = 1000
output_usd_per_million = 1000
"""


class AccessCase(gateway_case.GatewayCase):
    @classmethod
    def configure(cls, url):
        text = configuration.render([configuration.upstream("default", url, api_key_env="UPSTREAM_KEY")])
        return (text + configuration.table("[access]", {"required": True}) +
                configuration.table("[admin]", {"listen": "127.0.0.1:0"}))

    environment = {"UPSTREAM_KEY": "sk-upstream"}

    @classmethod
    def start_gateway(cls):
        cls.admin_port_file = cls.directory / "admin-port"
        cls.admin_port_file.unlink(missing_ok=True)
        cls.serve_words = ("--admin-port-file", cls.admin_port_file)
        (cls.home / "prices.toml").write_text(PRICES)
        return super().start_gateway()

    @classmethod
    def add(cls, name, *words):
        return cls.program.json("access", "add", "--name", name, *words)["secret"]

    def call(self, secret, model="sim/", header="Authorization", url=None, **more):
        headers = {header: f"Bearer {secret}" if header == "Authorization" else secret} if secret else {}
        return raw_http.ask(url or self.url, CHAT, gateway_case.request_for(CHAT, model, **more), headers)

    def until(self, status, secret, **more):
        """The gateway takes a change of the keys within a second."""
        answers = []

        def right():
            answers.append(self.call(secret, **more))
            return answers[-1].status == status
        self.assertTrue(gateway_case.wait_until(right, seconds=2), answers[-1].body)
        return answers[-1]

    def admin(self, method, path, token="", body=None):
        port = int(self.admin_port_file.read_text())
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        with raw_http.Connection(f"http://127.0.0.1:{port}") as connection:
            data = json.dumps(body).encode() if body is not None else b""
            connection.send(connection.head(method, path, headers, len(data)) + data)
            return connection.receive()


class VirtualKeys(AccessCase):
    def test_without_a_key_nobody_is_served(self):
        for secret in ("", "sk-upstream", "us-" + "A" * 43):
            answer = self.call(secret)
            self.assertEqual(answer.status, 401)
            self.assertEqual(answer.json()["error"]["code"], "invalid_api_key")
            self.assertNotIn(b"AAAA", answer.body)

    def test_on_every_path_nobody_is_served_without_a_key_but_health(self):
        token = self.program.json("access", "token", "--role", "admin", "--name", "no-caller")["secret"]
        routes = re.findall(r"^  (/\S+?):\n    (get|post)", GATEWAY_PAGE.read_text(), re.MULTILINE)
        self.assertEqual(len(routes), 8)
        for path, method in [*routes, ("/v1/files", "get"), ("/v1/responses/r-1", "delete")]:
            for secret in ("", "us-" + "A" * 43, token):
                with self.subTest(path=path, method=method, secret=secret[:3]):
                    with raw_http.Connection(self.url) as connection:
                        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
                        connection.send(connection.head(method.upper(), path, headers, 0))
                        answer = connection.receive()
                    self.assertEqual(answer.status, 200 if path == "/health" else 401)
                    self.assertNotIn(b"AAAA", answer.body)

    def test_a_new_key_works_within_a_second_by_either_header(self):
        secret = self.add("fresh")
        self.until(200, secret)
        self.assertEqual(self.call(secret, header="x-api-key").status, 200)
        self.assertNotIn(secret, (self.home / "access.json").read_text())

    def test_the_upstream_never_sees_a_virtual_key(self):
        secret = self.add("hidden")
        self.until(200, secret)
        seen = json.dumps([str(request.get("headers", request)) if isinstance(request, dict) else str(request)
                           for request in self.upstream.seen])
        self.assertNotIn(secret, seen)

    def test_a_revoked_key_ends_within_a_second(self):
        secret = self.add("ended")
        self.until(200, secret)
        self.program.text("access", "revoke", "ended")
        self.assertIn("revoked", self.until(401, secret).json()["error"]["message"])

    def test_a_rotated_key_has_a_new_secret(self):
        old = self.add("turning")
        self.until(200, old)
        new = self.program.json("access", "rotate", "turning")["secret"]
        self.until(401, old)
        self.assertEqual(self.call(new).status, 200)

    def test_a_key_keeps_to_its_models(self):
        secret = self.add("narrow", "--models", "sim/tag=a*,other")
        self.until(200, secret, model="sim/tag=abc")
        answer = self.call(secret, model="sim/tag=b")
        self.assertEqual((answer.status, answer.json()["error"]["code"]), (403, "model_not_allowed"))

    def test_a_key_with_limits_generates_nowhere_that_is_not_counted(self):
        narrow, free = self.add("counted", "--models", "sim/*"), self.add("uncounted", "--rpm", "1000")
        self.until(200, narrow)
        self.until(200, free)
        for path, method, status in (("/v1/images/generations", "POST", 403), ("/v1/models", "GET", 200),
                                     ("/v1/chat/completions/", "POST", 404), ("/v1/%63hat/completions", "POST", 404)):
            with self.subTest(path=path), raw_http.Connection(self.url) as connection:
                connection.send(connection.head(method, path, {"Authorization": f"Bearer {narrow}"}, 2) + b"{}")
                answer = connection.receive()
                self.assertEqual(answer.status, status, answer.body)
        with raw_http.Connection(self.url) as connection:
            connection.send(connection.head("POST", "/v1/images/generations", {"Authorization": f"Bearer {free}"}, 2) + b"{}")
            self.assertNotEqual(connection.receive().status, 403)

    def test_requests_per_minute(self):
        secret = self.add("slow", "--rpm", "3")
        self.until(200, secret)
        answers = [self.call(secret) for _ in range(4)]
        self.assertEqual([answer.status for answer in answers].count(429), 2)
        self.assertEqual(answers[0].header("x-ratelimit-limit-requests"), "3")
        self.assertEqual(answers[0].header("x-ratelimit-remaining-requests"), "1")
        self.assertLessEqual(int(answers[-1].header("retry-after")), 20)
        self.assertEqual(answers[-1].json()["error"]["code"], "rate_limit_exceeded")

    def test_errors_have_the_form_of_the_clients_api(self):
        answer = raw_http.ask(self.url, "/v1/messages", gateway_case.request_for("/v1/messages", "sim/"), {})
        self.assertEqual((answer.status, answer.json()["type"]), (401, "error"))


class Budgets(AccessCase):
    def test_a_budget_is_spent_once_also_over_a_restart(self):
        secret = self.add("poor", "--budget-usd", "2")  # 2000 tokens at the prices of this test
        self.until(200, secret, model="sim/tokens=2100")
        refused = self.call(secret, model="sim/tokens=1")
        self.assertEqual((refused.status, refused.json()["error"]["code"]), (429, "insufficient_quota"))
        self.assertEqual(refused.header("x-should-retry"), "false")
        self.gateway.stop()
        spent = {key["name"]: key["spent"] for key in self.program.json("access", "list")["keys"]}
        self.assertGreaterEqual(spent["poor"]["usd"], 2)
        type(self).gateway = self.start_gateway()
        self.assertEqual(self.call(secret, model="sim/tokens=1", url=self.gateway.url).status, 429)


class AdminApi(AccessCase):
    def test_it_is_for_tokens_only(self):
        self.assertEqual(self.admin("GET", "/health").body, b'{"status":"ok"}')
        self.assertEqual(self.admin("GET", "/metrics").status, 401)
        self.assertEqual(self.admin("GET", "/metrics", "ut-" + "A" * 43).status, 401)
        # The agents' port knows no admin API.
        for path in ("/metrics", "/admin/keys"):
            with raw_http.Connection(self.url) as connection:
                connection.send(connection.head("GET", path, {}))
                self.assertEqual(connection.receive().status, 404)

    def test_roles(self):
        auditor = self.program.json("access", "token", "--role", "auditor")["secret"]
        admin = self.program.json("access", "token", "--role", "admin")["secret"]
        self.assertTrue(gateway_case.wait_until(lambda: self.admin("GET", "/metrics", auditor).status == 200))
        self.until(200, self.add("counted"))
        # A call counts when it has ended, which may be just behind the client's last byte.
        for name in ("understudy_requests_total", "understudy_overhead_microseconds_bucket",
                     "gen_ai_client_token_usage", "process_resident_memory_bytes"):
            self.assertTrue(gateway_case.wait_until(
                lambda name=name: name in self.admin("GET", "/metrics", auditor).body.decode()), name)
        self.assertEqual(self.admin("POST", "/admin/keys", auditor, {"name": "x"}).status, 403)
        made = self.admin("POST", "/admin/keys", admin, {"name": "by-api", "requests_per_minute": 100})
        self.assertEqual(made.status, 201, made.body)
        self.assertEqual(self.call(made.json()["secret"]).status, 200)
        keys = self.admin("GET", "/admin/keys", auditor).json()["keys"]
        self.assertIn("by-api", [key["name"] for key in keys])
        self.assertEqual(self.admin("DELETE", "/admin/keys/by-api", admin).status, 200)
        self.assertEqual(self.call(made.json()["secret"]).status, 401)
        self.assertEqual(self.admin("GET", "/admin/upstreams", auditor).status, 200)
        self.assertEqual(self.admin("GET", "/admin/log", auditor).status, 200)
        self.assertEqual(self.admin("POST", "/admin/reload", admin).status, 200)
        log = self.gateway.log_text()
        self.assertNotIn(admin, log)
        self.assertNotIn(made.json()["secret"], log)


class CommandLine(support.ProgramTest):
    def test_a_person_reads_limits_and_spending(self):
        self.program.text("access", "add", "--name", "agents", "--rpm", "60", "--usd-per-day", "2.5",
                          "--models", "gpt-4o*,claude-*", "--expires", "2099-01-31", "--tenant", "acme")
        shown = self.program.text("access", "list")
        for part in ("agents", "acme", "60 requests/min", "$2.50/day", "gpt-4o* claude-*", "until 2099-01-31"):
            self.assertIn(part, shown)

    def test_errors_say_what_to_do(self):
        self.program.text("access", "add", "--name", "agents")
        self.assert_fails(9, "access", "add", "--name", "agents", says=("taken", "rotate"))
        self.assert_fails(support.EXIT_BAD_INPUT, "access", "add", "--name", "a/b", says=("no name",))
        self.assert_fails(support.EXIT_BAD_INPUT, "access", "add", "--name", "x", "--expires", "soon", says=("no date",))
        self.assert_fails(support.EXIT_BAD_INPUT, "access", "token", "--role", "king", says=("curator, auditor and admin",))
        self.assert_fails(support.EXIT_NOT_FOUND, "access", "revoke", "nobody", says=("access list",))
        self.assert_fails(support.EXIT_USAGE, "access", "add", "--name", "x", "--rpm", "-3")


del AccessCase  # a base, not a test
if __name__ == "__main__":
    support.main()
