"""Shop rules of a service: which are in force, since when, and a look each second for a changed file.

A file that is wrong is never put in force: the rules before it stay, and everybody who looks can see why.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from huaxiang.errors import HuaxiangError, RulesError
from huaxiang.knowledge.rules import Problem, Rulebook, RulesOnGoods, problems
from huaxiang.model.ruling import DryRun, Occasion, clock_of, rules_from, try_rules

if TYPE_CHECKING:
    from huaxiang.serve.live import LiveShop
    from huaxiang.serve.metrics import Metrics

LOG = logging.getLogger(__name__)
LOOK_S = 1.0
"""Seconds between two looks at the file."""
MOST_TRIED = 200
"""Most shoppers of a dry run that is asked of a service."""


@dataclass
class ShopRules:
    """The rules of one served shop.

    Parameters
    ----------
    file
        None where the shop has no rules.
    since
        When what is in force was put there.
    error
        Why the file that is there now is not in force; None where it is.
    """

    file: Path | None = None
    book: Rulebook = field(default_factory=Rulebook)
    since: datetime | None = None
    problems: tuple[Problem, ...] = ()
    error: HuaxiangError | None = None
    _seen: tuple[int, int, int] | None = field(default=None, repr=False)

    def open(self, shop: LiveShop) -> None:
        """Put the file in force; at a start, a wrong one is an error.

        Raises
        ------
        RulesError
            It can't be read, or something of it is not understood.
        """
        if self.file is not None:
            self._seen = _stamp(self.file)
            self._take(shop, rules_from(shop.serving.model, self.file))

    def look(self, shop: LiveShop) -> bool:
        """Put the file in force if it has changed; return whether other rules are in force now."""
        if self.file is None or (seen := _stamp(self.file)) == self._seen:
            return False
        self._seen = seen
        try:
            on_goods = rules_from(shop.serving.model, self.file)
        except HuaxiangError as error:
            self.error = error
            LOG.warning("the shop's new rules are wrong: those before stay", extra={"error": str(error)})
            return False
        self.error = None
        in_force = self.book.rules
        if in_force is not None and in_force.fingerprint == on_goods.rules.fingerprint:
            return False
        self._take(shop, on_goods)
        LOG.info("other shop rules are in force", extra={"rules": len(on_goods.rules.rules)})
        return True

    def _take(self, shop: LiveShop, on_goods: RulesOnGoods) -> None:
        self.book.put(on_goods)
        self.since = shop.clock()
        self.problems = problems(on_goods, now=self.since)

    def as_json(self) -> dict[str, object]:
        """Return what is in force, and what is wrong or questionable."""
        rules = self.book.rules
        return {
            "file": None if self.file is None else self.file.name,
            "since": None if self.since is None else _written(self.since),
            "fingerprint": None if rules is None else rules.fingerprint,
            "off": 0 if rules is None else rules.n_off,
            "rules": [
                {"name": rule.name, "action": rule.action, "priority": rule.priority, "line": rule.line}
                for rule in (() if rules is None else rules.rules)
            ],
            "problems": [one.as_json() for one in self.problems],
            "error": None if self.error is None else self.error.as_json() | {"file": None},
        }


async def keep_looking(shop: LiveShop, metrics: Metrics) -> None:
    """Look at the file for ever; whatever is wrong with it, lists are made as before."""
    if shop.rules.file is None:
        return
    while True:
        try:
            await asyncio.to_thread(shop.rules.look, shop)
        except Exception as error:  # the next look must come, whatever it was
            shop.rules.error = RulesError("the rules can't be put in force", remedy="see the log")
            LOG.error("the shop's rules can't be put in force", exc_info=error)
        metrics.rules_refused.labels(shop.shop_id).set(shop.rules.error is not None)
        metrics.rules.labels(shop.shop_id).set(
            len(shop.rules.book.rules.rules) if shop.rules.book.rules else 0
        )
        await asyncio.sleep(LOOK_S)


def checked(shop: LiveShop, text: bytes | str) -> dict[str, object]:
    """Return what is questionable about rules that are not in force.

    Raises
    ------
    RulesError
        Something of them is not understood.
    """
    on_goods = rules_from(shop.serving.model, text)
    found = problems(on_goods, now=shop.clock())
    return {
        "rules": len(on_goods.rules.rules),
        "off": on_goods.rules.n_off,
        "timezone": str(on_goods.rules.clock or clock_of(shop.serving.model)),
        "problems": [one.as_json() for one in found],
    }


def tried(shop: LiveShop, text: bytes | str, *, n_shoppers: int, occasion: Occasion) -> DryRun:
    """Return what rules would change for the shoppers who were last seen, and for somebody unknown.

    Shoppers who allow no recommendations are left out.

    Raises
    ------
    RulesError
        Something of the rules is not understood.
    """
    model = shop.serving.model
    profiles = shop.latest_profiles(min(n_shoppers, MOST_TRIED), purpose="recommend")
    return try_rules(model, rules_from(model, text), profiles, occasion=occasion)


def _stamp(file: Path) -> tuple[int, int, int] | None:
    """Return what changes when a file does; None where it is not there."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
