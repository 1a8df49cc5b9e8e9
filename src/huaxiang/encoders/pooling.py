"""What a text encoder's folder says about how its vectors are made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from huaxiang.errors import EncoderError

Pooling = Literal["mean", "cls", "max", "last"]

_FLAGS: Mapping[str, Pooling] = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_lasttoken": "last",
}
_LONGEST_SANE = 100_000


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How one vector is made from a text's token vectors.

    Parameters
    ----------
    pooling
        Mean of the tokens, the first one, the largest of each number, or the last one.
    max_tokens
        Longer texts are cut, special tokens included. ≥ 3.
    prompt
        Put before every text, where the encoder was trained so.
    dense
        Folders of linear layers that follow the pooling.
    """

    pooling: Pooling = "mean"
    max_tokens: int = 512
    prompt: str = ""
    dense: tuple[str, ...] = ()


def read_recipe(folder: Path) -> Recipe:
    """Return the recipe of a Hugging Face or sentence-transformers folder; the mean where it says nothing.

    Vectors always get unit length, so a normalising module needs no mention.

    Raises
    ------
    EncoderError
        When the folder holds no model, or asks for a module that is not known here.
    """
    if not (folder / "config.json").is_file():
        raise EncoderError(
            "no model in the folder",
            file=str(folder),
            remedy="give a folder with config.json, weights and tokenizer, as `save_pretrained` writes it",
        )
    modules = read_json(folder / "modules.json", otherwise=[])
    places = {str(module["type"]).rsplit(".", 1)[-1]: str(module["path"]) for module in modules}
    _check_modules(folder, places)
    return Recipe(
        pooling=_pooling(folder, places.get("Pooling")),
        max_tokens=_max_tokens(folder),
        prompt=_prompt(folder),
        dense=tuple(str(m["path"]) for m in modules if str(m["type"]).endswith(".Dense")),
    )


def read_json(file: Path, *, otherwise: Any) -> Any:
    """Return the content of a JSON file, or `otherwise` where there is none."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return otherwise
    except (OSError, ValueError) as error:
        raise EncoderError("not a JSON file", file=str(file), remedy="fetch the model again") from error


def _check_modules(folder: Path, places: Mapping[str, str]) -> None:
    strange = set(places) - {"Transformer", "Pooling", "Normalize", "Dense"}
    if strange:
        raise EncoderError(
            "encoder has a module that is not supported",
            file=str(folder / "modules.json"),
            value=", ".join(sorted(strange)),
            remedy="choose an encoder of Transformer, Pooling, Dense and Normalize",
        )


def _pooling(folder: Path, place: str | None) -> Pooling:
    settings = read_json(folder / (place or "1_Pooling") / "config.json", otherwise={})
    named = settings.get("pooling_mode")
    if named is None:
        chosen: list[str] = [mode for flag, mode in _FLAGS.items() if settings.get(flag)]
        chosen += [key for key, value in settings.items() if key not in _FLAGS and _is_mode(key) and value]
    else:
        chosen = [{"lasttoken": "last"}.get(str(mode), str(mode)) for mode in _as_list(named)]
    if not chosen:
        return "mean"
    if len(chosen) == 1 and chosen[0] in get_args(Pooling):
        return chosen[0]  # type: ignore[return-value]
    raise EncoderError(
        "pooling is not supported",
        file=str(folder),
        value=", ".join(chosen),
        remedy="choose an encoder with mean, cls, max or last-token pooling",
    )


def _as_list(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _is_mode(key: str) -> bool:
    return key.startswith("pooling_mode_")


def _max_tokens(folder: Path) -> int:
    """Return the smallest of the lengths that the folder states."""
    config = read_json(folder / "config.json", otherwise={})
    positions = config.get("max_position_embeddings")
    if positions and config.get("model_type") in ("roberta", "xlm-roberta", "camembert", "mpnet"):
        positions -= int(config.get("pad_token_id", 1)) + 1
    stated = [
        read_json(folder / "sentence_bert_config.json", otherwise={}).get("max_seq_length"),
        read_json(folder / "tokenizer_config.json", otherwise={}).get("model_max_length"),
        positions,
    ]
    sane = [int(length) for length in stated if length and 0 < length < _LONGEST_SANE]
    return min(sane, default=512)


def _prompt(folder: Path) -> str:
    settings = read_json(folder / "config_sentence_transformers.json", otherwise={})
    name = settings.get("default_prompt_name")
    return str((settings.get("prompts") or {}).get(name, "")) if name else ""
