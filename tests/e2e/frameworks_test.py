"""Agent frameworks from npm (LangChain, the AI SDK) through the gateway: answers, streams and tool loops arrive, and each
call is recorded with its session. Nothing in them is changed but the address."""

import json
import shutil
import subprocess
import sys
import unittest

import support

sys.path.insert(0, str(support.PROJECT / "tools"))
import node_packages  # noqa: E402  (the path is set above)

FRAMEWORKS = support.PROJECT / "tests/e2e/frameworks"
SECONDS_MAX = 120


class Frameworks(support.ProgramTest):
    def test_agents_run_and_are_recorded(self):
        try:
            packages = node_packages.installed(FRAMEWORKS)
        except node_packages.Unavailable as reason:
            raise unittest.SkipTest(f"the frameworks are not installed: {reason}") from None
        self.with_keys()
        gateway = self.children.gateway(self.program, self.children.upstream("script").url)
        work = self.directory / "node"
        work.mkdir()
        shutil.copy(FRAMEWORKS / "agents.mjs", work)
        (work / "node_modules").symlink_to(packages / "node_modules")
        done = subprocess.run(["node", "agents.mjs", gateway.url + "/v1"], cwd=work, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=SECONDS_MAX, env={**support.os.environ, "no_proxy": "127.0.0.1"})
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])
        seen = json.loads(done.stdout.splitlines()[-1])
        for name in ("langchain", "langchain_stream", "langchain_after_tool", "ai", "ai_stream", "ai_after_tool"):
            self.assertTrue(seen.get(name, "").strip(), f"{name} got nothing: {seen}")
        self.assertEqual((seen["langchain_tool"], seen["ai_tool"][:1]), (["weather"], ["weather"]))
        gateway.stop()
        calls = self.program.logged_calls()
        self.assertEqual({call["status"] for call in calls}, {"ok"})
        self.assertEqual({call["session"] for call in calls}, {"langchain", "ai-sdk"})
        self.assertTrue(any(entry.get("result") for call in calls for entry in call.get("tool_calls", [])),
                        "a tool's result is joined with its call")


if __name__ == "__main__":
    support.main()
