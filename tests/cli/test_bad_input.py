"""Whatever is given wrongly: exit 2, one sentence that says what to do, and nothing half-written."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from command_line import QUICK, Answer, call
from huaxiang.errors import StorageError, UnknownItemError
from huaxiang.model import Model
from huaxiang.records import Event, EventType
from huaxiang.shop.base import Shop
from huaxiang.shop.read import read_shop

if TYPE_CHECKING:
    from conftest import SmallBuild

ITEMS = "item_id,title\na,red shoe\nb,blue shoe\n"
EVENTS = "event_id,shopper_id,type,item_id,occurred_at\n1,s,purchase,a,2024-01-01T00:00:00Z\n"
ERROR_KEYS = {"kind", "message", "file", "line", "column", "value", "remedy"}


def shop_of(folder: Path, files: Mapping[str, bytes]) -> Path:
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def build(shop: Path, out: Path, *more: str | Path) -> Answer:
    return call("build", "--shop", shop, "--out", out, *QUICK, "--json", *more)


def check_refused(answer: Answer, *said: str) -> None:
    """Check exit code, sentence and JSON of a refusal."""
    assert answer.code == 2
    sentence = answer.err.splitlines()[-1]
    assert sentence.startswith("error: ")
    assert "; " in sentence
    assert all(part in sentence for part in said), sentence
    assert "Traceback" not in answer.err
    if answer.out:
        assert set(answer.json) == {"error"}
        assert set(answer.json["error"]) == ERROR_KEYS


BROKEN_SHOPS = {
    "no items and no events": ({}, ("no items or events",)),
    "a missing column": (
        {"items.csv": ITEMS, "events.csv": EVENTS.replace("shopper_id", "who")},
        ("column is missing: events.csv shopper_id", "shop.toml"),
    ),
    "a missing column of items": (
        {"items.csv": ITEMS.replace("item_id", "code_of"), "events.csv": EVENTS},
        ("column is missing: items.csv item_id",),
    ),
    "an empty file": ({"items.csv": ITEMS, "events.csv": ""}, ("file is empty: events.csv",)),
    "a header only": (
        {"items.csv": ITEMS, "events.csv": EVENTS.splitlines()[0] + "\n"},
        ("no usable events", "events.csv"),
    ),
    "events of items that are not sold": (
        {"items.csv": ITEMS, "events.csv": EVENTS.replace(",a,", ",zzz,")},
        ("no usable events", "events.csv:2 item_id 'zzz'"),
    ),
    "no events at all": ({"items.csv": ITEMS}, ("no events", "events.csv")),
    "too few events to hold any out": ({"items.csv": ITEMS, "events.csv": EVENTS}, ("too few events",)),
    "events without any description": ({"events.csv": EVENTS}, ("no item has a text or a photo",)),
    "settings that are no TOML": (
        {"items.csv": ITEMS, "events.csv": EVENTS, "shop.toml": "[shop\n"},
        ("shop.toml",),
    ),
}


@pytest.mark.parametrize("name", BROKEN_SHOPS)
def test_a_broken_shop_is_refused(name: str, tmp_path: Path, cache: Path) -> None:
    files, said = BROKEN_SHOPS[name]
    shop = shop_of(tmp_path / "shop", {file: text.encode() for file, text in files.items()})
    check_refused(build(shop, tmp_path / "run"), *said)
    assert [path.name for path in tmp_path.iterdir()] == ["shop"]


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    check_refused(build(tmp_path / "none", tmp_path / "run"), "no such shop folder", "none")


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "shop").write_text("x")
    check_refused(build(tmp_path / "shop", tmp_path / "run"), "a file where a shop folder should be")


def test_a_folder_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    shop = shop_of(tmp_path / "shop", {"items.csv": ITEMS.encode()})
    (shop / "events.csv").mkdir()
    check_refused(build(shop, tmp_path / "run"), "a folder where a file should be: events.csv")


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "gbk"])
def test_a_wrong_encoding_is_refused_with_the_line(encoding: str, tmp_path: Path) -> None:
    word = "裙子" if encoding == "gbk" else "soulier bordé"
    files = {"items.csv": ITEMS.replace("red shoe", word).encode(encoding), "events.csv": EVENTS.encode()}
    answer = build(shop_of(tmp_path / "shop", files), tmp_path / "run")
    check_refused(answer, "not written in utf-8: items.csv:", "encoding =")


def test_an_event_of_an_unknown_item_is_set_apart_with_its_line(tmp_path: Path) -> None:
    lines = EVENTS + "2,s,purchase,zzz,2024-01-02T00:00:00Z\n"
    files = {"items.csv": ITEMS.encode(), "events.csv": lines.encode()}
    shop = read_shop(shop_of(tmp_path / "shop", files))
    assert shop.accounting.quarantined == {"not in the catalogue": 1}
    assert shop.accounting.agrees
    apart = shop.quarantine.row(0, named=True)
    assert (apart["file"], apart["line"], apart["column"], apart["value"]) == (
        "events.csv",
        3,
        "item_id",
        "zzz",
    )


def test_learning_of_an_unknown_item_is_refused_and_changes_nothing(small_model: Model) -> None:
    before = small_model.position
    event = Event(
        event_id="x",
        shopper_id="s-0",
        type=EventType.PURCHASE,
        item_id="no-such-item",
        occurred_at=datetime(2025, 7, 5, tzinfo=UTC),
    )
    with pytest.raises(UnknownItemError, match="no-such-item"):
        small_model.learn(event)
    assert small_model.position == before


@pytest.mark.parametrize("command", ["profile", "recommend"])
def test_an_unknown_shopper_is_refused(command: str, small_run: Path) -> None:
    answer = call(command, "nobody", "--run", small_run, "--json")
    check_refused(answer, "no such shopper: 'nobody'")
    assert answer.json["error"]["kind"] == "UnknownShopperError"


@pytest.mark.parametrize("k", ["0", "-3"])
@pytest.mark.parametrize("asked", [("recommend", "s-0"), ("describe", "a red shoe")])
def test_a_list_of_no_places_is_refused(asked: tuple[str, str], k: str, small_run: Path) -> None:
    check_refused(call(*asked, "--run", small_run, "-k", k, "--json"), "at least one place", f"'{k}'")


WRONG_ARGUMENTS = [
    (("recommend", "s-0", "-k", "ten"), "-k"),
    (("recommend", "s-0", "--of", "moon"), "moon"),
    (("recommend", "s-0", "--language", "fr"), "say en or zh"),
    (("profile", "s-0", "--language", "fr"), "say en or zh"),
    (("profile", "s-0", "--as-of", "yesterday"), "not a time: --as-of 'yesterday'"),
    (("profile",), "shopper_id"),
    (("describe", "  "), "nothing is described"),
    (("describe", "shoes", "--image", "no-such.jpg"), "no such image: no-such.jpg"),
    (("describe", "shoes", "--language", "fr"), "say en or zh"),
    (("dance",), "dance"),
]


@pytest.mark.parametrize(("arguments", "said"), WRONG_ARGUMENTS)
def test_a_wrong_argument_is_refused(arguments: tuple[str, ...], said: str, small_run: Path) -> None:
    answer = call(*arguments, "--run", small_run, "--json")
    check_refused(answer, said)
    assert answer.json["error"]["kind"] == "InputError"


WRONG_SETTINGS = [
    ("profile.kapa=5", "the nearest is profile.kappa"),
    ("profile.kappa=-5", "out of range: profile.kappa"),
    ("profile.kappa=many", "profile.kappa 'many'"),
    ("nothing", "write part.name=value"),
    ("recommend.members=['moon']", "'moon'"),
    ("fusion.way=glue", "'glue'"),
    ("seed.x=3", "seed"),
]


@pytest.mark.parametrize(("change", "said"), WRONG_SETTINGS)
def test_a_wrong_setting_is_refused(change: str, said: str, small_build: SmallBuild, tmp_path: Path) -> None:
    check_refused(build(small_build.shop, tmp_path / "run", "--set", change), said)
    assert not list(tmp_path.iterdir())


def test_a_settings_file_that_is_none_is_refused(small_build: SmallBuild, tmp_path: Path) -> None:
    for file, said in ((tmp_path, "a folder"), (tmp_path / "none.toml", "no such settings file")):
        check_refused(build(small_build.shop, tmp_path / "run", "--settings", file), said)


@pytest.mark.parametrize("modality", ["--text", "--image"])
def test_an_encoder_folder_without_a_model_is_refused(
    modality: str, small_build: SmallBuild, tmp_path: Path
) -> None:
    encoder = tmp_path / "encoder"
    encoder.mkdir()
    answer = call("build", "--shop", small_build.shop, "--out", tmp_path / "run", modality, encoder, "--json")
    check_refused(answer, "no model in the folder", "encoder")
    assert [path.name for path in tmp_path.iterdir()] == ["encoder"]


@pytest.mark.parametrize("out", ["thesis", "thesis/years.txt"])
def test_a_run_is_not_written_over_other_work(out: str, small_build: SmallBuild, tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "years.txt").write_text("of work")
    answer = build(small_build.shop, tmp_path / out)
    check_refused(answer, "--out")
    assert "read the shop" not in answer.err
    assert (tmp_path / "thesis" / "years.txt").read_text() == "of work"


@pytest.fixture
def copied_run(small_run: Path, tmp_path: Path) -> Path:
    """Return a copy of the run whose large files are shared with it: replace them, don't write into them."""
    return Path(shutil.copytree(small_run, tmp_path / "copy", copy_function=os.link))


def replace(file: Path, content: bytes) -> None:
    file.unlink()
    file.write_bytes(content)


def commands_on(run: Path) -> list[Answer]:
    return [
        call("profile", "s-0", "--run", run, "--json"),
        call("recommend", "s-0", "--run", run, "--json"),
        call("describe", "red shoes", "--run", run, "--json"),
        call("evaluate", "--run", run, "--json"),
    ]


def test_no_run_is_refused(tmp_path: Path) -> None:
    for answer in commands_on(tmp_path / "none"):
        check_refused(answer, "no such run", "none")


def test_a_run_of_a_newer_version_is_refused(copied_run: Path) -> None:
    manifest = json.loads((copied_run / "manifest.json").read_text())
    replace(copied_run / "manifest.json", json.dumps({**manifest, "version": 99}).encode())
    for answer in commands_on(copied_run):
        check_refused(answer, "newer version", "'99'", "update huaxiang")


@pytest.mark.parametrize(
    "name",
    ["states.parquet", "events.parquet", "vectors/items.safetensors", "encoders/text/text.onnx"],
)
def test_a_truncated_artefact_is_refused(name: str, copied_run: Path) -> None:
    whole = (copied_run / name).read_bytes()
    replace(copied_run / name, whole[: len(whole) // 2])
    for answer in commands_on(copied_run):
        check_refused(answer, Path(name).name, f"of {len(whole)} bytes", "build the run again")


@pytest.mark.parametrize("name", ["manifest.json", "settings.toml", "vocabulary.json", "fusion/fusion.json"])
def test_an_artefact_that_is_missing_is_refused(name: str, copied_run: Path) -> None:
    (copied_run / name).unlink()
    for answer in commands_on(copied_run):
        check_refused(answer, Path(name).name)


@pytest.mark.parametrize(
    "name",
    [
        "states.parquet",
        "items.parquet",
        "vocabulary.json",
        "settings.toml",
        "vectors/items.safetensors",
        "encoders/text/text.onnx",
        "population/population.json",
        "recommender/recommender.json",
    ],
)
def test_an_artefact_of_the_right_size_and_wrong_content_is_refused(name: str, copied_run: Path) -> None:
    replace(copied_run / name, b"\0" * (copied_run / name).stat().st_size)
    check_refused(call("profile", "s-0", "--run", copied_run, "--json"))


FULL = [
    OSError(errno.ENOSPC, "No space left on device"),
    pl.exceptions.ComputeError("parquet: underlying IO error: No space left on device (os error 28)"),
]


@pytest.mark.parametrize("error", FULL, ids=["from the system", "from a library"])
def test_a_full_disk_leaves_the_earlier_run(
    error: Exception, small_build: SmallBuild, copied_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("huaxiang.cli.building.fit", no_room)
    check_refused(build(small_build.shop, copied_run), "no space left", "free some space")
    assert [path.name for path in copied_run.parent.iterdir()] == [copied_run.name]
    assert call("profile", "s-0", "--run", copied_run, "--json").code == 0


@pytest.mark.parametrize("error", FULL, ids=["from the system", "from a library"])
def test_a_disk_that_fills_while_saving_leaves_no_half_run(
    error: Exception, small_model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(shop: Shop, folder: Path) -> None:
        (folder / "items.parquet").write_bytes(b"half")
        raise error

    monkeypatch.setattr("huaxiang.model.saving.save_shop", half)
    with pytest.raises(StorageError, match="no space left: .*run"):
        small_model.save(tmp_path / "run")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_stopped_build_leaves_no_run_and_the_same_command_finishes_it(
    small_build: SmallBuild, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    command = [sys.executable, "-m", "huaxiang", "build", "--shop", small_build.shop, "--out", out, *QUICK]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as stopped:
        until = time.monotonic() + 60
        while not (tmp_path / "run.partial" / "of.json").exists():
            assert time.monotonic() < until, "the build did not begin"
            time.sleep(0.05)
        stopped.send_signal(signal.SIGINT)
        _, said = stopped.communicate(timeout=60)
    assert (stopped.returncode, out.exists()) == (130, False)
    assert "stopped: what was finished is kept" in said
    assert "Traceback" not in said
    again = subprocess.run(command, capture_output=True, check=False)
    assert again.returncode == 0, again.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert call("profile", "s-0", "--run", out, "--json").code == 0
