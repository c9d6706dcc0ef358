"""`cluster --embeddings`: vectors of a small model that our trainer makes, by a live llama-server and in this process."""

import json
import pathlib
import subprocess
import unittest

import support
from support import agents, harness

TRAINER = pathlib.Path(support.PROGRAM).resolve().parent / "understudy-train"


def free_talk(count):
    """Calls of a general assistant: nothing but the users' words tells them apart."""
    for number, call in enumerate(agents.generate("intent", 1, count)):
        text = call.request["messages"][-1]["content"].splitlines()[1]
        yield {"id": f"talk-{number}", "meta": {"session": f"talk-{number}"},
               "request": {"model": "simulated-llm", "messages": [
                   {"role": "system", "content": "You are a helpful assistant."}, {"role": "user", "content": text}]},
               "response": {"choices": [{"index": 0, "finish_reason": "stop", "message": {
                   "role": "assistant", "content": f"Thank you. You wrote: {text}\nWe look into it and come back, number {number}."}}]}}


@unittest.skipUnless(TRAINER.exists(), "this build has no understudy-train")
class Embeddings(support.ProgramTest):
    def setUp(self):
        super().setUp()
        # Long prompts, so that the model's context takes the calls' texts.
        words = [call.request["messages"][-1]["content"] for call in agents.generate("intent", 1, 300)]
        lines = self.write_lines("lines.jsonl", [{"prompt": " ".join(words[i:i + 20]), "answer": "ok"} for i in range(200)])
        subprocess.run([TRAINER, "--data", lines, "--out", self.directory / "nano", "--steps", "3", "--quiet"], check=True,
                       stdout=subprocess.DEVNULL, timeout=120)

    def serve(self):
        server, url = self.enterContext(support.llama_server(
            self.directory, "-m", self.directory / "nano/model.gguf", "--embeddings", "--pooling", "mean", "-t", "2", "-ub", "2048",
            "-b", "2048"))
        return server, f"{url}/v1"

    def test_free_texts_are_compared_by_the_vectors_of_a_live_server_and_asked_for_once(self):
        self.with_keys()
        self.program.json("import", self.write_lines("calls.jsonl", free_talk(250)))
        self.program.json("curate")
        server, url = self.serve()
        self.program.json("cluster", "--embeddings", url, "--embedding-model", "nano")
        tasks = self.program.json("tasks")
        self.assertTrue(tasks)
        files = list((self.home / "embeddings").rglob("*"))
        self.assertTrue(any(path.is_file() for path in files))
        # The same once more needs no server: every vector is known. And they lie sealed.
        server.terminate()
        server.wait(10)
        self.program.json("cluster", "--embeddings", url, "--embedding-model", "nano")
        self.assertEqual([task["id"] for task in self.program.json("tasks")], [task["id"] for task in tasks])
        text = json.dumps(agents.generate("intent", 1, 1)[0].request["messages"][-1]["content"])[1:20].encode()
        for path in files:
            self.assertFalse(path.is_file() and text in path.read_bytes())

    def test_a_model_file_gives_the_tasks_that_its_server_gives(self):
        self.with_keys()
        self.program.json("import", self.write_lines("calls.jsonl", free_talk(250)))
        self.program.json("curate")
        model = self.directory / "nano/model.gguf"
        self.program.json("cluster", "--embeddings", model)
        by_file = self.program.text("export", "assignments")
        self.assertIn('"task_id":"', by_file)
        server, url = self.serve()
        self.program.json("cluster", "--embeddings", url, "--embedding-model", "nano")
        self.assertEqual(self.program.text("export", "assignments"), by_file)
        server.terminate()
        # A text that is far longer than the model takes is cut.
        long = list(free_talk(251))[-1:]
        long[0]["request"]["messages"][-1]["content"] *= 200
        self.program.json("import", self.write_lines("long.jsonl", long))
        self.program.json("curate")
        self.program.json("cluster", "--embeddings", model)

    def test_a_model_file_that_changed_is_another_model(self):
        self.with_keys()
        self.program.json("import", self.write_lines("calls.jsonl", free_talk(250)))
        self.program.json("curate")
        model = self.directory / "nano/model.gguf"
        self.program.json("cluster", "--embeddings", model)
        model.write_bytes(model.read_bytes()[:5000])
        done = self.program.run("cluster", "--embeddings", model)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("model.gguf", done.stderr)

    def test_a_model_file_that_is_not_there_is_named(self):
        self.with_keys()
        done = self.program.run("cluster", "--embeddings", self.directory / "no.gguf")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("no.gguf", done.stderr)
        self.assertIn("URL", done.stderr)

    def test_an_endpoint_out_of_reach_is_named(self):
        self.with_keys()
        self.program.json("import", self.write_lines("calls.jsonl", free_talk(60)))
        self.program.json("curate")
        done = self.program.run("cluster", "--embeddings", f"http://127.0.0.1:{harness.free_port()}/v1", "--embedding-model", "x")
        self.assertEqual(done.returncode, 6, done.stderr)
        self.assertIn("/v1", done.stderr)


if __name__ == "__main__":
    support.main()
