"""Noise that hides one shopper in a count: the two-sided geometric, drawn with whole numbers alone.

Laplace noise made of floating-point numbers gives itself away in the last digits. So the noise is a whole
number, drawn by comparing whole numbers, and no logarithm is taken.

Source
------
Ghosh, Roughgarden, Sundararajan, Universally Utility-Maximizing Privacy Mechanisms, STOC 2009, for the
mechanism; Canonne, Kamath, Steinke, The Discrete Gaussian for Differential Privacy, NeurIPS 2020, algorithms
1 and 2, for drawing it exactly; Mironov, On Significance of the Least Significant Bits For Differential
Privacy, CCS 2012, for what it guards against.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from fractions import Fraction

Below = Callable[[int], int]
"""Draws a whole number from 0 to below its argument, each alike."""


def two_sided_geometric(epsilon: Fraction, *, below: Below = secrets.randbelow) -> int:
    """Return noise z with probability proportional to exp(−ε·|z|): ε-private for a count of shoppers.

    Parameters
    ----------
    epsilon
        ε > 0, exactly.
    below
        Where chance comes from; the operating system's own, unless a test needs the same again.

    Examples
    --------
    >>> from random import Random
    >>> two_sided_geometric(Fraction(1, 2), below=Random(3).randrange)
    0
    """
    scale_over, scale_under = epsilon.denominator, epsilon.numerator  # the scale is 1 / ε
    while True:
        rest = below(scale_over)
        if not _happens(Fraction(rest, scale_over), below):
            continue
        whole = 0
        while _happens(Fraction(1), below):
            whole += 1
        size = (rest + scale_over * whole) // scale_under
        is_negative = below(2) == 1
        if not (is_negative and size == 0):  # there is one zero, not two
            return -size if is_negative else size


def _happens(exponent: Fraction, below: Below) -> bool:
    """Return True with probability exp(−exponent), for an exponent from 0 to 1."""
    k = 1
    while below(exponent.denominator * k) < exponent.numerator:
        k += 1
    return k % 2 == 1
