"""Erasures brought to their end while the service goes on: a process of its own makes the versions anew."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from huaxiang.errors import HuaxiangError
from huaxiang.serve.process import Process
from huaxiang.serve.settings import environment
from huaxiang.serve.standing import waiting
from huaxiang.store import Store

LOG = logging.getLogger(__name__)
LOOK_S = 60.0
"""How often a process looks whether erasures of others, or from before its start, wait."""
NICENESS = 10


@dataclass
class Forgetting:
    """What runs `huaxiang forget` whenever somebody was erased.

    Parameters
    ----------
    gather_s
        Seconds that erasures are gathered, so that many cost as much as one.
    """

    process: Process
    store: Store
    gather_s: float
    _woken: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """Say that somebody was erased."""
        self._woken.set()

    async def follow(self) -> None:
        """Bring erasures to their end for ever."""
        while True:
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._woken.wait()
                await asyncio.sleep(self.gather_s)
            except TimeoutError:
                pass
            self._woken.clear()
            for shop_id in self.process.runs:
                await self._bring_to_end(shop_id)

    async def _bring_to_end(self, shop_id: str) -> None:
        try:
            if not await asyncio.to_thread(waiting, self.store, shop_id):
                return
            code = await self._run(shop_id)
        except (HuaxiangError, OSError) as error:
            LOG.warning("erasures wait", extra={"error": type(error).__name__})
            return
        if code != 0:  # the run is being retrained, most often: tried again at the next look
            LOG.warning("erasures wait", extra={"shop": shop_id, "exit_code": code})

    async def _run(self, shop_id: str) -> int:
        runs = ",".join(f"{name}={folder.resolve()}" for name, folder in self.process.runs.items())
        command = [sys.executable, "-m", "huaxiang", "forget", "--run", runs, "--shop-id", shop_id, "--json"]
        if self.process.settings_file is not None:
            command += ["--settings", str(self.process.settings_file.resolve())]
        child = await asyncio.create_subprocess_exec(
            *command,
            env=self._variables(),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            preexec_fn=_let_others_go_first,
        )
        try:
            return await child.wait()
        finally:
            if child.returncode is None:
                child.terminate()
                await child.wait()

    def _variables(self) -> Mapping[str, str]:
        where = self.process.where
        said = {"HUAXIANG_STORE": where.store, "HUAXIANG_PSEUDONYM_KEY": where.pseudonym_key}
        given = {name: value for name, value in said.items() if value is not None}
        return {**environment(), "OMP_NUM_THREADS": "1", **given}


def _let_others_go_first() -> None:
    os.nice(NICENESS)
