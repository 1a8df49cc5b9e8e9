"""Every check over one table: what is found, what is kept, and nothing said that is personal."""

from __future__ import annotations

import polars as pl
import pytest

from huaxiang.errors import InputError, SettingsError
from huaxiang.shop.quality.cleaning import Cleaned, Config, clean
from huaxiang.shop.quality.findings import COLUMNS, DONE, KINDS
from huaxiang.shop.quality.given import given_of
from shop.quality.dirty import SHORT, SOFT, table

TEXT = Config(texts=("text",))


def found(cleaned: Cleaned, kind: str) -> list[tuple[int, str, str]]:
    """Return line, column and note of the findings of a kind."""
    return cleaned.findings.filter(kind=kind).select("line", "column", "note").rows()


def test_every_finding_has_a_place_a_kind_and_what_was_done() -> None:
    cleaned = clean(table(["cafÃ©", None, "a@b.com", "<b>x</b>"]), TEXT)
    assert tuple(cleaned.findings.columns) == COLUMNS
    assert set(cleaned.findings["kind"]) <= set(KINDS)
    assert set(cleaned.findings["done"]) <= set(DONE)


def test_texts_are_mended_and_masked_and_all_columns_kept() -> None:
    cleaned = clean(table(["cafÃ© <b>ok</b>", "mail a@b.com"], price=["1", "2"]), TEXT)
    assert cleaned.frame["text"].to_list() == ["café ok", "mail [email]"]
    assert cleaned.frame.columns == ["text", "price", "text_language"]


def test_a_typed_table_keeps_its_types() -> None:
    frame = pl.DataFrame({"text": ["a red hat", "nan", None], "n": [1, 2, 3], "on": [True, None, False]})
    cleaned = clean(given_of(frame, name="x.parquet"), TEXT)
    assert cleaned.frame.select("n", "on").equals(frame.select("n", "on"))
    assert [line for line, *_ in found(cleaned, "empty")] == [3, 4]


def test_personal_data_is_nowhere_in_the_findings() -> None:
    secret = "call 555-234-5678 or ann@example.com"
    cleaned = clean(
        table([f"<b>{secret}</b>", f"<b>{secret}</b>", "cafÃ©"], price=["1", secret, "3"]),
        Config(texts=("text",), numbers=("price",)),
    )
    said = cleaned.findings.write_csv()
    assert "555" not in said
    assert "ann@" not in said
    assert {"markup", "email", "phone", "duplicate", "number_wrong"} <= set(cleaned.findings["kind"])


def test_repeats_are_listed_and_removed_only_on_request() -> None:
    given = table([SOFT, SHORT, SOFT, SHORT + "真好"])
    listed, dropped = clean(given, TEXT), clean(given, Config(texts=("text",), drop_duplicates=True))
    assert found(listed, "duplicate") == [(4, "text", "line 2")]
    assert found(listed, "near_duplicate")[0][:2] == (5, "text")
    assert (len(listed.frame), len(dropped.frame)) == (4, 2)
    assert set(dropped.findings.filter(kind="duplicate")["done"]) == {"removed"}


def test_the_same_text_with_another_label_is_told() -> None:
    texts = [f"{text} {n}" for n in range(6) for text in ("很好，喜欢", "太差，退货")]
    labels = ["good", "bad"] * 6
    cleaned = clean(table([*texts, texts[0]], label=[*labels, "bad"]), Config(texts=("text",), label="label"))
    assert found(cleaned, "label_conflict") == [(14, "label", "line 2 has good")]


def test_leaks_are_told_once_and_against_other_files_too() -> None:
    given = table([SOFT, "plain", SOFT, SHORT], part=["train", "train", "test", "train"])
    within = clean(given, Config(texts=("text",), split="part"))
    assert found(within, "leak") == [(4, "text", "line 2 (train), 1.00")]
    other = given_of(pl.DataFrame({"text": ["x y", SHORT]}), name="test.csv")
    across = clean(given, TEXT, against=[other])
    assert found(across, "leak") == [(5, "text", "test.csv:3, 1.00")]


def test_numbers_that_are_missing_wrong_or_far_are_told() -> None:
    prices = ["10", "11", "12", "9.5", "NaN", None, "free", "£1,200,000", "inf"]
    cleaned = clean(table(["a red hat"] * 9, price=prices), Config(texts=("text",), numbers=("price",)))
    assert [line for line, *_ in found(cleaned, "number_missing")] == [6, 7]
    assert [line for line, *_ in found(cleaned, "number_wrong")] == [8, 10]
    assert [line for line, *_ in found(cleaned, "number_outlier")] == [9]


def test_an_id_that_comes_again_is_told() -> None:
    cleaned = clean(table(["a hat", "a cap"], id=["7", "7"]), Config(texts=("text",), row_id="id"))
    assert found(cleaned, "id_repeated") == [(3, "id", "line 2")]


def test_languages_are_counted_and_strangers_told() -> None:
    cleaned = clean(table([*["质量很好"] * 19, "Très belle robe et les couleurs"]), TEXT)
    assert cleaned.languages == {"text": {"zh": 19, "other": 1}}
    assert found(cleaned, "language") == [(21, "text", "other")]


def test_boilerplate_goes_on_request() -> None:
    note = "Free shipping on all orders today!"
    texts: list[str | None] = [f"Hat number {n} is soft. {note}" for n in range(6)]
    cleaned = clean(table(texts), Config(texts=("text",), drop_boilerplate=True))
    assert cleaned.frame["text"][0] == "Hat number 0 is soft."
    assert len(found(cleaned, "boilerplate")) == 6


BAD = {
    "a missing column": (
        Config(texts=("texts",)),
        "column is missing: reviews.csv texts; .*nearest is 'text'",
    ),
    "numbers as texts": (Config(texts=("price",)), "column holds no words: reviews.csv price '1'"),
    "texts as numbers": (Config(texts=("text",), numbers=("text",)), "column holds no numbers"),
    "a missing label": (Config(texts=("text",), label="y"), "--label names it"),
}


@pytest.mark.parametrize(("config", "said"), BAD.values(), ids=BAD)
def test_wrong_columns_are_refused(config: Config, said: str) -> None:
    with pytest.raises(InputError, match=said):
        clean(table(["a red hat", "👒"], price=["1", "2"]), config)


@pytest.mark.parametrize(
    ("name", "value"), [("far", 0.0), ("folds", 1), ("texts", ()), ("boilerplate_share", 2.0)]
)
def test_settings_out_of_range_are_refused(name: str, value: object) -> None:
    with pytest.raises(SettingsError, match=f"clean.{name}"):
        Config(**{"texts": ("text",), name: value})  # type: ignore[arg-type]
