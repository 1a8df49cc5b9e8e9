"""One HTML page about a run: sums, a shopper, accuracy, where it fails, what was learnt."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined

from huaxiang.evaluate import charts
from huaxiang.notes import spoken
from huaxiang.profile.names import dimension_name

PART_NAMES = {
    "new": ("items the shopper has not had before", "顾客未曾购买的商品"),
    "all": ("repeat and new items", "复购与新商品"),
}
USES = {"ids": "商品编号", "order": "先后顺序", "times": "时间", "text": "文本", "image": "图像"}
"""What a recommender may read, and its Chinese."""
REMOVAL = {
    "facets and portrait": "特征与画像",
    "reasons lower their item": "理由：去掉依据后商品得分下降",
    "reasons lower it, and more than random events": "理由：得分下降，且多于去掉同样多的随机事件",
    "quick reasons lower their item": "快速理由：去掉依据后商品得分下降",
    "quick reasons lower it, and more than random events": "快速理由：得分下降，且多于去掉同样多的随机事件",
}
"""What `evaluation.json` calls each test of evidence, and its Chinese."""
FAILURES = (
    ("by_history", "by history length", "按历史长度", "NDCG@10"),
    ("by_popularity", "by item popularity", "按商品热度", "recall@10"),
    ("by_category", "by category", "按类目", "recall@10"),
    ("by_novelty", "repeat and new items", "复购与新商品", "recall@10"),
)


def report_html(facts: Mapping[str, Any], *, language: str = "en") -> str:
    """Return the page; it loads nothing from anywhere.

    Parameters
    ----------
    facts
        What `evaluation.json` holds, with shop, sums, guesses, built_at, hardware, version,
        and, where there are any: example, curves, fusion, calibration, forecasts, map, removal.
    language
        Shown first; the page switches between English and Chinese by itself.
    """
    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(
        files("huaxiang.evaluate").joinpath("report.html.j2").read_text(encoding="utf-8")
    )
    return template.render(
        shop=facts["shop"],
        sums=facts["sums"],
        guesses=facts["guesses"],
        built_at=facts["built_at"],
        hardware=facts["hardware"],
        version=facts["version"],
        split=facts["split"],
        parts=facts["parts"],
        part_names=PART_NAMES,
        example=facts.get("example"),
        removal=facts.get("removal"),
        forecasts=facts.get("forecasts"),
        removal_names=REMOVAL,
        uses=USES,
        dimension_name=dimension_name,
        chinese=partial(spoken, language="zh"),
        charts=_charts(facts),
        language=language,
    )


def _charts(facts: Mapping[str, Any]) -> dict[str, Any]:
    calibration = facts.get("calibration")
    curves = {name: points for name, points in facts.get("curves", {}).items() if len(points) > 1}
    return {
        "map": charts.interest_map(facts["map"]) if facts.get("map") else None,
        "failures": [
            (english, chinese, charts.grouped_bars(facts[key], label=label))
            for key, english, chinese, label in FAILURES
            if facts.get(key)
        ],
        "curves": charts.learning_curves(curves) if curves else None,
        "fusion": charts.bars(facts["fusion"], label="λ", words=USES.items(), limit=1.0)
        if facts.get("fusion")
        else None,
        "calibration": charts.reliability(
            calibration, x_label=("claimed share", "声称的占比"), y_label=("later share", "之后的占比")
        )
        if calibration
        else None,
    }
