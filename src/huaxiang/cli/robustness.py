"""The command that says what typos, synonyms and moved words leave of classifiers' accuracy."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from huaxiang.cli.outcome import print_json
from huaxiang.cli.progress import StageProgress
from huaxiang.cli.show import wide_console

if TYPE_CHECKING:
    from huaxiang.cli.augmenting import Wish
    from huaxiang.encoders.hardening.base import TextAugmenter
    from huaxiang.encoders.hardening.robustness import Config

RECORD, PICTURE = "robustness.json", "robustness.svg"
CHINESE: Mapping[str, str] = {
    "clean": "原文",
    "typos": "错别字",
    "synonyms": "同义词",
    "masked": "模型改写",
    "pgd": "词向量扰动",
}


def robustness(  # noqa: PLR0913 - one argument per option
    model: Annotated[
        list[Path],
        typer.Option(help="Folder of a fine-tuned classifier; repeatable, the first is the measure."),
    ],
    input_: Annotated[Path, typer.Option("--input", help="Table of rows that none of them learnt from.")],
    text: Annotated[list[str], typer.Option(help="Column with the text; repeatable, joined in this order.")],
    label: Annotated[str, typer.Option(help="Column with the label.")],
    ways: Annotated[
        str | None,
        typer.Option(
            help="Of clean, typos, synonyms, masked, pgd; commas between. If not said: clean, typos, pgd, "
            "and those of the others for which --thesaurus or --masked is given."
        ),
    ] = None,
    thesaurus: Annotated[
        Path | None, typer.Option(help="For synonyms: table with columns word and synonyms.")
    ] = None,
    masked: Annotated[
        Path | None, typer.Option(help="For masked: folder of a masked language model.")
    ] = None,
    encoder: Annotated[
        str, typer.Option(help="For masked: text encoder that tells whether a text says the same.")
    ] = "default",
    rate: Annotated[float, typer.Option(help="Share of a text's words that are rewritten.")] = 0.1,
    rows: Annotated[int, typer.Option(help="Rows drawn from the table.")] = 500,
    tries: Annotated[int, typer.Option(help="Texts written per row and way, and random starts of pgd.")] = 3,
    epsilon: Annotated[
        float, typer.Option(help="How far pgd moves a text's words, in typical sizes of their numbers.")
    ] = 5.0,
    steps: Annotated[int, typer.Option(help="Steps of pgd.")] = 10,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 7,
    out: Annotated[Path | None, typer.Option(help=f"Folder to write {RECORD} and {PICTURE} into.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Measure classifiers on the same rows as they are, rewritten, and with the words' vectors moved.

    What was learnt against an attack, as by `finetune classify --set adversarial=fgm`, is compared with the
    first model; intervals are of 95 %, by paired bootstrap over the rows.
    """
    from huaxiang.cli.augmenting import Wish
    from huaxiang.encoders.hardening.robustness import Config

    config = Config(rows=rows, tries=tries, epsilon=epsilon, steps=steps, seed=seed)
    wish = Wish(
        rate=rate,
        thesaurus=thesaurus,
        masked=masked,
        there=None,
        back=None,
        languages=None,
        endpoint=None,
        model=None,
        key="",
        encoder=encoder,
        least=0.8,
    )
    with StageProgress() as progress:
        record = _measured(
            model, (input_, text, label), _ways(ways, wish), wish=wish, config=config, progress=progress
        )
    if out is not None:
        _keep(record, out)
    if as_json:
        print_json("robustness", {**record, "out": str(out) if out else None})
    else:
        _show(record, out)


def _ways(said: str | None, wish: Wish) -> tuple[str, ...]:
    """Return the ways that were named, or those for which everything is there; clean is always among them."""
    from huaxiang.encoders.hardening.attacks import CLEAN
    from huaxiang.encoders.hardening.robustness import PGD, WAYS
    from huaxiang.encoders.learning.base import one_of

    if said is None:
        given = {"synonyms": wish.thesaurus, "masked": wish.masked, "typos": True, PGD: True}
        chosen = [way for way in WAYS if given.get(way)]
    else:
        chosen = [way.strip() for way in said.split(",") if way.strip()]
    for way in chosen:
        one_of("--ways", way, WAYS)
    return tuple(way for way in WAYS if way == CLEAN or way in chosen)


def _measured(
    folders: Sequence[Path],
    table: tuple[Path, list[str], str],
    ways: tuple[str, ...],
    *,
    wish: Wish,
    config: Config,
    progress: StageProgress,
) -> dict[str, Any]:
    """Return what is printed and kept."""
    from huaxiang.encoders.finetuning.tables import read_rows
    from huaxiang.encoders.hardening import robustness as hardening
    from huaxiang.training import require

    started = time.perf_counter()
    if hardening.PGD in ways:
        require("torch")
    classifiers = hardening.open_classifiers(folders)
    file, text, label = table
    whole = read_rows(file, text=text, label=label)
    hardening.check_labels(whole, classifiers)
    chosen = hardening.drawn(whole, config)
    found = hardening.measured(
        classifiers,
        chosen,
        _rewritten(chosen.texts, _attacks(ways, wish), config, progress),
        config=config,
        with_pgd=hardening.PGD in ways,
        progress=progress.report,
    )
    return {
        "input": str(file),
        "rows": len(chosen),
        "rows_left_out": whole.n_left_out,
        "ways": list(ways),
        "tries": config.tries,
        "rate": wish.rate,
        "epsilon": config.epsilon,
        "steps": config.steps,
        "seed": config.seed,
        "models": hardening.as_json(found, seed=config.seed),
        "seconds": round(time.perf_counter() - started, 2),
    }


def _attacks(ways: tuple[str, ...], wish: Wish) -> dict[str, TextAugmenter]:
    from huaxiang.cli.augmenting import sources_of
    from huaxiang.encoders.hardening.attacks import CLEAN
    from huaxiang.encoders.hardening.augment_text import text_augmenters
    from huaxiang.encoders.hardening.robustness import PGD

    written = tuple(way for way in ways if way not in (CLEAN, PGD))
    return text_augmenters(written, sources_of(wish, written))


def _rewritten(
    texts: Sequence[str], attacks: Mapping[str, TextAugmenter], config: Config, progress: StageProgress
) -> dict[str, list[list[str]]]:
    from huaxiang.encoders.hardening.attacks import rewritten

    written: dict[str, list[list[str]]] = {}
    for number, (way, attack) in enumerate(attacks.items()):
        progress.report("rewrite", number, len(attacks), way)
        written |= rewritten(texts, {way: attack}, tries=config.tries, seed=config.seed)
        progress.report("rewrite", number + 1, len(attacks), way)
    return written


def _keep(record: Mapping[str, Any], out: Path) -> None:
    """Write figures and picture; a label of the picture is in both languages, so that it stands alone."""
    from huaxiang.cli.new_folder import new_folder
    from huaxiang.evaluate.charts import grouped_bars
    from huaxiang.files import write_json

    groups = [
        {
            "name": f"{way} {CHINESE[way]}",
            "n": record["rows"],
            "models": {one["model"]: _accuracy(one, way) for one in record["models"]},
        }
        for way in record["ways"]
    ]
    with new_folder(out, mark=RECORD) as folder:
        write_json(folder / RECORD, dict(record))
        picture = grouped_bars(groups, label="accuracy 准确率")
        (folder / PICTURE).write_text(picture, encoding="utf-8")


def _accuracy(one: Mapping[str, Any], way: str) -> float:
    """Return the height of a bar; none where the model was not measured that way."""
    return float(one["ways"][way]["accuracy"]) if way in one["ways"] else float("nan")


def _show(record: Mapping[str, Any], out: Path | None) -> None:
    console = wide_console()
    table = Table(header_style="bold", caption_justify="left")
    table.caption = f"right answers in %, on {record['rows']:,} rows; in brackets: right in every try"
    table.add_column("model", overflow="fold")
    for way in record["ways"]:
        table.add_column(way, justify="right")
    for one in record["models"]:
        table.add_row(escape(one["model"]), *(_cell(one["ways"].get(way)) for way in record["ways"]))
    console.print(table)
    for one in record["models"]:
        for line in _lines(one, record["models"][0]["model"]):
            console.print(escape(line), highlight=False, soft_wrap=True)
    console.print(
        f"{record['seconds']} s" + (f"; {out}: {RECORD}, {PICTURE}" if out else ""), highlight=False
    )


def _cell(held: Mapping[str, Any] | None) -> str:
    if held is None:
        return "-"
    said = f"{100 * held['accuracy']:.1f}"
    return said if held["attack"] == "clean" else f"{said} ({100 * held['worst']:.1f})"


def _lines(one: Mapping[str, Any], first: str) -> list[str]:
    """Return by how much a model differs from the first, and what was left out or is to be known."""
    lines = [
        f"{one['model']} - {first}, {way}: {100 * gap['difference']:+.1f} points "
        f"[{100 * gap['low']:+.1f}, {100 * gap['high']:+.1f}]"
        for way, held in one["ways"].items()
        if (gap := held["beside_first"]) is not None
    ]
    lines += [f"{one['model']}, {way}: {why}" for way, why in one["left_out"].items()]
    return lines + [f"{one['model']}: {note}" for note in one["remarks"]]
