"""Texts and photos → vectors, each of one named space, made once.

Text, from the simplest way to the richest: `hashed` (spellings only, no weights), `student` (Chinese and
English in MiniLM's space, ships here), `text` (any Hugging Face encoder through ONNX Runtime), `bilingual`
(the default: MiniLM, and aloud the student where MiniLM can't read). `text_encoder` finds the one that a
name or a folder stands for. `export` turns a torch model into ONNX once, and `CachedEncoder` keeps the
vectors of texts and photos by their content.

Photos: `photos` reads whatever a shop calls a photo, `shop_image` learns from the shop's own catalogue (the
default), and `image_encoder` finds a ResNet, ViT, CLIP, SigLIP or DINOv2 by name or folder, or an
`inception` by folder. `image_export` turns it into ONNX once; `preprocessing` prepares pictures as its own
processor does, without it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOMES = {
    "CachedEncoder": "huaxiang.encoders.cache",
    "Encoded": "huaxiang.encoders.base",
    "fit_shop_image": "huaxiang.encoders.shop_image",
    "image_content": "huaxiang.encoders.cache",
    "image_encoder": "huaxiang.encoders.image",
    "load_text_encoder": "huaxiang.encoders.named",
    "text_content": "huaxiang.encoders.cache",
    "text_encoder": "huaxiang.encoders.named",
}

__all__ = [
    "CachedEncoder",
    "Encoded",
    "fit_shop_image",
    "image_content",
    "image_encoder",
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
    from huaxiang.encoders.image import image_encoder as image_encoder
    from huaxiang.encoders.named import load_text_encoder as load_text_encoder
    from huaxiang.encoders.named import text_encoder as text_encoder
    from huaxiang.encoders.shop_image import fit_shop_image as fit_shop_image
