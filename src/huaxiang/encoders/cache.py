"""Vectors kept by the hash of what they were made from, so that a second build encodes only what is new."""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from huaxiang.encoders.base import Encoded, ImageInput
from huaxiang.errors import StorageError
from huaxiang.notes import Note
from huaxiang.records import Matrix

logger = logging.getLogger(__name__)

VERSION = 1
MOST_SHARDS = 64

Input = TypeVar("Input")
InputContra = TypeVar("InputContra", contravariant=True)


class Encoder(Protocol[InputContra]):
    """A text or an image encoder."""

    @property
    def space(self) -> str:
        """A name that differs whenever the vectors would."""

    @property
    def dimensions(self) -> int:
        """D."""

    def encode(self, inputs: Sequence[InputContra], /) -> Encoded:
        """Return one vector per input."""


def text_content(text: str | None) -> bytes | None:
    """Return the bytes that decide a text's vector; None where there is no text."""
    return None if text is None else text.encode("utf-8", "surrogatepass")


def image_content(image: ImageInput) -> bytes | None:
    """Return the bytes that decide a photo's vector; None where there is no photo or it can't be read."""
    if image is None or isinstance(image, bytes):
        return image
    try:
        return Path(image).read_bytes()
    except OSError:
        return None


class CachedEncoder(Generic[Input]):
    """The same vectors as `encoder`, each made once.

    Vectors lie in `folder/<hash of the space>/`, in files that are written beside and renamed, and never
    changed. A file that doesn't read back as it was written is dropped, logged and counted in
    `n_shards_dropped`; its vectors are made again. Several processes may share a folder.

    Parameters
    ----------
    encoder
        A text or image encoder.
    folder
        Where vectors are kept; made when missing.
    content
        Input → the bytes that decide its vector: `text_content` (default) or `image_content`.
        Inputs without content are passed to the encoder and not kept.

    Examples
    --------
    >>> import tempfile
    >>> from huaxiang.encoders.hashed import HashedEncoder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     first = CachedEncoder(HashedEncoder(), folder)
    ...     _ = first.encode(["red dress", "running shoes"])
    ...     second = CachedEncoder(HashedEncoder(), folder)
    ...     _ = second.encode(["red dress", "blue dress"])
    >>> second.n_found, second.n_made
    (1, 1)
    """

    def __init__(
        self,
        encoder: Encoder[Input],
        folder: str | Path,
        *,
        content: Callable[[Input], bytes | None] = text_content,  # type: ignore[assignment]
    ) -> None:
        self.encoder = encoder
        self.n_found = 0
        self.n_made = 0
        self._content = content
        self._shelf = Shelf(Path(folder), space=encoder.space, dimensions=encoder.dimensions)

    @property
    def space(self) -> str:
        """The encoder's space."""
        return self.encoder.space

    @property
    def dimensions(self) -> int:
        """D."""
        return self.encoder.dimensions

    @property
    def n_shards_dropped(self) -> int:
        """How many files did not read back and were dropped."""
        return self._shelf.n_dropped

    def encode(self, inputs: Sequence[Input]) -> Encoded:
        """Return one vector per input; only inputs never seen in this space reach the encoder."""
        keys = [_key(self._content(one)) for one in inputs]
        first_rows = {key: row for row, key in reversed(list(enumerate(keys))) if key is not None}
        new_rows = sorted(row for key, row in first_rows.items() if key not in self._shelf)
        unkept_rows = [row for row, key in enumerate(keys) if key is None]
        made = self.encoder.encode([inputs[row] for row in new_rows + unkept_rows])
        self.n_made += len(new_rows)
        self.n_found += len(inputs) - len(new_rows) - len(unkept_rows)
        self._shelf.add([keys[row] or b"" for row in new_rows], made)
        fresh = {row: at + len(new_rows) for at, row in enumerate(unkept_rows)}
        return self._gather(keys, made, fresh)

    def _gather(self, keys: Sequence[bytes | None], made: Encoded, fresh: Mapping[int, int]) -> Encoded:
        vectors_ID = np.zeros((len(keys), self.dimensions), np.float32)
        present_I = np.zeros(len(keys), np.bool_)
        problems: dict[int, Note] = {}
        for row, key in enumerate(keys):
            if key is not None:
                vectors_ID[row], present_I[row], problem = self._shelf.get(key)
            else:
                at = fresh[row]
                vectors_ID[row], present_I[row] = made.vectors_ID[at], made.present_I[at]
                problem = made.problems.get(at)
            if problem:
                problems[row] = problem
        return Encoded(vectors_ID=vectors_ID, present_I=present_I, problems=problems)


def _key(content: bytes | None) -> bytes | None:
    return None if content is None else hashlib.blake2b(content, digest_size=16).digest()


class Shelf:
    """The stored vectors of one space: key → vector, whether it is present, and what was wrong."""

    def __init__(self, folder: Path, *, space: str, dimensions: int) -> None:
        self.folder = folder / hashlib.blake2b(space.encode(), digest_size=8).hexdigest()
        self.space = space
        self.n_dropped = 0
        self._dimensions = dimensions
        self._place_of: dict[bytes, tuple[int, int]] = {}
        self._shards: list[Encoded] = []
        self._lock = threading.Lock()
        files = sorted(self.folder.glob("*.safetensors"))
        for file in files:
            self._load(file)
        if len(files) > MOST_SHARDS:
            self._merge(files)

    def __contains__(self, key: bytes) -> bool:
        return key in self._place_of

    def get(self, key: bytes) -> tuple[NDArray[np.float32], bool, Note | None]:
        """Return the vector, whether it is present, and the problem if there was one."""
        shard, row = self._place_of[key]
        stored = self._shards[shard]
        return stored.vectors_ID[row], bool(stored.present_I[row]), stored.problems.get(row)

    def add(self, keys: Sequence[bytes], encoded: Encoded) -> None:
        """Keep the vectors of the first `len(keys)` rows of `encoded`."""
        if not keys:
            return
        n = len(keys)
        problems = {row: problem for row, problem in encoded.problems.items() if row < n}
        kept = Encoded(
            vectors_ID=np.asarray(encoded.vectors_ID[:n], np.float32),
            present_I=encoded.present_I[:n],
            problems=problems,
        )
        self._write(keys, kept)
        self._remember(keys, kept)

    def _remember(self, keys: Sequence[bytes], kept: Encoded) -> None:
        with self._lock:  # a version that is loaded reads items beside the one that is served
            self._shards.append(kept)
            shard = len(self._shards) - 1
            self._place_of.update((key, (shard, row)) for row, key in enumerate(keys))

    def _write(self, keys: Sequence[bytes], kept: Encoded) -> Path:
        tensors: dict[str, NDArray[np.generic]] = {
            "keys": np.frombuffer(b"".join(keys), np.uint8).reshape(-1, 16),
            "vectors": np.ascontiguousarray(kept.vectors_ID),
            "present": kept.present_I.astype(np.uint8),
        }
        settings = {
            "version": str(VERSION),
            "space": self.space,
            "problems": json.dumps({str(row): problem for row, problem in kept.problems.items()}),
            "checksum": _checksum(tensors),
        }
        name = hashlib.blake2b(tensors["keys"].tobytes(), digest_size=12).hexdigest()
        file = self.folder / f"{name}.safetensors"
        write_beside(file, save(tensors, metadata=settings))
        return file

    def _load(self, file: Path) -> None:
        try:
            keys, kept = _read(file, space=self.space, dimensions=self._dimensions)
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            self.n_dropped += 1
            logger.warning("cached vectors dropped, to be made again: file=%s why=%s", file.name, error)
            file.unlink(missing_ok=True)
            return
        self._remember(keys, kept)

    def _merge(self, files: Sequence[Path]) -> None:
        """Write many small files as one; the old ones go only when the new one is there."""
        keys = list(self._place_of)
        rows = [self.get(key) for key in keys]
        kept = Encoded(
            vectors_ID=_stack([vector for vector, _, _ in rows], self._dimensions),
            present_I=np.array([present for _, present, _ in rows], np.bool_),
            problems={row: problem for row, (_, _, problem) in enumerate(rows) if problem},
        )
        merged = self._write(keys, kept)
        for file in files:
            if file != merged:
                file.unlink(missing_ok=True)


def _stack(vectors: Sequence[NDArray[np.float32]], dimensions: int) -> Matrix:
    return np.stack(vectors) if vectors else np.zeros((0, dimensions), np.float32)


def _read(file: Path, *, space: str, dimensions: int) -> tuple[list[bytes], Encoded]:
    with safe_open(file, framework="numpy") as stored:
        settings = stored.metadata() or {}
        tensors = {name: stored.get_tensor(name) for name in ("keys", "vectors", "present")}
    if settings.get("version") != str(VERSION) or settings.get("space") != space:
        raise ValueError("of another version or space")
    if settings.get("checksum") != _checksum(tensors):
        raise ValueError("checksum differs")
    if tensors["vectors"].shape != (len(tensors["keys"]), dimensions):
        raise ValueError("shape differs")
    problems = {int(row): problem for row, problem in json.loads(settings["problems"]).items()}
    keys = [row.tobytes() for row in tensors["keys"]]
    present_I = tensors["present"].astype(np.bool_)
    return keys, Encoded(vectors_ID=tensors["vectors"], present_I=present_I, problems=problems)


def _checksum(tensors: Mapping[str, NDArray[np.generic]]) -> str:
    total = hashlib.blake2b(digest_size=16)
    for name in sorted(tensors):
        total.update(tensors[name].tobytes())
    return total.hexdigest()


def write_beside(file: Path, content: bytes) -> None:
    """Write a file so that it is either whole or absent.

    Raises
    ------
    StorageError
        When the disk is full or the folder can't be written.
    """
    beside = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(file)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        what = "no space left" if error.errno == errno.ENOSPC else "a file can't be written"
        raise StorageError(what, file=str(file), remedy="free some space, or name another folder") from error
