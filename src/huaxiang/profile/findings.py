"""The facets of one profile: corrections over statements, statements over what was counted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from huaxiang.knowledge.graph.tree import CATEGORY, FAMILY
from huaxiang.profile.acts import Acts
from huaxiang.profile.cite import Citations
from huaxiang.profile.corrections import Correction
from huaxiang.profile.facets import Chosen, Tally, evidence_rows
from huaxiang.profile.prices import PRICE_LIMIT, PriceLimit
from huaxiang.profile.said import Heard
from huaxiang.profile.values import Values
from huaxiang.profile.weights import Config
from huaxiang.records import Facet, Source

_POWER: Mapping[Source, int] = {"corrected": 0, "stated": 1, "inferred": 2}


class Finding(NamedTuple):
    """A facet, and for its sentence the value's number (-1 where it has none) and two counts."""

    facet: Facet
    value: int
    n_with: int
    n_of: int


def counted_findings(
    counted: Tally,
    chosen: list[Chosen],
    values: Values,
    acts: Acts,
    cite: Citations,
    *,
    config: Config,
) -> list[Finding]:
    """Return the facets that counting shows, whether inferred or stated."""
    rows = [one.row for one in chosen]
    cited = evidence_rows(counted, rows, most=config.evidence_per_facet)
    seen_ms_K = acts.ms_E[counted.newest_K[rows]]
    columns = (counted.code_K, counted.share_K, counted.confidence_K, counted.stated_K)
    counts = (counted.n_with_K, counted.n_of_K)
    picked = zip(*(column[rows].tolist() for column in columns + counts), seen_ms_K.tolist(), strict=True)
    value_K = counted.code_K[rows] >> 1
    evidence = cite.values(cited, value_K.tolist())
    dimension_K = values.dimension_V[value_K].tolist()
    counted_as = [CATEGORY if name == FAMILY else name for name in values.dimensions]
    half_lives = [None if acts.order_only else config.half_life(name) for name in counted_as]
    findings = []
    for one, proof, d, (code, share, confidence, is_stated, n_with, n_of, seen_ms) in zip(
        chosen, evidence, dimension_K, picked, strict=True
    ):
        value = code >> 1
        facet = Facet(
            dimension=values.dimensions[d],
            value=values.names[value],
            side="disliked" if code & 1 else "liked",
            share=share,
            lift=one.lift,
            confidence=confidence,
            half_life_days=half_lives[d],
            last_seen=None if acts.order_only else datetime.fromtimestamp(seen_ms / 1000, UTC),
            source="stated" if is_stated else "inferred",
            evidence=proof,
        )
        findings.append(Finding(facet, value, n_with, n_of))
    return findings


def limit_findings(
    heard: Heard, acts: Acts, cite: Citations, *, currency: str | None, config: Config
) -> list[Finding]:
    """Return the price limit stated last, if any: the facet dimension "price_limit"."""
    usable = [(row, limit) for row, limit in heard.limits if is_comparable(limit, currency)]
    if not usable:
        return []
    limit = usable[-1][1]
    value = limit.as_value()
    rows = [row for row, other in usable if other.as_value() == value]
    half_life = config.half_life(PRICE_LIMIT)
    n_eff = config.statement_events * sum(2.0 ** (-acts.age_E[row] / half_life) for row in rows)
    facet = Facet(
        dimension=PRICE_LIMIT,
        value=value,
        side="liked",
        share=1.0,
        lift=1.0,
        confidence=float(n_eff / (n_eff + config.kappa)),
        half_life_days=None if acts.order_only else half_life,
        last_seen=seen_at(acts, rows[-1]),
        source="stated",
        evidence=cite.limit(rows, limit),
    )
    return [Finding(facet, -1, len(rows), len(rows))]


def is_comparable(limit: PriceLimit, currency: str | None) -> bool:
    """Return whether the limit is in the shop's money: a named other currency is not."""
    return limit.currency is None or currency is None or limit.currency == currency


def corrected_findings(
    corrections: Mapping[tuple[str, str], Correction],
    values: Values,
    acts: Acts,
    cite: Citations,
    prior_V: NDArray[np.float64],
) -> list[Finding]:
    """Return the facets that the shopper set: share and confidence are 1 until they withdraw them."""
    findings = []
    for (dimension, name), correction in reversed(list(corrections.items())):
        value = values.row_of.get((dimension, name), -1)
        prior = float(prior_V[value]) if value >= 0 else 1.0
        facet = Facet(
            dimension=dimension,
            value=name,
            side=correction.side,
            share=1.0,
            lift=1 / prior,
            confidence=1.0,
            half_life_days=None,
            last_seen=seen_at(acts, correction.rows[-1]),
            source="corrected",
            evidence=cite.events(correction.rows),
        )
        findings.append(Finding(facet, value, len(correction.rows), len(correction.rows)))
    return findings


def in_order(findings: list[Finding], corrections: Mapping[tuple[str, str], Correction]) -> list[Finding]:
    """Return the findings but those set right: the shopper's own words first, then by lift × share."""
    kept = [
        one
        for one in findings
        if one.facet.source == "corrected" or (one.facet.dimension, one.facet.value) not in corrections
    ]
    return sorted(kept, key=_rank)


def _rank(finding: Finding) -> tuple[int, float]:
    facet = finding.facet
    return _POWER[facet.source], -facet.lift * facet.share


def seen_at(acts: Acts, row: int) -> datetime | None:
    """Return when an event happened; None where the shop knows only an order."""
    return None if acts.order_only else datetime.fromtimestamp(int(acts.ms_E[row]) / 1000, UTC)
