"""The demo's agents call without a pause, plain and streaming, with and without tools, while everything under them
changes: modes up and down, new policies and back, kill switches, a small model's server that dies and one that hangs. No
call may fail, every answer must be a legal one, and each decision must be explained in headers, log and metrics alike."""

import collections
import os
import pathlib
import re
import signal
import unittest

import configuration
import gateway_case
import live_agents
import raw_http
import support
from support import agents

TRAINER = pathlib.Path(support.PROGRAM).parent / "understudy-train"
AGENTS = ["intent", "intent", "tools", "tools", "think", "writing"]
LLM_REASONS = {"no_task", "shadow", "canary", "tool_loop", "off", "low_confidence", "invalid_answer", "slm_error"}
TRAINING_MINUTES = 0.25


def servers_of(gateway):
    """The llama-servers that a gateway has started: it forks them from a thread of its own."""
    found = []
    for status in pathlib.Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text()
        except OSError:
            continue
        if re.search(rf"^PPid:\t{gateway.process.pid}$", text, re.M) and text.startswith("Name:\tllama-server"):
            found.append(int(status.parent.name))
    return found


class LivePolicy(support.ProgramTest):
    def setUp(self):
        super().setUp()
        if not os.access(TRAINER, os.X_OK):
            raise unittest.SkipTest("understudy-train is not built")

    def learn(self):
        """Two tasks with proven models: labels by a classifier in process, tool calls by a llama-server."""
        self.with_keys()
        self.program.json("import", self.write_lines("calls.jsonl", support.records("intent", 1, 1000) +
                                                     support.records("tools", 1, 1200)))
        self.program.json("curate")
        self.program.json("cluster")
        tasks = {task["answer_form"]: task["id"] for task in self.program.json("tasks")}
        self.labels, self.calls = tasks["label"], tasks["tool_call"]
        self.program.json("tune", self.calls, "--candidate", "nano", "--max-minutes", TRAINING_MINUTES)
        self.first_classifier = self.new_classifier()
        for task in (self.labels, self.calls):
            evaluation = self.program.json("evaluate", task, "--alpha", "0.1")
            self.assertEqual(evaluation["verdict"], "convert", evaluation["reason"])

    def new_classifier(self):
        return self.program.json("tune", self.labels, "--candidate", "classifier")["id"]

    def start(self):
        self.upstream = self.children.upstream("oracle", "--first-token-ms", 5)
        config = self.directory / "understudy.toml"
        config.write_text(configuration.render([configuration.upstream("default", self.upstream.url + "/v1")]) +
                          configuration.table("[admin]", {"listen": "127.0.0.1:0"}))
        self.admin_port = self.directory / "admin-port"
        self.gateway = self.children.start("gateway", self.program.command(
            "serve", "--config", config, "--admin-port-file", self.admin_port))
        self.agents = live_agents.LiveAgents(self.gateway.url, AGENTS)
        self.addCleanup(self.agents.stop)

    def until(self, agent, **wanted):
        """An agent of this kind sees it: served_by, reason, mode, task, model."""
        def right(exchange):
            seen = {"served_by": exchange.reply.served_by, "reason": exchange.reply.reason, "mode": exchange.mode,
                    "task": exchange.task, "model": exchange.model}
            return exchange.call.agent == agent and not exchange.in_tool_loop and seen.items() >= wanted.items()
        return self.agents.wait_for(right)

    def test_agents_never_notice(self):
        self.learn()
        self.start()
        self.until("tools", served_by="llm", reason="no_task")
        self.walk_through_the_modes()
        self.take_a_new_policy_and_go_back()
        self.pull_the_kill_switches()
        self.lose_the_models_server()
        self.program.json("rollback", self.calls)
        self.until("tools", served_by="llm", reason="no_task")
        exchanges = self.agents.stop()
        self.check_answers(exchanges)
        self.check_explanations(exchanges)

    def walk_through_the_modes(self):
        self.program.json("promote", self.calls, "--mode", "shadow")
        self.until("tools", served_by="llm", reason="shadow", mode="shadow")
        self.program.json("promote", self.calls, "--mode", "canary", "--canary", "50")
        self.until("tools", served_by="slm", reason="accepted", mode="canary", task=self.calls)
        self.until("tools", served_by="llm", reason="canary", mode="canary")
        self.program.json("promote", self.calls, "--audit", "20")
        self.until("tools", served_by="slm", mode="active")
        self.program.json("promote", self.labels)
        self.until("intent", served_by="slm", reason="accepted", task=self.labels)

    def take_a_new_policy_and_go_back(self):
        """What the agents have asked meanwhile is learned from, by the verbs that a person would use."""
        first = self.until("intent", served_by="slm").model
        self.program.json("curate")
        self.program.json("cluster", "--new-calls")
        self.assertNotEqual(self.new_classifier(), self.first_classifier)
        self.program.json("evaluate", self.labels, "--alpha", "0.1")
        self.program.json("promote", self.labels)
        second = self.agents.wait_for(lambda e: e.call.agent == "intent" and e.model not in ("", first)).model
        self.program.json("rollback", self.labels, "--to-previous")
        self.until("intent", model=first)
        self.assertNotEqual(first, second)

    def pull_the_kill_switches(self):
        self.program.json("route", "off", self.calls)
        self.until("tools", served_by="llm", reason="off", mode="off")
        self.until("intent", served_by="slm")
        self.program.json("route", "off", "--all")
        self.until("intent", served_by="llm", reason="off")
        self.until("writing", served_by="llm", reason="off")
        self.program.json("route", "on", "--all")
        self.until("intent", served_by="slm")
        self.until("tools", served_by="llm", reason="off")  # it was switched off by itself, too
        self.program.json("route", "on", self.calls)
        self.until("tools", served_by="slm")

    def lose_the_models_server(self):
        for number, seen in ((signal.SIGKILL, 1), (signal.SIGSTOP, 2)):
            server, = servers_of(self.gateway)
            os.kill(server, number)
            self.until("tools", served_by="llm", reason="slm_error", task=self.calls)
            self.until("tools", served_by="slm")
            self.assertEqual(self.gateway.log_text().count("is away"), seen, "each loss is noticed once")
            self.assertNotIn(server, servers_of(self.gateway))

    def check_answers(self, exchanges):
        self.assertGreater(len(exchanges), 500)
        faults = [f"{e.call.agent}, {e.reply.served_by}, {e.reply.reason}: {fault}" for e in exchanges
                  if (fault := live_agents.fault(e))]
        self.assertEqual(faults, [], f"of {len(exchanges)} calls")
        by_small_model = [e for e in exchanges if e.reply.served_by == "slm"]
        right = sum(agents.same_answer(e.reply.message, e.call.answer) for e in by_small_model)
        self.assertGreaterEqual(right, 0.9 * len(by_small_model))
        seen = collections.Counter((e.call.agent, e.reply.served_by, e.reply.reason) for e in exchanges)
        print(f"{len(exchanges)} calls, 0 failed, {len(by_small_model)} by small models, {right} of those as the LLM;",
              ", ".join(f"{' '.join(what)} {count}" for what, count in sorted(seen.items())), flush=True)

    def check_explanations(self, exchanges):
        for exchange in exchanges:
            reply = exchange.reply
            if reply.served_by == "slm":
                self.assertEqual(reply.reason, "accepted")
                self.assertTrue(exchange.task and exchange.model and exchange.mode in ("canary", "active"))
                self.assertGreater(float(reply.headers["x-understudy-confidence"]), 0)
            else:
                self.assertIn(reply.reason, LLM_REASONS)
        self.check_metrics(exchanges)
        self.gateway.stop()
        logged = {call["id"]: call for call in self.program.logged_calls("--metadata")}
        for exchange in exchanges:
            route = logged[exchange.reply.call_id]["route"]
            self.assertEqual((route["server"], route["reason"], route.get("task") or ""),
                             (exchange.reply.served_by, exchange.reply.reason, exchange.task))
        self.assertTrue(any(call["route"]["reason"] == "audit" for call in logged.values()))

    def check_metrics(self, exchanges):
        token = self.program.json("access", "token", "--role", "auditor")["secret"]

        def scrape():
            with raw_http.Connection(f"http://127.0.0.1:{self.admin_port.read_text().strip()}") as connection:
                connection.send(connection.head("GET", "/metrics", {"Authorization": f"Bearer {token}"}))
                answer = connection.receive()
            return answer.body.decode() if answer.status == 200 else ""

        def counted(server):
            return sum(float(line.rpartition(" ")[2]) for line in scrape().splitlines()
                       if line.startswith("understudy_requests_total{") and f'served_by="{server}"' in line)
        # The last call counts just behind its answer.
        for server in ("slm", "llm"):
            wanted = sum(e.reply.served_by == server for e in exchanges)
            gateway_case.wait_until(lambda server=server, wanted=wanted: counted(server) == wanted)
            self.assertEqual(counted(server), wanted, server)
        self.assertRegex(scrape(), rf'understudy_route_mode{{[^}}]*task="{self.labels}"')


if __name__ == "__main__":
    support.main()
