"""The rules that are in force: read by every list, replaced as a whole while lists are made."""

from __future__ import annotations

from dataclasses import dataclass, field

from huaxiang.knowledge.rules.base import Circumstances, Goods, RuleSet, Ruling
from huaxiang.knowledge.rules.on_goods import RulesOnGoods

_KEPT = 2
"""Catalogues that the rules are ready for: the one that is served, and the one that is going to be."""


@dataclass
class Rulebook:
    """Rules in force, which the models of one shop share: a new catalogue or version keeps to them.

    Parameters
    ----------
    rules
        None while there are none.
    """

    rules: RuleSet | None = None
    _ready: tuple[RulesOnGoods, ...] = field(default=(), repr=False)

    def put(self, on_goods: RulesOnGoods | None) -> None:
        """Let other rules be in force from now on, ready for the next list; None is no rules at all."""
        self._ready = () if on_goods is None else (on_goods,)
        self.rules = None if on_goods is None else on_goods.rules

    def on(self, goods: Goods) -> RulesOnGoods | None:
        """Return the rules on some goods; made once for each catalogue."""
        rules = self.rules
        if rules is None:
            return None
        for ready in self._ready:
            if ready.goods.catalogue is goods.catalogue and ready.rules.fingerprint == rules.fingerprint:
                return ready
        made = RulesOnGoods(rules, goods)
        if self.rules is rules:
            self._ready = (made, *self._ready)[:_KEPT]
        return made

    def ruling(self, goods: Goods, under: Circumstances) -> Ruling | None:
        """Return what the rules in force say of one list; None where there are none."""
        on_goods = self.on(goods)
        return None if on_goods is None else on_goods.ruling(under)
