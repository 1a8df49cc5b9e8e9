"""Huaxiang (画像): a live profile of each shopper, and everything a shop reads from it.

>>> import huaxiang as hx
>>> hx.EventType.PURCHASE.value
'purchase'

Names are loaded when they are first used, so that `import huaxiang` is quick and needs no heavy package.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

__version__ = version("huaxiang")

_HOMES = {
    "AsyncClient": "huaxiang.client",
    "Client": "huaxiang.client",
    "Event": "huaxiang.records",
    "EventType": "huaxiang.records",
    "HuaxiangError": "huaxiang.errors",
    "Item": "huaxiang.records",
    "Model": "huaxiang.model",
    "Profile": "huaxiang.records",
    "Settings": "huaxiang.config",
    "Slate": "huaxiang.records",
    "Value": "huaxiang.records",
    "fit": "huaxiang.journey",
    "load": "huaxiang.model",
    "read_settings": "huaxiang.config",
    "read_shop": "huaxiang.shop.read",
    "simulate_shop": "huaxiang.journey",
}

__all__ = [
    "AsyncClient",
    "Client",
    "Event",
    "EventType",
    "HuaxiangError",
    "Item",
    "Model",
    "Profile",
    "Settings",
    "Slate",
    "Value",
    "__version__",
    "fit",
    "load",
    "read_settings",
    "read_shop",
    "simulate_shop",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"huaxiang has no {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(_HOMES[name]), name)


if TYPE_CHECKING:
    from huaxiang.client import AsyncClient as AsyncClient
    from huaxiang.client import Client as Client
    from huaxiang.config import Settings as Settings
    from huaxiang.config import read_settings as read_settings
    from huaxiang.errors import HuaxiangError as HuaxiangError
    from huaxiang.journey import fit as fit
    from huaxiang.journey import simulate_shop as simulate_shop
    from huaxiang.model import Model as Model
    from huaxiang.model import load as load
    from huaxiang.records import Event as Event
    from huaxiang.records import EventType as EventType
    from huaxiang.records import Item as Item
    from huaxiang.records import Profile as Profile
    from huaxiang.records import Slate as Slate
    from huaxiang.records import Value as Value
    from huaxiang.shop.read import read_shop as read_shop
