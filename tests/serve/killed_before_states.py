"""`huaxiang`, killed by itself once the log has the N-th group of events and before any state has them.

Started as a process: `python killed_before_states.py N serve …`.
"""

from __future__ import annotations

import os
import signal
import sys
from itertools import count
from typing import Any

from huaxiang.cli import main
from huaxiang.serve.writer import Writer


def kill_before_states(last: int) -> None:
    """Let the writer kill the process instead of finishing its last group."""
    finish, numbers = Writer._finish, count(1)

    def finish_or_die(self: Writer, *what: Any) -> None:
        if next(numbers) == last:
            os.kill(os.getpid(), signal.SIGKILL)
        finish(self, *what)

    Writer._finish = finish_or_die  # type: ignore[method-assign]


if __name__ == "__main__":
    kill_before_states(int(sys.argv.pop(1)))
    main()
