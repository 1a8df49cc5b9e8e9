"""The command line: one command per verb, `--json` on each, errors that name file, line, value and remedy.

`app.py` has the commands, `outcome.py` turns results and errors into output and exit codes,
`show.py` draws profiles, lists and tables for people, `progress.py` shows what takes long.
"""

from huaxiang.cli.outcome import run


def main() -> None:
    """Run the command line and exit with 0 ok, 1 our bug, 2 input, 130 stopped."""
    import sys

    sys.exit(run(sys.argv[1:]))
