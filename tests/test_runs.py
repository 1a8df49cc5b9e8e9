import json
from pathlib import Path

import pytest

from huaxiang.errors import ArtefactError, InputError
from huaxiang.runs import fingerprint_of, new_run, read_manifest, write_manifest


def make_run(out: Path, *, text: str = "hello") -> None:
    with new_run(out, fingerprint="f") as folder:
        (folder / "part.txt").write_text(text)
        write_manifest(folder, {"name": "m"})


def test_a_run_stands_whole_at_its_place(tmp_path: Path) -> None:
    make_run(tmp_path / "run")
    assert read_manifest(tmp_path / "run")["files"] == {"part.txt": [5, 0x3610A686]}
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_stopped_build_leaves_the_old_run_and_can_be_gone_on_with(tmp_path: Path) -> None:
    make_run(tmp_path / "run")
    with pytest.raises(KeyboardInterrupt), new_run(tmp_path / "run", fingerprint="g") as folder:
        (folder / "half.txt").write_text("half")
        raise KeyboardInterrupt
    assert (tmp_path / "run" / "part.txt").read_text() == "hello"
    with new_run(tmp_path / "run", fingerprint="g") as folder:
        assert (folder / "half.txt").read_text() == "half"
        write_manifest(folder, {})


def test_another_shop_does_not_go_on_with_what_was_left(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), new_run(tmp_path / "run", fingerprint="g") as folder:
        (folder / "half.txt").write_text("half")
        raise KeyboardInterrupt
    with new_run(tmp_path / "run", fingerprint="other") as folder:
        assert not (folder / "half.txt").exists()
        write_manifest(folder, {})


def test_a_folder_with_other_files_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="folder holds something that is no run"):
        make_run(tmp_path)


def test_a_truncated_artefact_is_named(tmp_path: Path) -> None:
    make_run(tmp_path / "run")
    (tmp_path / "run" / "part.txt").write_text("hel")
    with pytest.raises(ArtefactError, match=r"has 3 of 5 bytes: .*part\.txt"):
        read_manifest(tmp_path / "run")


def test_a_damaged_artefact_of_the_same_size_is_named(tmp_path: Path) -> None:
    make_run(tmp_path / "run")
    (tmp_path / "run" / "part.txt").write_text("hEllo")
    with pytest.raises(ArtefactError, match=r"damaged: .*part\.txt"):
        read_manifest(tmp_path / "run")


@pytest.mark.parametrize(("version", "said"), [(99, "newer version"), (1, "older version")])
def test_a_run_of_another_version_is_refused(tmp_path: Path, version: int, said: str) -> None:
    make_run(tmp_path / "run")
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    (tmp_path / "run" / "manifest.json").write_text(json.dumps({**manifest, "version": version}))
    with pytest.raises(ArtefactError, match=said):
        read_manifest(tmp_path / "run")


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_what_is_no_run_is_said_to_be_none(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArtefactError, match="run"):
        read_manifest(tmp_path / name)


def test_fingerprints_tell_parts_apart() -> None:
    assert fingerprint_of("ab", "c") != fingerprint_of("a", "bc")
