"""`tag-products`: by title, by photo, by both, and by words alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from command_line import call
from encoders.pretraining.small_photos import write_photos

pytest.importorskip("torch")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop of spots, a third of whose titles name no colour, and models of its photos and titles."""
    folder = tmp_path_factory.mktemp("tagging")
    table = write_photos(folder, 96)
    made = call(
        *("pretrain", "image", "--table", table, "--photos", folder / "photos", "--out", folder / "photo"),
        *("--objective", "tags", "--tags", "colour", "--tags", "shape", "--from-scratch", "resnet18_small"),
        *("--size", "32", "--batch", "16", "--epochs", "12", "--learning-rate", "3e-3"),
        *("--set", "channels=8", "--set", "fewest_of_a_tag=2", "--set", "training.precision=fp32"),
    )
    assert made.code == 0, made.err
    products = pl.read_csv(table)
    learnt, shown = (
        [title if row % 3 else f"a dress {row * number}" for row, title in enumerate(products["title"])]
        for number in (5, 7)
    )
    products.with_columns(title=pl.Series(learnt)).write_csv(folder / "titles.csv")
    said = ("--train", folder / "titles.csv", "--text", "title", "--label", "colour", "--model", "ngrams")
    made = call("finetune", "classify", *said, "--out", folder / "title")
    assert made.code == 0, made.err
    shutil.copytree(folder / "photos", folder / "shop" / "images")
    photos = [f"{one}.png" for one in products["id"]]
    items = pl.DataFrame({"item_id": products["id"], "title": shown, "image": photos})
    items.write_csv(folder / "shop" / "items.csv")
    return folder


def tagged(home: Path, *more: str | Path) -> pl.DataFrame:
    out = home / "tags.csv"
    made = call("tag-products", "--shop", home / "shop", "--out", out, *more, "--json")
    assert made.code == 0, made.err
    truth = pl.read_csv(home / "products.csv").unpivot(["colour", "shape"], index="id")
    truth = truth.rename({"id": "item_id", "variable": "dimension", "value": "true"})
    return pl.read_csv(out).join(truth, on=["item_id", "dimension"], how="left")


def n_right(tags: pl.DataFrame, dimension: str) -> int:
    return len(tags.filter((pl.col("dimension") == dimension) & (pl.col("value") == pl.col("true"))))


def test_photos_and_titles_tell_more_together_than_either_alone(home: Path) -> None:
    title, photo = ("--model", f"colour={home / 'title'}"), ("--photo-model", home / "photo")
    by_title, by_photo = tagged(home, *title), tagged(home, *photo)
    assert set(by_title["dimension"]) == {"colour"}
    assert set(by_photo["dimension"]) == {"colour", "shape"}
    both = tagged(home, *title, *photo)
    assert n_right(both, "colour") > max(n_right(by_title, "colour"), n_right(by_photo, "colour"))
    shape = both.filter(pl.col("dimension") == "shape")
    assert shape.equals(by_photo.filter(pl.col("dimension") == "shape"))


def test_an_item_without_a_photo_is_told_by_its_title_alone(home: Path, tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shutil.copytree(home / "shop", shop)
    (shop / "images" / "p1.png").write_bytes(b"no photo")
    (shop / "images" / "p3.png").unlink()
    (tmp_path / "products.csv").write_bytes((home / "products.csv").read_bytes())
    title, photo = ("--model", f"colour={home / 'title'}"), ("--photo-model", home / "photo")
    found = tagged(tmp_path, *title, *photo, "--least", "0")
    assert set(found.filter(pl.col("item_id").is_in(["p1", "p3"]))["dimension"]) == {"colour"}
    alone = tagged(tmp_path, *title, "--least", "0")
    mine = pl.col("item_id") == "p1"
    assert found.filter(mine)["confidence"].to_list() == alone.filter(mine)["confidence"].to_list()


def test_an_item_without_a_title_is_told_by_its_photo_alone(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home / "shop", tmp_path / "shop")
    (tmp_path / "products.csv").write_bytes((home / "products.csv").read_bytes())
    items = pl.read_csv(home / "shop" / "items.csv")
    blank = pl.when(pl.col("item_id") == "p1").then(pl.lit("---")).otherwise("title").alias("title")
    items.with_columns(blank).write_csv(tmp_path / "shop" / "items.csv")
    title, photo = ("--model", f"colour={home / 'title'}"), ("--photo-model", home / "photo")
    mine = pl.col("item_id") == "p1"
    assert not len(tagged(tmp_path, *title, "--least", "0").filter(mine))
    both = tagged(tmp_path, *title, *photo, "--least", "0").filter(mine)
    assert both.equals(tagged(tmp_path, *photo, "--least", "0").filter(mine))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ((), "nothing to tag with"),
        (("--model", "colour"), "no dimension named"),
        (("--model", "colour=title", "--model", "colour=title"), "dimension is told twice"),
        (("--model", "colour=title", "--values", "colour=red,blue"), "dimension is told twice"),
        (("--values", "colour=red"), "too few values"),
        (("--photo-model", "title"), "no pretrained photo encoder"),
        (("--model", "colour=photo"), "no fine-tuned model"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_given_wrongly_is_refused(
    home: Path, more: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    refused = call("tag-products", "--shop", "shop", "--out", "x.csv", "--text", "hashed", *more)
    assert refused.code == 2
    assert said in refused.err
    assert not (home / "x.csv").exists()
