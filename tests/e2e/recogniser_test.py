"""`[curate] recogniser_url`: an endpoint of Presidio's analyzer API finds names that no list has. The endpoint here is a real
HTTP server with a rule instead of a model: it knows the words of one made-up language."""

import json
import re

import support

NAME = re.compile(r"Xw[a-z]+ Qz[a-z]+")


class Analyzer(support.LocalHandler):
    asked = 0

    def do_POST(self):
        type(self).asked += 1
        request = self.request_json()
        spans = [{"start": m.start(), "end": m.end(), "entity_type": "PERSON", "score": 0.9} for m in NAME.finditer(request["text"])]
        self.reply(200, json.dumps(spans).encode())


def calls():
    for number in range(40):
        yield {"id": f"c{number}", "meta": {"session": f"s{number}"},
               "request": {"model": "m", "messages": [
                   {"role": "user", "content": f"Grüße: what of Xwörm or Xwipto Qzelbra in case {number}?"}]},
               "response": {"choices": [{"index": 0, "finish_reason": "stop", "message": {
                   "role": "assistant", "content": f"Xwipto Qzelbra is known, {number}."}}]}}


class Recogniser(support.ProgramTest):
    def setUp(self):
        super().setUp()
        self.with_keys()
        self.program.json("import", self.write_lines("calls.jsonl", calls()))
        self.exported = self.directory / "train.jsonl"

    def configure(self, url):
        (self.home / "understudy.toml").write_text(f'[curate]\nrecogniser_url = "{url}"\n')

    def examples(self):
        self.program.json("export", "dataset", "--output", self.exported)
        return self.exported.read_text()

    def test_what_the_endpoint_finds_is_replaced_everywhere(self):
        self.program.json("curate")
        self.assertIn("Qzelbra", self.examples())
        server = support.LocalServer(Analyzer)
        self.addCleanup(server.close)
        self.configure(server.url.removesuffix("v1") + "analyze")
        report = self.program.json("curate")
        self.assertGreater(Analyzer.asked, 0)
        self.assertGreaterEqual(report["entities"]["person"], 40)
        self.exported.unlink()
        text = self.examples()
        self.assertNotIn("Qzelbra", text)
        self.assertNotIn("Xwipto", text)
        self.assertIn("in case 7?", text)

    def test_without_its_answer_there_is_no_data_set(self):
        self.configure("http://127.0.0.1:1/analyze")
        done = self.program.run("curate")
        self.assertEqual(done.returncode, 6, done.stderr)
        self.assertIn("127.0.0.1:1", done.stderr)
        self.assertNotIn("Qzelbra", done.stderr)
        self.assertNotEqual(self.program.run("export", "dataset", "--output", self.exported).returncode, 0)

    def test_a_url_that_is_none_is_refused_with_its_line(self):
        self.configure("localhost")
        done = self.program.run("curate")
        self.assertEqual(done.returncode, support.EXIT_BAD_INPUT)
        self.assertIn("understudy.toml:2", done.stderr)


if __name__ == "__main__":
    support.main()
