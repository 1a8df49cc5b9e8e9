"""Texts and photos → vectors, each of one named space, made once.

Text, from the simplest way to the richest: `hashed` (spellings only, no weights), `student` (Chinese and
English in MiniLM's space, ships here), `text` (any Hugging Face encoder through ONNX Runtime), `bilingual`
(the default: MiniLM, and aloud the student where MiniLM can't read). `text_encoder` finds the one that a
name or a folder stands for. `clean` reads words out of shop texts, `export` turns a torch model into ONNX
once, and `CachedEncoder` keeps the vectors of texts and photos by their content.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOMES = {
    "CachedEncoder": "huaxiang.encoders.cache",
    "Encoded": "huaxiang.encoders.base",
    "image_content": "huaxiang.encoders.cache",
    "load_text_encoder": "huaxiang.encoders.named",
    "text_content": "huaxiang.encoders.cache",
    "text_encoder": "huaxiang.encoders.named",
}

__all__ = [
    "CachedEncoder",
    "Encoded",
    "image_content",
    "load_text_encoder",
    "text_content",
    "text_encoder",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"huaxiang.encoders has no {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(_HOMES[name]), name)


if TYPE_CHECKING:
    from huaxiang.encoders.base import Encoded as Encoded
    from huaxiang.encoders.cache import CachedEncoder as CachedEncoder
    from huaxiang.encoders.cache import image_content as image_content
    from huaxiang.encoders.cache import text_content as text_content
    from huaxiang.encoders.named import load_text_encoder as load_text_encoder
    from huaxiang.encoders.named import text_encoder as text_encoder
