"""A client of the service, in Python: the same calls at once (`Client`) or awaited (`AsyncClient`).

    from huaxiang import Client

    with Client("http://127.0.0.1:8000", key="hx_…") as shop:
        shop.send(events)                       # any number: batched, compressed, tried again
        shop.recommend("s-17", k=10).items      # records, as from a model in this process
        shop.set_stock({"i-4": False})          # right in every list within a second

`calls.py` says what each call asks and how its answer is read, `patience.py` when it is tried again,
`batches.py` how many events travel together; `sync.py` and `asynchronous.py` only carry.
"""

from huaxiang.client.answers import (
    ItemsSent,
    KeptItem,
    Receipt,
    Refused,
    RefusedItem,
    Sent,
    ShopperProfile,
)
from huaxiang.client.asynchronous import AsyncClient
from huaxiang.client.patience import Patience
from huaxiang.client.sync import Client

__all__ = [
    "AsyncClient",
    "Client",
    "ItemsSent",
    "KeptItem",
    "Patience",
    "Receipt",
    "Refused",
    "RefusedItem",
    "Sent",
    "ShopperProfile",
]
