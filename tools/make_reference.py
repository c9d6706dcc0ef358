#!/usr/bin/env python3
"""Writes docs/reference anew: the command line and the APIs of console and gateway from the program, the configuration from
examples/understudy.toml.

    tools/make_reference.py PROGRAM
"""

import pathlib
import subprocess
import sys

PROJECT = pathlib.Path(__file__).resolve().parent.parent
REFERENCE = PROJECT / "docs/reference"
PAGES = {"cli": "cli.md", "console-api": "console_api.yaml", "gateway-api": "gateway_api.yaml", "admin-api": "admin_api.yaml"}
CONFIG_HEAD = """# The gateway's configuration

Every key of `HOME/understudy.toml` with its default. Made from [examples/understudy.toml](../../examples/understudy.toml), which a
test reads as the gateway does; a test compares this page with it. All problems of a file are told at once, with their lines:
`understudy serve --validate`.

```toml
"""


def config_page():
    return CONFIG_HEAD + (PROJECT / "examples/understudy.toml").read_text() + "```\n"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    REFERENCE.mkdir(exist_ok=True)
    for page, file in PAGES.items():
        text = subprocess.run([sys.argv[1], "--home", "/tmp/understudy-reference", "reference", page], check=True, capture_output=True,
                              text=True).stdout
        (REFERENCE / file).write_text(text)
    (REFERENCE / "config.md").write_text(config_page())


if __name__ == "__main__":
    main()
