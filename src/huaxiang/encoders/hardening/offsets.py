"""What is added to tensors on their way through a network: nothing, until it is moved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from huaxiang.errors import EncoderError

Start = Callable[[Tensor], Tensor]
"""Value → the offset that it begins with."""


@dataclass
class Call:
    """One passage: the tensor that came by, and the leaf that was added to it."""

    value: Tensor
    offset: Tensor


@dataclass
class Offsets:
    """The offsets of the newest pass, in order; each device of a network on several has its own.

    A network may look up several texts in one pass (a query and a product): each has its own offset.
    """

    start: Start = torch.zeros_like
    is_moved: bool = False
    _calls: defaultdict[torch.device, list[Call]] = field(default_factory=lambda: defaultdict(list))
    _next: defaultdict[torch.device, int] = field(default_factory=lambda: defaultdict(int))

    def begin(self, device: torch.device) -> None:
        """Say that a pass begins: what an unfinished one left is forgotten."""
        self._next[device] = 0
        if not self.is_moved:
            self._calls[device].clear()

    def added(self, value: Tensor) -> Tensor:
        """Return the value with its offset."""
        device = value.device
        if self.is_moved:
            at = self._next[device]
            self._next[device] += 1
            return value + self._calls[device][at].offset
        if not torch.is_grad_enabled():
            return value
        offset = self.start(value.detach()).requires_grad_()
        self._calls[device].append(Call(value.detach(), offset))
        return value + offset

    def calls(self) -> list[Call]:
        """Return the passages of the newest pass."""
        return [call for calls in self._calls.values() for call in calls]

    def move(self, step: Callable[[Call], Tensor], *, is_last: bool) -> None:
        """Replace each offset; the last ones take no gradient."""
        for call in self.calls():
            call.offset = step(call).detach().requires_grad_(not is_last)

    @contextmanager
    def moving(self) -> Iterator[None]:
        """Add the offsets that are there to the passes that follow; forget them in the end."""
        self.is_moved = True
        try:
            yield
        finally:
            self.is_moved = False
            self._calls.clear()


@contextmanager
def offsets_of_words(network: nn.Module, module: nn.Module | None = None) -> Iterator[Offsets]:
    """Yield what is added to the vectors that the words of a text are looked up as.

    Added to what is looked up, and not to the table itself: each row has its own move, as published, and
    not one for all rows with the same word; frozen tables and those that are also the output layer work;
    and no weight is ever touched, so none has to be put back.
    """
    offsets, table = Offsets(), module or input_embeddings(network)

    def looked_up(_: nn.Module, __: Any, found: Tensor) -> Tensor:
        return offsets.added(found)

    with ExitStack() as stack:
        stack.callback(network.register_forward_pre_hook(_beginning(offsets), with_kwargs=True).remove)
        stack.callback(table.register_forward_hook(looked_up).remove)
        yield offsets


@contextmanager
def offsets_of_pixels(
    network: nn.Module, name: str = "pixel_values", module: nn.Module | None = None
) -> Iterator[Offsets]:
    """Yield what is added to the photos: the argument `name` of the network, or of a module in it.

    Raises
    ------
    EncoderError
        In the pass, when there is no such argument or it holds whole numbers.
    """
    offsets = Offsets()

    def given(of: nn.Module, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        if name in named:
            return args, {**named, name: offsets.added(_pixels(named[name], name))}
        if of is not network and args:
            return (offsets.added(_pixels(args[0], name)), *args[1:]), named
        raise EncoderError(
            "no pixels to move", value=name, remedy="name the argument, or the module that takes them"
        )

    with ExitStack() as stack:
        stack.callback(network.register_forward_pre_hook(_beginning(offsets), with_kwargs=True).remove)
        stack.callback((module or network).register_forward_pre_hook(given, with_kwargs=True).remove)
        yield offsets


def input_embeddings(network: nn.Module) -> nn.Module:
    """Return the table that the words of a network are looked up in.

    Raises
    ------
    EncoderError
        No part of the network says which that is.
    """
    for part in network.modules():
        find = getattr(part, "get_input_embeddings", None)
        try:
            found = find() if callable(find) else None
        except (NotImplementedError, AttributeError):
            continue
        if isinstance(found, nn.Module):
            return found
    raise EncoderError(
        "network has no word vectors to move",
        value=type(network).__name__,
        remedy="give the module that looks words up, or move pixels",
    )


def _beginning(offsets: Offsets) -> Callable[..., None]:
    def begins(_: nn.Module, args: tuple[Any, ...], named: Mapping[str, Any]) -> None:
        given = (*args, *named.values())
        devices = {value.device for value in given if isinstance(value, Tensor)}
        for device in devices:
            offsets.begin(device)

    return begins


def _pixels(value: Tensor, name: str) -> Tensor:
    if value.is_floating_point():
        return value
    raise EncoderError(
        "pixels are whole numbers and can't be moved",
        column=name,
        value=str(value.dtype),
        remedy="give the module that takes them once they are scaled",
    )
