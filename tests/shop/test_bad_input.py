"""Folders that can't be read: each error names the place and the remedy."""

import gzip
from pathlib import Path

import pytest

from huaxiang.errors import ShopError
from huaxiang.shop.read import read_shop
from shop.shops import EVENTS, ITEMS, NOW, folder_of


def error_of(folder: Path, **files: str) -> ShopError:
    with pytest.raises(ShopError) as caught:
        read_shop(folder_of(folder, **files) if files else folder, now=NOW)
    assert caught.value.remedy
    assert caught.value.exit_code == 2
    return caught.value


def test_a_missing_folder(tmp_path: Path) -> None:
    assert "no such shop folder" in str(error_of(tmp_path / "none"))


def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    folder_of(tmp_path, events_csv=EVENTS)
    assert "file where a shop folder should be" in str(error_of(tmp_path / "events.csv"))


def test_a_folder_in_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "events.csv").mkdir()
    error = error_of(tmp_path)
    assert (error.message, error.file) == ("a folder where a file should be", "events.csv")


def test_an_empty_folder(tmp_path: Path) -> None:
    assert "no items or events" in str(error_of(tmp_path))


@pytest.mark.parametrize("content", ["", "  \n"])
def test_an_empty_file(tmp_path: Path, content: str) -> None:
    assert "file is empty" in str(error_of(tmp_path, events_csv=content))


def test_a_header_alone(tmp_path: Path) -> None:
    assert "no usable events" in str(error_of(tmp_path, events_csv=EVENTS.splitlines()[0] + "\n"))


def test_no_usable_event_names_the_first_and_the_usual_reason(tmp_path: Path) -> None:
    events = "shopper_id,item_id,occurred_at\ns,x,2025-01-01\ns,y,2025-01-01\n"
    error = error_of(tmp_path, items_csv=ITEMS, events_csv=events)
    assert (error.line, error.column, error.value) == (2, "item_id", "x")
    assert "2 of 2 lines say 'not in the catalogue'" in error.message


def test_another_encoding_names_line_and_byte(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_bytes(b"shopper_id,item_id\nu,a\nu,caf\xe9\n")
    error = error_of(tmp_path)
    assert (error.message, error.line, error.value) == ("not written in utf-8", 3, "e9")


def test_a_gzip_file_cut_short(tmp_path: Path) -> None:
    (tmp_path / "events.csv.gz").write_bytes(gzip.compress(EVENTS.encode() * 100)[:-40])
    assert "gzip file is truncated" in str(error_of(tmp_path))


def test_a_gzip_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "events.csv.gz").write_bytes(EVENTS.encode())
    assert "not a readable gzip file" in str(error_of(tmp_path))


def test_a_parquet_file_that_is_none(tmp_path: Path) -> None:
    assert "not a readable Parquet file" in str(error_of(tmp_path, events_parquet="hello"))


def test_a_missing_column_names_those_there_are(tmp_path: Path) -> None:
    error = error_of(tmp_path, events_csv="when,what\n2025-01-01,a\n")
    assert (error.message, error.file, error.column) == ("column is missing", "events.csv", "shopper_id")
    assert "when, what" in str(error)


def test_a_column_that_shop_toml_names_in_vain(tmp_path: Path) -> None:
    toml = '[events.columns]\nshopper_id = "CustomerNo"\n'
    error = error_of(tmp_path, shop_toml=toml, events_csv="CustomerID,item_id,time\nu,a,2025-01-01\n")
    assert (error.file, error.column) == ("events.csv", "CustomerNo")
    assert "'CustomerID'" in str(error)


@pytest.mark.parametrize(
    ("toml", "column", "nearest"),
    [
        ('[shop]\nnmae = "x"\n', "shop.nmae", "name"),
        ('[event]\nfile = "x"\n', "event", "events"),
        ('[events]\ndefualt_type = "purchase"\n', "events.defualt_type", "default_type"),
        ('[items.columns]\ntitel = "x"\n', "items.columns.titel", "title"),
        ('[events.types]\nbuy = "purchse"\n', "events.types.buy = purchse", "purchase"),
    ],
)
def test_unknown_keys_name_the_nearest(tmp_path: Path, toml: str, column: str, nearest: str) -> None:
    error = error_of(tmp_path, shop_toml=toml, events_csv=EVENTS)
    assert (error.file, error.column) == ("shop.toml", column)
    assert f"the nearest is {nearest};" in str(error)


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("[shop\n", "not a TOML file"),
        ("[shop]\nname = 3\n", "wrong kind"),
        ('[shop]\nlanguages = "en"\n', "wrong kind"),
        ('[shop]\ntimezone = "Mars/Base"\n', "no such time zone"),
        ('[shop]\nadapter = "amazn"\n', "the nearest is amazon"),
        ('[events]\nfile = "gone.csv"\n', "no such file"),
        ('[events]\nfile = "../../etc/passwd"\n', "outside the shop folder"),
        ('[events]\nfile = "events.csv"\nencoding = "klingon"\n', "no such encoding"),
    ],
)
def test_settings_that_mean_nothing(tmp_path: Path, toml: str, said: str) -> None:
    assert said in str(error_of(tmp_path, shop_toml=toml, events_csv=EVENTS))


def test_an_unclosed_quote_never_hides_lines(tmp_path: Path) -> None:
    events = 'shopper_id,item_id,occurred_at\ns,a,2025-01-01\ns,"b,2025-01-01\ns,c,2025-01-01\n'
    shop = read_shop(folder_of(tmp_path, events_csv=events), now=NOW)
    assert shop.accounting.agrees
    assert len(shop.quarantine) == 1


def test_lines_that_are_no_json_are_quarantined(tmp_path: Path) -> None:
    events = '{"user_id": "u", "item_id": 7, "time": "2025-01-01"}\n{oops\n[1]\n'
    shop = read_shop(folder_of(tmp_path, events_jsonl=events), now=NOW)
    assert shop.items["item_id"].to_list() == ["7"]
    assert shop.quarantine.select("line", "reason").rows() == [(2, "not JSON"), (3, "not a JSON object")]
