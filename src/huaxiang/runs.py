"""Run folders: the only place that writes artefacts.

A run is written beside its place and renamed when it is whole, so that a folder with a manifest is always a
complete run. What a stopped build leaves is `<out>.partial`, from which the next build of the same shop with
the same settings goes on.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from huaxiang.errors import ArtefactError, InputError, StorageError, is_disk_full
from huaxiang.files import write_json

RUN_VERSION = 3
"""Raised whenever what a run holds changes: an older run is built again rather than read by half."""
MANIFEST = "manifest.json"
CHECKPOINTS = "checkpoints"
_OF = "of.json"
_UNSIZED = (MANIFEST, _OF, "evaluation.json", "report.html")
"""Files that `evaluate` may renew without making the manifest wrong meanwhile."""


@contextmanager
def new_run(out: Path, *, fingerprint: str) -> Iterator[Path]:
    """Yield a folder to write a run into; put it at `out` once the block ends without an error.

    Parameters
    ----------
    fingerprint
        Of the data and settings. A partial run with the same one is gone on with, another is dropped.

    Raises
    ------
    InputError
        `out` holds something that is no run: it is not written over.
    StorageError
        The disk is full; an earlier run at `out` stays as it was.
    """
    check_target(out)
    out = out.resolve()
    partial = out.with_name(out.name + ".partial")
    if partial.exists() and _read_json(partial / _OF) != {"fingerprint": fingerprint}:
        shutil.rmtree(partial)
    partial.mkdir(parents=True, exist_ok=True)
    write_json(partial / _OF, {"fingerprint": fingerprint})
    try:
        yield partial
    except Exception as error:
        _keep_checkpoints(partial)
        if is_disk_full(error):
            raise StorageError.full(str(out)) from error
        raise
    shutil.rmtree(partial / CHECKPOINTS, ignore_errors=True)
    (partial / _OF).unlink()
    _swap(partial, out)


def _keep_checkpoints(partial: Path) -> None:
    """Leave of a failed run only what another attempt goes on from, and nothing where that is nothing."""
    if not any((partial / CHECKPOINTS).rglob("*.*")):
        shutil.rmtree(partial, ignore_errors=True)
        return
    for path in partial.iterdir():
        if path.is_dir() and path.name != CHECKPOINTS:
            shutil.rmtree(path, ignore_errors=True)
        elif path.is_file() and path.name != _OF:
            path.unlink()


def check_target(out: Path) -> None:
    """Raise `InputError` where a run can't be put at `out`."""
    if out.is_file():
        raise InputError(
            "the run needs a folder", column="--out", value=str(out), remedy="name another place"
        )
    if out.exists() and any(out.iterdir()) and not (out / MANIFEST).exists():
        remedy = "name an empty folder or an earlier run"
        raise InputError(
            "folder holds something that is no run", column="--out", value=str(out), remedy=remedy
        )


def _swap(partial: Path, out: Path) -> None:
    old = out.with_name(out.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        out.rename(old)
    partial.rename(out)
    shutil.rmtree(old, ignore_errors=True)


def write_manifest(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write what the run is made of: its version, its facts, and size and checksum of what serving reads."""
    files = {
        str(path.relative_to(folder)): [path.stat().st_size, _checksum(path)]
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in _UNSIZED and CHECKPOINTS not in path.parts
    }
    write_json(folder / MANIFEST, {"version": RUN_VERSION, **facts, "files": files})


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a complete run.

    Raises
    ------
    ArtefactError
        There is no run, it was made by another version, or one of its files is missing or truncated.
    """
    if not folder.is_dir():
        raise ArtefactError("no such run", file=str(folder), remedy="make it with huaxiang build")
    manifest = _read_json(folder / MANIFEST)
    if not isinstance(manifest, dict) or not isinstance(manifest.get("version"), int):
        remedy = "make it with huaxiang build"
        raise ArtefactError("folder is no complete run", file=str(folder / MANIFEST), remedy=remedy)
    if manifest["version"] > RUN_VERSION:
        remedy = f"this version reads up to {RUN_VERSION}; update huaxiang"
        value = str(manifest["version"])
        raise ArtefactError("run was made by a newer version", file=str(folder), value=value, remedy=remedy)
    if manifest["version"] < RUN_VERSION:
        value = str(manifest["version"])
        remedy = "build the run again"
        raise ArtefactError("run was made by an older version", file=str(folder), value=value, remedy=remedy)
    _check_files(folder, manifest.get("files", {}))
    return manifest


def _checksum(path: Path) -> int:
    """Return the CRC-32: against damage, not against malice, and quick enough for every load."""
    checksum = 0
    with path.open("rb") as file:
        while block := file.read(1 << 22):
            checksum = zlib.crc32(block, checksum)
    return checksum


def _check_files(folder: Path, files: Mapping[str, tuple[int, int]]) -> None:
    for name, (size, checksum) in files.items():
        path = folder / name
        found = path.stat().st_size if path.is_file() else None
        if found != size:
            state = "is missing" if found is None else f"has {found} of {size} bytes"
            raise ArtefactError(f"artefact {state}", file=str(path), remedy="build the run again")
        if _checksum(path) != checksum:
            raise ArtefactError("artefact is damaged", file=str(path), remedy="build the run again")


def read_part(folder: Path, name: str) -> Any:
    """Return one JSON artefact of a run."""
    part = _read_json(folder / name)
    if part is None:
        raise ArtefactError("artefact can't be read", file=str(folder / name), remedy="build the run again")
    return part


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def fingerprint_of(*parts: str) -> str:
    """Return a short name that differs whenever one of `parts` does.

    Examples
    --------
    >>> fingerprint_of("shop", "settings") == fingerprint_of("shop", "settings")
    True
    """
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()
