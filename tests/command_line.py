"""Commands called in this process, with what they print."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huaxiang.cli.outcome import run

QUICK = (
    "--image",
    "none",
    "--set",
    "recommend.members=['popular','own_frequency','neighbours','closed_form']",
    "--set",
    "evaluate.n_audited=20",
)
"""What to say to `build` so that it takes seconds."""


@dataclass(frozen=True)
class Answer:
    """Exit code, stdout and stderr of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object on stdout."""
        return json.loads(self.out)


def call(*arguments: str | Path) -> Answer:
    """Run `huaxiang` with these arguments."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run([str(argument) for argument in arguments])
    return Answer(code, out.getvalue(), err.getvalue())
