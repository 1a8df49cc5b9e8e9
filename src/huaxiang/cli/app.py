"""The commands."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from huaxiang.cli.annotate import annotate
from huaxiang.cli.augmenting import augment
from huaxiang.cli.clean import clean
from huaxiang.cli.compressing import compress
from huaxiang.cli.feedback import forget, retrain
from huaxiang.cli.finetuning import finetune_app
from huaxiang.cli.graph import graph_app
from huaxiang.cli.letters import letters_app
from huaxiang.cli.moments import moment
from huaxiang.cli.outcome import print_json
from huaxiang.cli.predicting import predict
from huaxiang.cli.pretraining import pretrain_app
from huaxiang.cli.product_tagging import tag_products
from huaxiang.cli.progress import StageProgress
from huaxiang.cli.replay import replay
from huaxiang.cli.retain import retain
from huaxiang.cli.reviewing import reviews
from huaxiang.cli.robustness import robustness
from huaxiang.cli.rules import rules_app, with_rules
from huaxiang.cli.search import search
from huaxiang.cli.serve import keys_app, serve
from huaxiang.cli.show import show_models, show_parts, show_profile, show_slate, show_sums, wide_console
from huaxiang.cli.tune import tune
from huaxiang.cli.writing import write_app
from huaxiang.errors import InputError

if TYPE_CHECKING:
    pass

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Huaxiang (画像): a live profile of each shopper, and lists made from it.",
)
benchmark_app = typer.Typer(no_args_is_help=True, help="Measure the recommenders on the field's benchmarks.")
app.add_typer(benchmark_app, name="benchmark")
app.command("clean")(clean)
app.command("search")(search)
app.command("annotate")(annotate)
app.command("serve")(serve)
app.command("tune")(tune)
app.command("retrain")(retrain)
app.command("augment")(augment)
app.command("replay")(replay)
app.command("retain")(retain)
app.command("forget")(forget)
app.add_typer(keys_app, name="keys")
app.add_typer(letters_app, name="letters")
app.add_typer(pretrain_app, name="pretrain")
app.add_typer(finetune_app, name="finetune")
app.command("predict")(predict)
app.command("robustness")(robustness)
app.command("tag-products")(tag_products)
app.command("compress")(compress)
app.add_typer(write_app, name="write")
app.command("reviews")(reviews)
app.add_typer(graph_app, name="graph")
app.add_typer(rules_app, name="rules")

Run = Annotated[Path, typer.Option("--run", help="Run folder made by `huaxiang build`.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Language = Annotated[str, typer.Option("--language", help="Language of portrait and reasons: en or zh.")]
Set = Annotated[list[str] | None, typer.Option("--set", help="One setting, as profile.kappa=5; repeatable.")]
SettingsFile = Annotated[Path | None, typer.Option("--settings", help="Settings file (TOML).")]
RulesFile = Annotated[Path | None, typer.Option("--rules", help="File of shop rules (YAML) to keep to.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]


def _check_language(language: str) -> str:
    if language not in ("en", "zh"):
        raise InputError("language is not known", column="--language", value=language, remedy="say en or zh")
    return language


@app.command()
def simulate(
    out: Annotated[Path, typer.Option(help="Folder to write the shop into.")],
    seed: Seed = 7,
    shoppers: Annotated[int, typer.Option(help="How many shoppers.")] = 1500,
    items: Annotated[int, typer.Option(help="How many items.")] = 400,
    as_json: Json = False,
) -> None:
    """Write a simulated shop with known tastes, drawn photos and texts in two languages."""
    from huaxiang.shop.simulate import Config
    from huaxiang.shop.simulate import simulate as write_shop

    started = time.perf_counter()
    with StageProgress() as progress:
        write_shop(
            out,
            config=Config(n_shoppers=shoppers, n_items=items),
            seed=seed,
            progress=lambda done, total, note: progress.report("simulate", done, total, note),
        )
    seconds = round(time.perf_counter() - started, 2)
    if as_json:
        print_json(
            "simulate",
            {"out": str(out), "seed": seed, "shoppers": shoppers, "items": items, "seconds": seconds},
        )
    else:
        wide_console().print(f"{out}: {shoppers:,} shoppers, {items:,} items, seed {seed}, {seconds} s")


@app.command()
def build(  # noqa: PLR0913 - one argument per option
    shop: Annotated[Path, typer.Option(help="Shop folder.")],
    out: Annotated[Path, typer.Option(help="Run folder to make.")],
    text: Annotated[str | None, typer.Option(help="Text encoder, by name or folder.")] = None,
    image: Annotated[str | None, typer.Option(help="Image encoder, by name or folder, or none.")] = None,
    tags: Annotated[Path | None, typer.Option(help="Tags of products, by `huaxiang tag-products`.")] = None,
    map_: Annotated[
        Path | None, typer.Option("--map", help="Corrected places in the taxonomy, by `huaxiang graph map`.")
    ] = None,
    settings: SettingsFile = None,
    set_: Set = None,
    as_json: Json = False,
) -> None:
    """Read a shop, encode, fuse, train, build every profile, evaluate, and keep it all as a run."""
    from huaxiang.cli.building import build_run
    from huaxiang.config import read_settings

    changes = [*(set_ or [])]
    changes += [f"text.encoder={text}"] if text else []
    changes += [f"image.encoder={image}"] if image else []
    chosen = read_settings(settings, changes)
    with StageProgress() as progress:
        built = build_run(
            shop, out, settings=chosen, cache=cache_folder(), progress=progress.report, tags=tags, places=map_
        )
    if as_json:
        print_json("build", {**built.sums, "run": str(out)})
        return
    console = wide_console()
    for guess in built.guesses:
        console.print(f"[dim]assumed:[/dim] {guess}")
    show_sums(console, built.sums)
    show_parts(console, built.evaluation)
    console.print(f"{out}: built in {built.sums['seconds']} s; report: {out / 'report.html'}")


@app.command()
def profile(
    shopper_id: Annotated[str, typer.Argument(help="Id of the shopper, as in the shop's data.")],
    run: Run,
    language: Language = "en",
    as_of: Annotated[str | None, typer.Option(help="Moment to derive it for, ISO 8601.")] = None,
    vector: Annotated[bool, typer.Option("--vector", help="Add the profile vector to --json.")] = False,
    as_json: Json = False,
) -> None:
    """Show one shopper's profile, each statement with its evidence."""
    from huaxiang.model import load

    spoken, now = _check_language(language), moment(as_of, option="--as-of")
    model = load(run)
    shown = model.profile(_id(shopper_id), now=now)
    if as_json:
        print_json("profile", shown.as_json(vector=vector))
    else:
        show_profile(wide_console(), shown, model.catalogue, language=spoken)


@app.command()
def describe(  # noqa: PLR0913 - one argument per option
    words: Annotated[str, typer.Argument(help="What the shopper says, in English or Chinese.")],
    run: Run,
    image: Annotated[Path | None, typer.Option(help="A photo of what is wanted.")] = None,
    k: Annotated[int, typer.Option("-k", help="Length of the list shown below the profile.")] = 5,
    language: Annotated[str | None, typer.Option(help="en or zh; that of the words if not said.")] = None,
    vector: Annotated[bool, typer.Option("--vector", help="Add the profile vector to --json.")] = False,
    rules: RulesFile = None,
    as_json: Json = False,
) -> None:
    """Make a profile from words and a picture, with no history at all."""
    from huaxiang.model import load

    spoken = _check_language(
        language or ("zh" if any("\u4e00" <= letter <= "\u9fff" for letter in words) else "en")
    )
    model = with_rules(load(run), rules)
    shown = model.describe(text=words, image=image)
    slate = model.recommend(shown, k=k, language=spoken)
    if as_json:
        print_json("describe", {**shown.as_json(vector=vector), "recommendations": slate.as_json()["items"]})
        return
    show_profile(wide_console(), shown, model.catalogue, language=spoken)
    show_slate(wide_console(), slate, language=spoken)


@app.command()
def recommend(  # noqa: PLR0913 - one argument per option
    shopper_id: Annotated[str, typer.Argument(help="Id of the shopper, as in the shop's data.")],
    run: Run,
    k: Annotated[int, typer.Option("-k", help="Length of the list, at least 1.")] = 10,
    of: Annotated[str, typer.Option(help="item, category, brand or price_band.")] = "item",
    repeat: Annotated[bool, typer.Option("--repeat", help="Offer what was bought before, too.")] = False,
    language: Language = "en",
    rules: RulesFile = None,
    channel: Annotated[str | None, typer.Option(help="web, app, … as the shop's rules call it.")] = None,
    as_json: Json = False,
) -> None:
    """List what this shopper is likely to buy next, with reasons."""
    from huaxiang.model import load

    spoken = _check_language(language)
    model = with_rules(load(run), rules)
    slate = model.recommend(_id(shopper_id), k=k, of=of, repeat=repeat, language=spoken, channel=channel)
    if as_json:
        print_json("recommend", slate.as_json())
    else:
        show_slate(wide_console(), slate, language=spoken)


@app.command()
def evaluate(run: Run, as_json: Json = False) -> None:
    """Measure the held-out model of a run again, beside simpler methods, and renew its report."""
    from huaxiang.cli.building import evaluate_run

    with StageProgress() as progress:
        evaluation = evaluate_run(run, progress=progress.report)
    if as_json:
        print_json("evaluate", evaluation)
        return
    show_parts(wide_console(), evaluation)
    wide_console().print(f"report: {run / 'report.html'}")


@benchmark_app.command("amazon")
def benchmark_amazon(  # noqa: PLR0913 - one parameter per option
    data: Annotated[Path, typer.Option(help="Folder with sequences.txt and items.jsonl.gz.")],
    protocol: Annotated[str, typer.Option(help="masked, unmasked or both.")] = "both",
    models: Annotated[
        str, typer.Option(help="Comma-separated names; a+b mixes.")
    ] = "popular,neighbours,closed_form",
    seeds: Annotated[str, typer.Option(help="Comma-separated seeds.")] = "0",
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for results as JSON, table and picture; finished fits are kept there."),
    ] = None,
    swap: Annotated[
        float, typer.Option(help="How likely neighbouring items change places before, 0 to 1.")
    ] = 0.0,
    newcomers: Annotated[
        bool,
        typer.Option("--newcomers", help="Measure also with only 1, 2, 3 and 5 events known of a shopper."),
    ] = False,
    refit: Annotated[
        bool, typer.Option("--refit", help="Measure also a second fit that learns the validation items too.")
    ] = False,
    settings: Annotated[
        Path | None, typer.Option("--settings", help="Settings file (TOML), such as `huaxiang tune` writes.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Leave-one-out over the full catalogue, as the literature on these data does it."""
    from huaxiang.config import recommenders_named
    from huaxiang.evaluate.amazon import benchmark

    chosen = recommenders_named(settings) if settings is not None else {}
    with StageProgress() as progress:
        results = benchmark(
            data,
            protocol=protocol,
            models=tuple(name.strip() for name in models.split(",")),
            seeds=tuple(_whole_number(seed, "--seeds") for seed in seeds.split(",")),
            cache=cache_folder(),
            out=out,
            swap=swap,
            newcomers=newcomers,
            refit=refit,
            settings=chosen,
            progress=progress.report,
        )
    if as_json:
        print_json("benchmark", results)
        return
    for result in results["protocols"]:
        title = f"{results['dataset']}, {result['protocol']}"
        show_models(wide_console(), result["models"], title=title)
        if refit:
            again = [{**model, "test": model["refit"]} for model in result["models"]]
            show_models(wide_console(), again, title=f"{title}, learnt again with the validation items")


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Run folder to make.")] = Path("runs/demo"),
    seed: Seed = 7,
    shoppers: Annotated[int, typer.Option(help="How many shoppers.")] = 1500,
    items: Annotated[int, typer.Option(help="How many items.")] = 400,
) -> None:
    """Simulate a shop, build everything, and show a portrait, a list and the accuracy."""
    from huaxiang.cli.demo import run_demo

    run_demo(wide_console(), out, seed=seed, n_shoppers=shoppers, n_items=items, cache=cache_folder())


def cache_folder() -> Path:
    """Return where vectors and exported encoders are kept between commands."""
    home = os.environ.get("HUAXIANG_CACHE")
    return Path(home) if home else Path.home() / ".cache" / "huaxiang"


def _id(written: str) -> str:
    """Return an id as the shop's tables have it: 17850.0 is 17850."""
    import polars as pl

    from huaxiang.shop.cells import ids

    return pl.DataFrame({"id": [written]}).select(ids("id")).item() or written


def _whole_number(text: str, column: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InputError(
            "not a whole number", column=column, value=text, remedy="give numbers such as 0,1,2"
        ) from None
