"""A simulated shop whose truth is known: what to test on, and what to show, where real data can't be.

`simulate` writes a shop folder with drawn product photos, texts in English and Chinese, and shoppers whose
tastes are known and drift; `worlds` has the smaller test worlds in which the best possible answer can be
computed. Nothing here knows how profiles are made, so that what they find was not put there for them.
Simulated behaviour is never to be presented as real.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from huaxiang.shop.simulate.settings import Config

if TYPE_CHECKING:
    from huaxiang.shop.simulate.folder import simulate as simulate

__all__ = ["Config", "simulate"]


def __getattr__(name: str) -> Any:
    if name == "simulate":
        from huaxiang.shop.simulate.folder import simulate

        return simulate
    raise AttributeError(f"huaxiang.shop.simulate has no {name!r}; it has {', '.join(__all__)}")
