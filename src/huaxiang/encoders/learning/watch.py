"""What is shown of a fit while it runs, and how it is stopped."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from transformers import TrainerCallback

Progress = Callable[[int, int, str], None]


class Watch(TrainerCallback):
    """Progress with the time left, and the step after which a stop was asked for."""

    def __init__(self, progress: Progress | None, *, is_validated: bool) -> None:
        self._progress = progress
        self._note = ""
        self._began = (0, time.perf_counter())
        self._is_validated = is_validated
        self.is_asked_to_stop = self.is_stopped = False

    def tell(self, note: str) -> None:
        """Show something until the next save."""
        self._note = note
        logging.getLogger(__name__).warning(note)

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Start the clock of the time left."""
        self._began = (state.global_step, time.perf_counter())

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Show the step; ask for the last validation, or for the stop."""
        if state.global_step >= state.max_steps and self._is_validated:
            control.should_evaluate = control.should_save = True
        if self.is_asked_to_stop and state.global_step < state.max_steps:
            control.should_save = control.should_training_stop = self.is_stopped = True
        if self._progress is not None:
            note = self._note or _said(state.log_history)
            self._progress(state.global_step, state.max_steps, f"{note}, {self._left(state)} left")

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Forget what was told."""
        self._note = ""

    def _left(self, state: Any) -> str:
        step, moment = self._began
        seconds = (time.perf_counter() - moment) / max(1, state.global_step - step)
        return duration(seconds * (state.max_steps - state.global_step))


def duration(seconds: float) -> str:
    """Return a time as people say it.

    Examples
    --------
    >>> duration(75), duration(4000), duration(9)
    ('1:15', '1:06:40', '0:09')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def plain(name: str) -> str:
    """Return a figure's name without the mark of a validation."""
    return name.removeprefix("eval_")


def _said(history: list[dict[str, float]]) -> str:
    """Return the newest loss and the newest validation in a few words."""
    losses = [f"loss {point['loss']:.3f}" for point in history[-20:] if "loss" in point]
    asked = [point for point in history if any(name.startswith("eval_") for name in point)]
    figures = [f"{plain(k)} {v:.4f}" for k, v in asked[-1].items() if k.startswith("eval_")] if asked else []
    return ", ".join(losses[-1:] + figures[:1]) or "first steps"


@contextmanager
def ctrl_c_asks(watch: Watch) -> Iterator[None]:
    """Let the first Ctrl-C end the step, save and stop; a second one stops at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)

    def asked(*_: object) -> None:
        watch.is_asked_to_stop = True
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, asked)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
