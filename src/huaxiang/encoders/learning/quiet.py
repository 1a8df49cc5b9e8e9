"""Transformers without its notes and bars: what matters of them is said by our progress and our errors."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Let transformers, and the libraries below it, say nothing for a while."""
    from transformers.utils import logging as theirs

    before, showed = theirs.get_verbosity(), theirs.is_progress_bar_enabled()
    theirs.set_verbosity(logging.ERROR)
    theirs.disable_progress_bar()  # type: ignore[no-untyped-call]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            theirs.set_verbosity(before)
            if showed:
                theirs.enable_progress_bar()  # type: ignore[no-untyped-call]
