"""Homes of earlier versions: what they hold is read or brought up, with a copy; what is newer is refused with a remedy."""

import re
import sqlite3
import subprocess

import support

# As programs of version 1 made it; never to be changed.
METADATA_VERSION_1 = """
CREATE TABLE clustering (singleton INTEGER PRIMARY KEY CHECK (singleton = 1), dataset TEXT NOT NULL);
CREATE TABLE task (id TEXT PRIMARY KEY, calls INTEGER NOT NULL, record TEXT NOT NULL);
CREATE TABLE assignment (call TEXT PRIMARY KEY, task TEXT NOT NULL, confidence REAL NOT NULL);
CREATE TABLE artifact (id TEXT PRIMARY KEY, task TEXT NOT NULL, made_at INTEGER NOT NULL, record TEXT NOT NULL);
CREATE TABLE evaluation (number INTEGER PRIMARY KEY, task TEXT NOT NULL, made_at INTEGER NOT NULL, record TEXT NOT NULL);
CREATE INDEX artifact_of_task ON artifact (task, made_at);
CREATE INDEX evaluation_of_task ON evaluation (task, made_at);
INSERT INTO clustering VALUES (1, 'd-old');
INSERT INTO assignment VALUES ('c1', 't-old', 0.25);
PRAGMA user_version = 1;
"""


class Migration(support.ProgramTest):
    def database(self):
        connection = sqlite3.connect(self.home / "metadata.db")
        self.addCleanup(connection.close)
        return connection

    def version(self, name="metadata.db"):
        connection = sqlite3.connect(self.home / name)
        try:
            return connection.execute("PRAGMA user_version").fetchone()[0]
        finally:
            connection.close()

    def test_an_older_store_is_brought_up_and_a_copy_is_kept_to_go_back_to(self):
        self.with_keys()
        old = self.database()
        old.executescript(METADATA_VERSION_1)
        old.close()
        self.assertEqual(self.program.json("tasks"), [])
        self.assertEqual(self.version(), 2)
        copy = self.home / "metadata.db.version-1"
        self.assertEqual((self.version(copy.name), copy.stat().st_mode & 0o777), (1, 0o600))
        self.assertEqual(sqlite3.connect(copy).execute("SELECT task FROM assignment").fetchall(), [("t-old",)])
        self.program.json("tasks")
        self.assertEqual(sorted(path.name for path in self.home.glob("metadata.db.version*")), [copy.name])

    def test_what_is_newer_is_refused_with_a_remedy_and_left_alone(self):
        self.with_keys()
        self.program.run("tasks")  # nothing was clustered; the store is made all the same
        newer = self.database()
        newer.execute("PRAGMA user_version = 77")
        newer.commit()
        before = (self.home / "metadata.db").read_bytes()
        self.assert_fails(3, "tasks", says=["metadata.db", "77", "use a newer understudy", "docs/operations.md"])
        self.assertEqual((self.home / "metadata.db").read_bytes(), before)

    def test_a_configuration_of_another_format_is_told_apart_from_a_wrong_one(self):
        self.with_keys()
        made = self.program.text("init", "--upstream", "http://127.0.0.1:1/v1", "--print")
        self.assertIn("format = 1", made)
        config = self.home / "understudy.toml"
        for text, says in ((made, None), (made.replace("format = 1  # of this file\n", ""), None),
                           (made.replace("format = 1", "format = 9\nnew_thing = true"), "use a newer understudy")):
            config.write_text(text)
            done = subprocess.run(self.program.command("serve", "--validate"), capture_output=True, text=True, timeout=60)
            with self.subTest(says=says):
                self.assertEqual(done.returncode == 0, says is None, done.stderr)
                if says:
                    self.assertIn(says, done.stderr)
                    self.assertNotIn("new_thing", done.stderr)

    def test_the_page_for_people_has_every_version_of_the_table(self):
        table = (support.PROJECT / "src/records/formats.hpp").read_text()
        newest = [int(version) for version in re.findall(r'^    \{"[^"]+", (\d+), \d+,', table, re.MULTILINE)]
        page = (support.PROJECT / "docs/operations.md").read_text().partition("## Upgrade")[2].partition("## ")[0]
        shown = [int(version) for version in re.findall(r"^\| [^|]+ \| (\d+) \|", page, re.MULTILINE)]
        self.assertGreaterEqual(len(newest), 6)
        self.assertEqual(shown, newest)


if __name__ == "__main__":
    support.main()
