"""The loop inside `understudy console --refine`: what the agents ask is learned from without a person, the gateway, which
opens no secret key, takes the new policies up, a demotion is looked at at once, and a console that is killed in the middle
of a turn leaves one that goes on with it."""

import json
import signal
import time
import urllib.error
import urllib.request

import gateway_case
import live_agents
import refine_test
import support
from support import agents, harness

PASSPHRASES = {"UNDERSTUDY_PASSPHRASE_ADMIN": "correct horse"}
CALLS = 250


class RefineDaemon(support.ProgramTest):
    def console(self, *words, environment=None):
        url_file = self.directory / f"url-{len(self.children.children)}"
        child = self.children.start("console", self.program.command(
            "console", "--listen", "127.0.0.1:0", "--url-file", url_file, *words), environment)
        self.token = url_file.read_text().strip().partition("#token=")[2]
        self.console_url = child.url
        return child

    def loop(self, reason=None):
        body = json.dumps({"reason": reason}).encode() if reason else None
        request = urllib.request.Request(self.console_url + "/api/loop", body, {
            "Authorization": f"Bearer {self.token}", "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def until(self, condition, seconds=240):
        """The loop's state once `condition` of it holds."""
        deadline = time.monotonic() + seconds
        while True:
            state = self.loop()
            if condition(state):
                return state
            if time.monotonic() > deadline:
                self.fail(f"the loop never came to it: {json.dumps(state)[:2000]}")
            time.sleep(0.1)

    def learned(self, records, environment=None):
        run = lambda *words: self.program.json(*words, environment=environment)  # noqa: E731
        run("import", self.write_lines("calls.jsonl", records))
        run("curate")
        run("cluster")
        task = max(run("tasks"), key=lambda entry: entry["statistics"]["calls"])["id"]
        run("tune", task, "--candidate", "classifier")
        run("evaluate", task, "--alpha", "0.1")
        return task

    def configure(self, **refine):
        (self.home / "understudy.toml").write_text(
            "[refine]\n" +
            "".join(f"{key.replace('_', '-')} = {json.dumps(value)}\n" for key, value in refine.items()))

    def test_new_calls_become_a_new_policy_of_a_gateway_without_keys(self):
        self.with_keys()
        self.program.text("keys", "protect", "admin", environment={"UNDERSTUDY_NEW_PASSPHRASE_ADMIN": "correct horse"})
        task = self.learned(support.records("intent", 1, 900), PASSPHRASES)
        self.configure(new_calls=100, alpha=0.1)
        # Policies are signed with a passphrase only, which the console gets and the gateway does not. The LLM teaches while
        # the small model is in its shadow.
        self.program.json("promote", task, "--mode", "shadow", environment=PASSPHRASES)
        upstream = self.children.upstream("oracle")
        gateway = self.children.gateway(self.program, upstream.url)
        self.console("--refine", "--refine-minutes", "0.02", environment=PASSPHRASES)
        first = self.until(lambda state: state["daemon"]["last"])
        self.assertEqual(first["daemon"]["last"]["why"], "the console has started")
        self.assertEqual(first["turns"], [], "nothing asks for a turn yet")
        before = json.loads((self.home / "policy/current").read_text())
        crowd = live_agents.LiveAgents(gateway.url, ["intent"] * 2)
        gateway_case.wait_until(lambda: len(crowd.exchanges) > CALLS, seconds=60)
        exchanges = crowd.stop()
        self.assertGreater(len(exchanges), CALLS)
        state = self.until(lambda state: any(turn["stage"] == "done" for turn in state["turns"]))
        turn = state["turns"][-1]
        self.assertEqual((turn["task"], turn["branch"]), (task, "S2"))
        self.assertIn("new data", turn["trigger"])
        self.assertIn(turn["outcome"], ("promoted", "kept_champion"), turn)
        if turn["outcome"] == "promoted":
            self.assertGreater(json.loads((self.home / "policy/current").read_text()), before)
            current = lambda: harness.get_json(gateway.url + "/health")["policy_version"] > before  # noqa: E731
            self.assertTrue(gateway_case.wait_until(current), "the gateway took the policy up")
        self.assertEqual([live_agents.fault(e) for e in exchanges if live_agents.fault(e)], [])

    def test_a_demotion_is_looked_at_at_once_and_a_killed_console_is_gone_on_with(self):
        self.with_keys()
        # What the LLM said once: every label the next one's. Now it says the right ones, and the audit finds out.
        labels = sorted({call.answer["content"] for call in agents.generate("intent", 1, 300)})
        said = dict(zip(labels, labels[1:] + labels[:1]))
        old = support.records("intent", 1, 900)
        for record in old:
            message = record["response"]["choices"][0]["message"]
            message["content"] = said[message["content"]]
        task = self.learned(old)
        self.configure(alpha=0.1)
        self.program.json("promote", task, "--audit", "100")
        upstream = self.children.upstream("oracle")
        gateway = self.children.gateway(self.program, upstream.url)
        console = self.console("--refine", "--refine-minutes", "1000")
        self.until(lambda state: state["daemon"]["last"] and state["daemon"]["state"] == "waiting")
        crowd = live_agents.LiveAgents(gateway.url, ["intent"] * 2)
        try:
            crowd.wait_for(lambda exchange: exchange.reply.reason == "demoted")
            crowd.stop()
            working = self.until(lambda state: state["daemon"]["state"] == "working" and state["turns"])
        finally:
            crowd.stop()
        self.assertEqual(working["daemon"]["why"], "a task was demoted")
        self.assertIn("demoted", working["turns"][0]["trigger"])
        console.stop(signal.SIGKILL)
        turn, = [turn for turn in self.program.json("refine", "--list") if turn["id"] == working["turns"][0]["id"]]
        self.assertNotEqual(turn["stage"], "done", "it was cut off")
        self.console("--refine")
        done = self.until(lambda state: state["daemon"]["last"] and state["daemon"]["state"] == "waiting" and
                          all(turn["stage"] == "done" for turn in state["turns"]))
        resumed, = [turn for turn in done["turns"] if turn["id"] == working["turns"][0]["id"]]
        self.assertGreaterEqual(resumed["resumed"], 1)
        refine_test.check_consistent(self, self.program)

    def test_it_is_off_unless_it_is_wanted(self):
        self.with_keys()
        self.console()
        self.assertEqual(self.loop(), {"daemon": None, "turns": []})
        with self.assertRaises(urllib.error.HTTPError) as refused:
            self.loop("try it")
        with refused.exception:
            self.assertEqual(refused.exception.code, 409)


if __name__ == "__main__":
    support.main()
