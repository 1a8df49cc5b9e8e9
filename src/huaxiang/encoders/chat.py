"""A language model behind an address: any that speaks OpenAI's chat format."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np

from huaxiang.encoders.learning.base import in_range
from huaxiang.errors import SettingsError

_log = logging.getLogger(__name__)
_TRIED_AGAIN = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True, kw_only=True)
class ChatConfig:
    """Where a language model is asked, and how patiently.

    Parameters
    ----------
    url
        Up to the version, as http://127.0.0.1:8000/v1.
    model
        Its name there.
    key
        Sent as a bearer token; never shown. "" sends none.
    timeout_s
        Longest wait for one answer; > 0.
    tries
        How often one text is asked for; ≥ 1. Refusals that asking again won't mend are not repeated.
    pause_s
        Wait before the second try, doubled for each further one; ≥ 0.
    at_once
        Requests under way at a time; ≥ 1.
    give_up_after
        Texts without an answer, one after another, after which no more are asked for; ≥ 1.
    max_tokens
        Longest answer; ≥ 8.
    temperature
        0 always gives the likeliest answer; higher ones differ more. 0 to 2.
    """

    url: str
    model: str
    key: str = field(default="", repr=False)
    timeout_s: float = 60.0
    tries: int = 3
    pause_s: float = 1.0
    at_once: int = 4
    give_up_after: int = 8
    max_tokens: int = 512
    temperature: float = 0.8

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise SettingsError(
                "not an address", column="endpoint.url", value=self.url, remedy="write it as http://host/v1"
            )
        in_range("endpoint.timeout_s", self.timeout_s, self.timeout_s > 0, "a number above 0")
        in_range("endpoint.pause_s", self.pause_s, self.pause_s >= 0, "0 or more")
        for name, least in (("tries", 1), ("at_once", 1), ("give_up_after", 1), ("max_tokens", 8)):
            value = getattr(self, name)
            in_range(f"endpoint.{name}", value, value >= least, f"{least} or more")
        in_range("endpoint.temperature", self.temperature, 0 <= self.temperature <= 2, "0 to 2")


class _NoAnswerError(Exception):
    """Why there is none; `is_final` where asking again won't help."""

    def __init__(self, reason: str, *, is_final: bool) -> None:
        super().__init__(reason)
        self.is_final = is_final


class ChatModel:
    """A language model that is asked about texts, one at a time. The texts leave this machine.

    Parameters
    ----------
    sleep
        How it waits between tries.
    """

    def __init__(self, config: ChatConfig, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self.config = config
        self.failed: Counter[str] = Counter()
        self._sleep = sleep
        self._in_a_row = 0
        base = config.url.rstrip("/").removesuffix("/chat/completions")
        self._url = f"{base}/chat/completions"

    def ask(self, told: str, texts: Sequence[str], rng: np.random.Generator) -> list[str | None]:
        """Return an answer to each text, the model being told the same each time.

        None stands where there was no answer, which is counted by its reason in `failed`.
        """
        seeds = rng.integers(2**31, size=len(texts)).tolist()
        headers = {"Authorization": f"Bearer {self.config.key}"} if self.config.key else {}
        with (
            httpx.Client(headers=headers, timeout=self.config.timeout_s) as http,
            ThreadPoolExecutor(self.config.at_once) as pool,
        ):
            found = list(pool.map(lambda text, seed: self._one(http, told, text, seed), texts, seeds))
        self.failed.update(reason for _, reason in found if reason)
        if self._is_given_up():
            _log.warning("the endpoint did not answer %s times in a row: asked no more", self._in_a_row)
        return [said for said, _ in found]

    def _is_given_up(self) -> bool:
        return self._in_a_row >= self.config.give_up_after

    def _one(self, http: httpx.Client, told: str, text: str, seed: int) -> tuple[str | None, str]:
        """Return the answer, or why there is none."""
        if self._is_given_up():
            return None, "not asked: the endpoint had not answered"
        try:
            said = self._patiently(http, told, text, seed)
        except _NoAnswerError as error:
            self._in_a_row += 1
            return None, str(error)
        self._in_a_row = 0
        return said, ""

    def _patiently(self, http: httpx.Client, told: str, text: str, seed: int) -> str:
        for attempt in range(self.config.tries):
            try:
                return self._asked(http, told, text, seed)
            except _NoAnswerError as error:
                if error.is_final or attempt == self.config.tries - 1:
                    raise
                self._sleep(self.config.pause_s * 2**attempt)
        raise AssertionError("there is at least one try")

    def _asked(self, http: httpx.Client, told: str, text: str, seed: int) -> str:
        config = self.config
        body = {
            "model": config.model,
            "messages": [
                {"role": "system", "content": told},
                {"role": "user", "content": text},
            ],
            "temperature": config.temperature,
            "max_tokens": config.max_tokens,
            "seed": seed,
        }
        try:
            answer = http.post(self._url, json=body)
        except httpx.TimeoutException as error:
            raise _NoAnswerError("the endpoint took too long", is_final=False) from error
        except httpx.HTTPError as error:
            raise _NoAnswerError("the endpoint is out of reach", is_final=False) from error
        if answer.status_code != httpx.codes.OK:
            is_final = answer.status_code not in _TRIED_AGAIN
            raise _NoAnswerError(f"the endpoint answered {answer.status_code}", is_final=is_final)
        return _content(answer)


def _content(answer: httpx.Response) -> str:
    """Return what the model said."""
    try:
        choice: dict[str, Any] = answer.json()["choices"][0]
        said = choice["message"]["content"].strip()
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise _NoAnswerError("the endpoint's answer has no text", is_final=True) from error
    if choice.get("finish_reason") == "length":
        raise _NoAnswerError("the endpoint's answer was cut short", is_final=True)
    if not said:
        raise _NoAnswerError("the answer was empty", is_final=True)
    return str(said)
