"""`understudy report --pdf`: a page for a manager, then the evidence; and what is said where weasyprint is missing."""

import json
import shutil
import subprocess
import sys

import support


# The anchors on each page, as weasyprint lays them out.
PAGES = "import json, sys, weasyprint; print(json.dumps([list(page.anchors) for page in weasyprint.HTML(sys.argv[1]).render().pages]))"


class ReportPdf(support.ProgramTest):
    def recorded(self):
        self.with_keys()
        self.program.json("import", self.write_lines("calls.jsonl", support.records("intent", 1, 60)))
        self.program.json("curate")
        self.program.json("cluster")

    def test_it_has_a_first_page_and_the_evidence_behind_it(self):
        if not shutil.which("weasyprint"):
            self.skipTest("weasyprint is not installed here")
        self.recorded()
        made = self.program.json("report", "--pdf", "--output", self.directory / "report.html")
        self.assertEqual(made["pdf"], str(self.directory / "report.pdf"))
        content = (self.directory / "report.pdf").read_bytes()
        self.assertTrue(content.startswith(b"%PDF-"))
        self.assertFalse((self.directory / "report.pdf.partial").exists())
        pages = json.loads(subprocess.run([sys.executable, "-c", PAGES, self.directory / "report.html"], check=True, capture_output=True,
                                          text=True).stdout)
        self.assertGreater(len(pages), 1)
        self.assertNotIn("evidence", pages[0], "the first page is for a manager")
        self.assertIn("evidence", pages[1])
        html = (self.directory / "report.html").read_text()
        self.assertNotRegex(html, r"""(?:src|href)=|url\(|@import|<script""", "it is one file")
        self.assertIn("<svg", html)
        self.assertIn("report.pdf", self.program.text("report", "--pdf"))

    def test_without_weasyprint_it_says_what_to_install_and_keeps_the_page(self):
        self.recorded()
        done = self.program.run("report", "--pdf", "--output", self.directory / "report.html", environment={"PATH": "/nowhere"})
        self.assertEqual(done.returncode, support.EXIT_BAD_INPUT, done.stderr)
        for words in ("weasyprint", "install it", "report.html"):
            self.assertIn(words, done.stderr)
        self.assertTrue((self.directory / "report.html").exists())


if __name__ == "__main__":
    support.main()
