"""One edge of the product graph, as it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["value", "family", "taxonomy", "bought_together", "complement", "substitute"]
Origin = Literal["stated", "inferred", "counted", "likeness"]
NodeKind = Literal["item", "value", "family", "taxonomy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """An item, a value, a family of categories or a place in the taxonomy.

    Parameters
    ----------
    id
        The item's id, the value, or the path.
    dimension
        That of a value; "" elsewhere.
    label
        How the asked language says it.
    """

    kind: NodeKind
    id: str
    label: str
    dimension: str = ""

    def as_json(self) -> dict[str, object]:
        """Return it as JSON."""
        return {"kind": self.kind, "id": self.id, "label": self.label, "dimension": self.dimension or None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """What the graph says of two nodes.

    Parameters
    ----------
    weight
        Of a value its share of the item; of things bought together the smoothed lift; of things alike the
        cosine.
    confidence
        0 to 1: of a value how sure it is; of a pair of items n / (n + 3) for n shoppers.
    evidence
        Different shoppers behind it; 0 where the catalogue says it.
    """

    kind: Kind
    target: Node
    weight: float
    confidence: float
    evidence: int
    origin: Origin

    def as_json(self) -> dict[str, object]:
        """Return it as JSON."""
        return {
            "kind": self.kind,
            "target": self.target.as_json(),
            "weight": round(self.weight, 6),
            "confidence": round(self.confidence, 6),
            "evidence": self.evidence,
            "origin": self.origin,
        }
