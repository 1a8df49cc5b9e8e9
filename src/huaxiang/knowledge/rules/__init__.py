"""Shop rules: what a merchandiser says about every list, in one YAML file without code.

`read_rules` turns the text into a `RuleSet`, or says what is wrong with it, by line. `Goods` are the items it
is about, `RulesOnGoods` both together: for the circumstances of one list it gives a `Ruling`, and `problems`
names what conflicts and what can never do anything. `Rulebook` holds the rules that are in force, and is
replaced while lists are made.
"""

from huaxiang.knowledge.rules.base import (
    Applied,
    Cap,
    Circumstances,
    Goods,
    Pin,
    Problem,
    Rule,
    RuleSet,
    Ruling,
)
from huaxiang.knowledge.rules.book import Rulebook
from huaxiang.knowledge.rules.check import problems
from huaxiang.knowledge.rules.on_goods import RulesOnGoods
from huaxiang.knowledge.rules.read import read_rules

__all__ = [
    "Applied",
    "Cap",
    "Circumstances",
    "Goods",
    "Pin",
    "Problem",
    "Rule",
    "RuleSet",
    "Rulebook",
    "RulesOnGoods",
    "Ruling",
    "problems",
    "read_rules",
]
