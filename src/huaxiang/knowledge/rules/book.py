"""The rules that are in force: read by every list, replaced as a whole while lists are made."""

from __future__ import annotations

from dataclasses import dataclass

from huaxiang.knowledge.rules.base import Circumstances, Goods, RuleSet, Ruling
from huaxiang.knowledge.rules.on_goods import RulesOnGoods


@dataclass
class Rulebook:
    """Rules in force, which models of one shop share: a new catalogue or version keeps to them.

    Parameters
    ----------
    rules
        None while there are none.
    """

    rules: RuleSet | None = None
    _ready: RulesOnGoods | None = None

    def replace(self, rules: RuleSet | None, goods: Goods | None = None) -> None:
        """Let other rules be in force from now on; with `goods`, they are ready for the next list."""
        ready = None if rules is None or goods is None else RulesOnGoods(rules, goods)
        self._ready, self.rules = ready, rules

    def on(self, goods: Goods) -> RulesOnGoods | None:
        """Return the rules on some goods; made once for each catalogue."""
        rules, ready = self.rules, self._ready
        if rules is None:
            return None
        if ready is None or not _is_of(ready, rules, goods):
            ready = RulesOnGoods(rules, goods)
            if self.rules is rules:
                self._ready = ready
        return ready

    def ruling(self, goods: Goods, under: Circumstances) -> Ruling | None:
        """Return what the rules in force say of one list; None where there are none."""
        on_goods = self.on(goods)
        return None if on_goods is None else on_goods.ruling(under)


def _is_of(ready: RulesOnGoods, rules: RuleSet, goods: Goods) -> bool:
    same_rules = ready.rules.fingerprint == rules.fingerprint and ready.rules.file == rules.file
    return same_rules and ready.goods.catalogue is goods.catalogue
