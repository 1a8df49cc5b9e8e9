"""The demo: a simulated shop, everything built from it, and what there is to see."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from huaxiang.cli.building import build_run
from huaxiang.cli.progress import StageProgress
from huaxiang.cli.show import show_parts, show_profile, show_slate, show_sums
from huaxiang.config import read_settings
from huaxiang.shop.simulate import Config, simulate

SHORTER = "recommend.sequence.training.steps=400"
"""A small shop is learnt in fewer than half of the usual steps."""
WISHES = (("en", "red running shoes under 400, no leather"), ("zh", "我想要一双跑步鞋，500元以内，不要皮革"))


def run_demo(console: Console, out: Path, *, seed: int, n_shoppers: int, n_items: int, cache: Path) -> None:
    """Simulate, build, and show one shopper in two languages, a list, two wishes and the accuracy."""
    settings = read_settings(changes=[f"seed={seed}", SHORTER])
    folder = cache / "simulated" / f"{seed}-{n_shoppers}-{n_items}"
    with StageProgress() as progress:
        if not folder.exists():
            simulate(
                folder,
                config=Config(n_shoppers=n_shoppers, n_items=n_items),
                seed=seed,
                progress=lambda done, total, note: progress.report("simulate", done, total, note),
            )
        built = build_run(folder, out, settings=settings, cache=cache, progress=progress.report)
    model, shopper_id = built.model, built.evaluation["example"]["shopper_id"]
    show_sums(console, built.sums)
    for language in ("en", "zh"):
        profile = model.profile(shopper_id)
        show_profile(console, profile, model.catalogue, language=language)
        show_slate(console, model.recommend(profile, k=6, language=language), language=language)
    for language, wish in WISHES:
        console.rule(f"“{wish}”")
        described = model.describe(text=wish)
        show_profile(console, described, model.catalogue, language=language)
        show_slate(console, model.recommend(described, k=4, language=language), language=language)
    show_parts(console, built.evaluation)
    console.print(f"run: {out}   report: {out / 'report.html'}   {built.sums['seconds']} s")
