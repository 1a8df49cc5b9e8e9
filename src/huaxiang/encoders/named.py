"""The text encoder that a name or a folder stands for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from huaxiang.encoders.base import Progress, StoredTextEncoder
from huaxiang.encoders.bilingual import BilingualEncoder
from huaxiang.encoders.bilingual import Config as BilingualConfig
from huaxiang.encoders.bundled import NAME, WEIGHTS_SHA256, bundled_folder
from huaxiang.encoders.export import SETTINGS, VERSION, Precision, export_text_encoder, fingerprint
from huaxiang.encoders.hashed import HashedEncoder
from huaxiang.encoders.student import WEIGHTS, StudentEncoder
from huaxiang.encoders.text import OnnxTextEncoder, read_settings
from huaxiang.errors import ArtefactError, EncoderError, SettingsError


def text_encoder(
    name_or_folder: str | Path = "default",
    *,
    cache_folder: str | Path,
    precision: Precision = "fp32",
    allow_download: bool = False,
    threads: int | None = None,
    progress: Progress | None = None,
) -> StoredTextEncoder:
    """Return a text encoder, ready to use; what has to be exported is exported once, into `cache_folder`.

    Parameters
    ----------
    name_or_folder
        "default" (the bundled MiniLM, and aloud the bilingual student where it can't read), "minilm"
        (MiniLM alone), "student", "hashed", a Hugging Face name, a folder with a Hugging Face or
        sentence-transformers model, or a folder that an encoder was saved in.
    precision
        fp32, or int8: about twice as fast again, a cosine of about .99 to fp32. Spaces differ.
    allow_download
        Whether a Hugging Face name that is not on this machine may be fetched. HF_HUB_OFFLINE forbids it.
    threads
        Cores for encoding; None leaves it to ONNX Runtime.
    progress
        Called with (texts done, texts, note) while encoding.

    Raises
    ------
    EncoderError
        When nothing of that name or in that folder can be used.
    MissingExtraError
        When an export is needed and torch is not installed.
    """
    _check_precision(precision)
    cache, name = Path(cache_folder), str(name_or_folder)
    if name == "hashed":
        return HashedEncoder()
    if name == "student":
        return StudentEncoder()
    if name in ("default", "minilm"):
        exported = _exported_bundled(cache, precision)
        minilm = OnnxTextEncoder(exported, threads=threads, progress=progress)
        return minilm if name == "minilm" else BilingualEncoder(minilm, StudentEncoder())
    source = model_folder(name, allow_download=allow_download)
    if (source / SETTINGS).is_file():
        return load_text_encoder(source, threads=threads, progress=progress)
    return OnnxTextEncoder(_exported(source, cache, precision, name=name), threads=threads, progress=progress)


def load_text_encoder(
    folder: str | Path, *, threads: int | None = None, progress: Progress | None = None
) -> StoredTextEncoder:
    """Return the text encoder that was saved in a folder; needs neither torch nor transformers.

    Raises
    ------
    ArtefactError
        When the folder holds none, a truncated one, or one of a newer version.
    """
    folder = Path(folder)
    settings = read_settings(folder)
    kind = settings.get("kind")
    if kind == "hashed":
        return HashedEncoder(dimensions=int(settings["dimensions"]))
    if kind == "student":
        return StudentEncoder(folder / WEIGHTS)
    if kind == "onnx":
        return OnnxTextEncoder(folder, threads=threads, progress=progress)
    if kind == "bilingual":
        config = BilingualConfig(unknown_share=float(settings["unknown_share"]))
        english = OnnxTextEncoder(folder, threads=threads, progress=progress)
        return BilingualEncoder(english, StudentEncoder(folder / WEIGHTS), config=config)
    raise ArtefactError(
        "no such kind of text encoder", file=str(folder), value=str(kind), remedy="upgrade huaxiang"
    )


def model_folder(name: str, *, allow_download: bool = False) -> Path:
    """Return the local folder of a Hugging Face name, or of a folder itself.

    Raises
    ------
    EncoderError
        When it is neither, and may not or can't be fetched.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    if folder.exists():
        raise EncoderError("encoder is a file, not a folder", file=name, remedy="name the folder it lies in")
    if not re.fullmatch(r"\w[\w.-]*(/[\w.-]+)?", name):
        raise EncoderError("no such encoder folder", file=name, remedy="check the path")
    return _fetched(name, allow_download=allow_download)


def _fetched(name: str, *, allow_download: bool) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    wanted = ["*.json", "*.safetensors", "*.txt", "*.model"]
    try:
        return Path(snapshot_download(name, allow_patterns=wanted, local_files_only=not allow_download))
    except (LocalEntryNotFoundError, HfHubHTTPError, HFValidationError, OSError) as error:
        remedy = (
            "check the name and the network"
            if allow_download
            else "give a folder, fetch it first, or allow the download"
        )
        raise EncoderError("encoder is not on this machine", value=name, remedy=remedy) from error


def _exported_bundled(cache: Path, precision: Precision) -> Path:
    target = cache / f"{NAME}-{WEIGHTS_SHA256[:16]}-v{VERSION}-{precision}"
    source = bundled_folder()
    if not _is_whole(target):
        export_text_encoder(source, target, precision=precision, name=NAME)
    return target


def _exported(source: Path, cache: Path, precision: Precision, *, name: str) -> Path:
    shown = re.sub(r"[^\w.-]+", "-", name.rstrip("/")).strip("-")[-60:]
    target = cache / f"{shown}-{fingerprint(source)}-v{VERSION}-{precision}"
    if not _is_whole(target):
        export_text_encoder(source, target, precision=precision, name=Path(name).name)
    return target


def _is_whole(target: Path) -> bool:
    """Whether an export is there: its folder is renamed into place when finished."""
    return (target / SETTINGS).is_file()


def _check_precision(precision: str) -> None:
    if precision not in get_args(Precision):
        raise SettingsError(
            "setting is out of range", column="precision", value=precision, remedy="choose fp32, int8"
        )
