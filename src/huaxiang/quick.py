"""Dataclasses that are quick to make: frozen for type checkers, not while the program runs.

Making a frozen object takes three times as long, and every event that a shop sends becomes several of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

__all__ = ["quick_dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass as quick_dataclass
else:

    def quick_dataclass(*, frozen: bool, **options: bool) -> Any:
        """Return `dataclass` with the options, but for `frozen`.

        Examples
        --------
        >>> @quick_dataclass(frozen=True, slots=True)
        ... class Point:
        ...     x: int
        >>> Point(1)
        Point(x=1)
        """
        return dataclass(**options)
