"""A share of things that happened, with the interval that it deserves."""

from __future__ import annotations

import math
from dataclasses import dataclass

Z_95 = 1.959964


@dataclass(frozen=True, kw_only=True)
class Rate:
    """`n` of `of`, and the 95 % interval of the share behind it; None where nothing was counted."""

    n: int
    of: int

    @property
    def share(self) -> float | None:
        """What part it was, 0 to 1."""
        return self.n / self.of if self.of else None

    def as_json(self) -> dict[str, float | int | None]:
        """Return share, interval and counts.

        Examples
        --------
        >>> Rate(n=0, of=0).as_json()
        {'share': None, 'low': None, 'high': None, 'n': 0, 'of': 0}
        """
        low, high = wilson_interval(self.n, self.of) if self.of else (None, None)
        return {"share": self.share, "low": low, "high": high, "n": self.n, "of": self.of}


def wilson_interval(n: int, of: int, *, z: float = Z_95) -> tuple[float, float]:
    """Return the score interval of a share: never below 0 or above 1, and not a point where `n` is 0.

    It takes the `of` trials as independent; clicks in one list or by one shopper are a little alike, so the
    true interval is a little wider.

    Parameters
    ----------
    of
        Trials, ≥ 1.
    z
        Standard deviations to either side; 1.96 is 95 %.

    Source
    ------
    Wilson, Probable inference, the law of succession, and statistical inference, JASA 1927.

    Examples
    --------
    >>> [round(bound, 4) for bound in wilson_interval(10, 100)]
    [0.0552, 0.1744]
    """
    share, shrink = n / of, 1 + z * z / of
    middle = (share + z * z / (2 * of)) / shrink
    reach = z / shrink * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return max(0.0, middle - reach), min(1.0, middle + reach)
