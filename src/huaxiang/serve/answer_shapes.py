"""What each operation answers, for its description alone: no answer passes through here."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from huaxiang.serve.review_shapes import Insight


class Alive(BaseModel):
    """The process lives."""

    status: Literal["ok"] = Field(examples=["ok"])


class Ready(BaseModel):
    """Requests can be served."""

    status: Literal["ready"] = Field(examples=["ready"])
    shops: int = Field(description="How many are served.", examples=[1])


class RejectedEvent(BaseModel):
    """An event that could not be taken; `kept` says that it waits as a dead letter."""

    index: int = Field(examples=[3])
    event_id: str | None = Field(examples=["e-4"])
    field: str | None = Field(examples=["item_id"])
    code: str = Field(examples=["unknown_item"])
    message: str = Field(examples=["the catalogue has no such item"])
    kept: bool = Field(examples=[True])


class Taken(BaseModel):
    """What became of events; those that were accepted are durable."""

    accepted: int = Field(examples=[1])
    duplicates: int = Field(examples=[0])
    rejected: list[RejectedEvent] = Field(examples=[[]])
    position: int = Field(description="Newest in the log.", examples=[42])


class SegmentTaken(Taken):
    """The same, as Segment's libraries expect it."""

    success: bool = Field(examples=[True])
    ignored: dict[str, int] = Field(description="Reason → messages.", examples=[{}])


class RefusedChange(BaseModel):
    """A change that could not be taken, or a photo that could not be had."""

    index: int
    item_id: str | None
    field: str | None
    code: str
    message: str


class ItemsTaken(BaseModel):
    """What became of changes of items."""

    accepted: int = Field(examples=[4])
    rejected: list[RefusedChange] = Field(examples=[[]])
    degraded: list[RefusedChange] = Field(examples=[[]])
    change: int = Field(description="Number of the newest change.", examples=[42])


class Item(BaseModel):
    """What is kept of an item."""

    item: dict[str, Any] = Field(
        description="As `POST /v1/items` takes it.", examples=[{"item_id": "i-4", "brand": "Acme"}]
    )
    inferred: dict[str, list[dict[str, Any]]] = Field(
        description="Dimension → values that were read from words, photo or near items.",
        examples=[{"colour": [{"value": "red", "confidence": 0.9}]}],
    )
    is_deleted: bool = Field(examples=[False])
    is_listed: bool = Field(examples=[True])
    change: int = Field(examples=[42])
    is_served: bool = Field(examples=[True])


class Reason(BaseModel):
    """Why an item is listed."""

    kind: Literal["personal", "impersonal", "rule"] = Field(examples=["personal"])
    text: str = Field(examples=["Because you bought Blue dress"])
    event_id: str | None = Field(examples=["e-1"])
    item_id: str | None = Field(examples=["i-2"])
    type: str | None = Field(examples=["purchase"])
    contribution: float = Field(examples=[0.21])
    relation: Literal["complement", "substitute"] | None = Field(
        default=None, description="How the listed item stands to `item_id`, where that is said."
    )
    rule: str | None = Field(default=None, description="Of the shop, where one speaks.", examples=["no hats"])


class Ranked(BaseModel):
    """One listed item, or one listed value."""

    rank: int = Field(examples=[1])
    item_id: str = Field(examples=["i-4"])
    title: str = Field(examples=["Red dress"])
    score: float = Field(examples=[0.42])
    propensity: float | None = Field(examples=[1.0])
    reasons: list[Reason]


class List(BaseModel):
    """A list; send its `slate_id` with the events that follow from it."""

    shopper_id: str | None = Field(examples=["s-17"])
    model: str = Field(examples=["f3a1b2c3d4e5f607"])
    slate_id: str = Field(examples=["kJ3xT0aPq"])
    of: str = Field(examples=["item"])
    items: list[Ranked]
    degraded: list[str] = Field(description="What is poorer than it should be.", examples=[[]])


class NamedValue(BaseModel):
    """A value that the query names, where in `searched`, and what became of it."""

    dimension: str = Field(examples=["colour"])
    value: str = Field(examples=["red"])
    label: str = Field(examples=["red"])
    use: str = Field(description="preferred or refused", examples=["preferred"])
    start: int = Field(examples=[0])
    end: int = Field(examples=[3])


class ReadQuery(BaseModel):
    """How the query was read."""

    text: str = Field(examples=["red dress under 100"])
    searched: str = Field(description="After corrections.", examples=["red dress under 100"])
    did_you_mean: str | None = Field(examples=[None])
    values: list[NamedValue]
    price_min_minor: int | None = Field(examples=[None])
    price_max_minor: int | None = Field(examples=[10000])


class ValueCount(BaseModel):
    """How many of the items found have a value."""

    value: str = Field(examples=["red"])
    label: str = Field(examples=["red"])
    n_items: int = Field(examples=[12])


class DimensionCounts(BaseModel):
    """What the result can be narrowed by, with `filter=dimension=value`."""

    dimension: str = Field(examples=["colour"])
    values: list[ValueCount]


class Found(BaseModel):
    """What was found; send its `slate_id` with the events that follow from it."""

    shopper_id: str | None = Field(examples=["s-17"])
    model: str = Field(examples=["f3a1b2c3d4e5f607"])
    slate_id: str = Field(examples=["kJ3xT0aPq"])
    query: ReadQuery | None = Field(
        description="null where only a photo was searched with.",
        examples=[
            {
                "text": "red dress under 100",
                "searched": "red dress under 100",
                "did_you_mean": None,
                "values": [
                    {
                        "dimension": "colour",
                        "value": "red",
                        "label": "red",
                        "use": "preferred",
                        "start": 0,
                        "end": 3,
                    }
                ],
                "price_min_minor": None,
                "price_max_minor": 10000,
            }
        ],
    )
    n_found: int = Field(description="Products found, of which this page lists some.", examples=[37])
    items: list[Ranked]
    facets: list[DimensionCounts]
    is_personal: bool = Field(examples=[True])
    degraded: list[str] = Field(description="What is poorer than it should be.", examples=[[]])


class Suggestion(BaseModel):
    """A way to go on typing."""

    text: str = Field(examples=["running shoes"])
    kind: str = Field(description="A dimension, or phrase: words of titles.", examples=["category"])
    n_items: int = Field(examples=[12])


class Suggestions(BaseModel):
    """Ways to go on typing, the likeliest first."""

    suggestions: list[Suggestion]


class GraphNode(BaseModel):
    """An item, a value, a family of categories or a place in the taxonomy."""

    kind: Literal["item", "value", "family", "taxonomy"] = Field(examples=["item"])
    id: str = Field(examples=["i-9"])
    label: str = Field(examples=["Leather belt"])
    dimension: str | None = Field(examples=[None])


class GraphEdge(BaseModel):
    """What the graph says of an item and a node."""

    kind: Literal["value", "family", "taxonomy", "bought_together", "complement", "substitute"] = Field(
        examples=["complement"]
    )
    target: GraphNode
    weight: float = Field(description="Share, smoothed lift or cosine.", examples=[3.1])
    confidence: float = Field(examples=[0.9])
    evidence: int = Field(description="Shoppers behind it.", examples=[27])
    origin: Literal["stated", "inferred", "counted", "likeness"] = Field(examples=["counted"])


class ItemGraph(BaseModel):
    """The edges of an item."""

    item_id: str = Field(examples=["i-4"])
    complements: list[GraphEdge]
    substitutes: list[GraphEdge]
    bought_together: list[GraphEdge]
    values: list[GraphEdge]
    up: list[GraphNode] = Field(description="Its category and the families above.")


class ProfileVersion(BaseModel):
    """What a profile was made from."""

    position: int = Field(examples=[42])
    model: str = Field(examples=["f3a1b2c3d4e5f607"])
    catalogue: str = Field(examples=["9c0d1e2f3a4b5c6d"])


class Facet(BaseModel):
    """A value that a shopper likes or dislikes."""

    dimension: str = Field(examples=["colour"])
    value: str = Field(examples=["red"])
    side: Literal["liked", "disliked"] = Field(examples=["liked"])
    share: float = Field(examples=[0.4])
    lift: float = Field(examples=[2.1])
    confidence: float = Field(examples=[0.8])
    half_life_days: float | None = Field(examples=[30.0])
    last_seen: str | None = Field(examples=["2026-01-31T12:00:00Z"])
    source: Literal["stated", "inferred", "corrected"] = Field(examples=["inferred"])
    evidence: list[str | dict[str, Any]] = Field(examples=[["e-1"]])


class Profile(BaseModel):
    """What a shopper's events show, each claim with its evidence."""

    shopper_id: str | None = Field(examples=["s-17"])
    as_of: str | None = Field(examples=["2026-01-31T12:00:00Z"])
    version: ProfileVersion
    n_events: int = Field(examples=[12])
    facets: list[Facet]
    interests: list[dict[str, Any]] = Field(
        description="Each with name, weight, item_id, title and evidence; names and titles by language.",
        examples=[[]],
    )
    intent: dict[str, Any] | None = Field(examples=[None])
    activity: dict[str, Any] | None = Field(examples=[None])
    portrait: dict[str, list[dict[str, Any]]] = Field(
        examples=[{"en": [{"text": "Likes red.", "evidence": ["e-1"]}]}]
    )
    consent: dict[str, bool] = Field(examples=[{"recommend": True}])
    degraded: list[str] = Field(examples=[[]])
    vector: list[float] | None = Field(default=None, description="Only where it was asked for.")


class Consent(BaseModel):
    """What holds now, by purpose."""

    consent: dict[str, bool] = Field(examples=[{"recommend": True, "ads": False}])


class Export(BaseModel):
    """Everything about a person."""

    schema_: Literal["huaxiang.export/1"] = Field(alias="schema", examples=["huaxiang.export/1"])
    shopper_id: str = Field(examples=["s-17"])
    exported_at: str = Field(examples=["2026-01-31T12:00:00Z"])
    joined_ids: int = Field(examples=[0])
    traits: dict[str, Any] = Field(examples=[{}])
    consent: dict[str, bool] = Field(examples=[{"recommend": True}])
    events: list[dict[str, Any]] = Field(examples=[[]])
    lists: list[dict[str, Any]] = Field(examples=[[]])
    letters: list[dict[str, Any]] = Field(examples=[[]])
    profile: Profile


class Receipt(BaseModel):
    """What an erasure did and what is left to do; keep it to have it checked."""

    receipt_id: str = Field(examples=["5c1e2f0a9b8d7c6e5f4a3b2c"])
    erased_at: str = Field(examples=["2026-01-31T12:00:00Z"])
    subjects: list[str] = Field(examples=[["00" * 16]])
    rows: dict[str, int] = Field(examples=[{"events": 12}])
    models: list[dict[str, Any]] = Field(examples=[[]])
    left: dict[str, Any] = Field(examples=[{"cache": "nothing"}])
    key_id: str = Field(examples=["k-1"])
    signature: str = Field(examples=["00" * 32])


class Checked(BaseModel):
    """Whether a receipt is genuine; where it is, how far the erasure has come."""

    is_genuine: bool = Field(examples=[True])
    is_complete: bool | None = Field(default=None, examples=[True])
    models: list[dict[str, Any]] | None = Field(default=None, examples=[[]])


class Letter(BaseModel):
    """An event that waits: never whose it is, or what was said."""

    letter_id: str = Field(examples=["l-1"])
    reason: str = Field(examples=["unknown_item"])
    type: str = Field(examples=["purchase"])
    item_id: str | None = Field(examples=["i-4"])
    received_at: str | None = Field(examples=["2026-01-31T12:00:00Z"])


class Letters(BaseModel):
    """Events that wait to be retried."""

    letters: list[Letter]
    by_reason: dict[str, int] = Field(examples=[{"unknown_item": 1}])


class Retried(BaseModel):
    """What became of letters that were retried."""

    accepted: int = Field(examples=[1])
    duplicates: int = Field(examples=[0])
    dropped: int = Field(examples=[0])
    left: int = Field(examples=[0])


class Dropped(BaseModel):
    """How many letters are gone."""

    dropped: int = Field(examples=[1])


class Aggregates(BaseModel):
    """A table with noise; groups that are too small are withheld."""

    of: str = Field(examples=["category"])
    type: str = Field(examples=["purchase"])
    from_: str = Field(alias="from", examples=["2026-01-01"])
    to: str = Field(examples=["2026-01-31"])
    values: list[dict[str, Any]] = Field(
        examples=[[{"value": "Dresses", "labels": {"en": "Dresses"}, "shoppers": 41}]]
    )
    n_withheld: int = Field(examples=[3])
    least_group: int = Field(examples=[20])
    epsilon: float = Field(examples=[0.5])
    noise: str = Field(examples=["two-sided geometric, one contribution per shopper"])
    answered_at: str = Field(examples=["2026-01-31T12:00:00+00:00"])
    epsilon_left_today: float = Field(examples=[4.5])


class AuditLine(BaseModel):
    """What a key did with a person, who is a keyed hash."""

    line: str = Field(examples=["019c1234567a0b1c2d3e4f50"])
    at: str = Field(examples=["2026-01-31T12:00:00.000Z"])
    key_id: str = Field(examples=["k-1"])
    action: str = Field(examples=["profile"])
    subject: str | None = Field(examples=[None])
    purpose: str | None = Field(examples=["recommend"])
    outcome: str = Field(examples=["done"])


class AuditPage(BaseModel):
    """A page of the audit; `next` leads to the one that follows."""

    lines: list[AuditLine]
    next: str | None = Field(examples=[None])


class ModelVersion(BaseModel):
    """A version of the model."""

    name: str = Field(examples=["f3a1b2c3d4e5f607"])
    status: str = Field(examples=["serving"])
    made_at: str = Field(examples=["2026-01-31T12:00:00Z"])
    metrics: dict[str, float] = Field(examples=[{"ndcg@10": 0.1}])
    decision: str | None = Field(examples=[None])


class Models(BaseModel):
    """Every version, the newest first."""

    serving: str = Field(examples=["f3a1b2c3d4e5f607"])
    versions: list[ModelVersion]


class Serving(BaseModel):
    """The version that is served now."""

    serving: str = Field(examples=["f3a1b2c3d4e5f607"])


class Outcomes(BaseModel):
    """What came of lists, by model and placement, and by place."""

    lists: list[dict[str, Any]] = Field(examples=[[]])
    places: list[dict[str, Any]] = Field(examples=[[]])


class DriftFound(BaseModel):
    """How far shoppers have moved since the model was made."""

    compared_at: str | None = Field(examples=["2026-01-31T12:00:00Z"])
    since: str | None = Field(examples=["2026-01-24T12:00:00Z"])
    model: str = Field(examples=["f3a1b2c3d4e5f607"])
    drift: list[dict[str, Any]] = Field(examples=[[]])


class RuleProblem(BaseModel):
    """A rule that does not do what its author may think."""

    kind: Literal["unknown", "dead", "conflict", "unordered"]
    rule: str = Field(examples=["no hats"])
    line: int = Field(examples=[12])
    other: str | None = Field(description="The rule that it is in conflict with.", examples=[None])
    text: str = Field(examples=["it names no item"])
    text_zh: str = Field(examples=["没有任何商品符合"])


class RuleInForce(BaseModel):
    """A rule of the shop."""

    name: str = Field(examples=["no hats"])
    action: str = Field(examples=["exclude"])
    priority: int = Field(examples=[0])
    line: int = Field(examples=[12])


class RulesInForce(BaseModel):
    """The shop's rules; `error` says why a newer file is not in force."""

    file: str | None = Field(examples=["rules.yaml"])
    since: str | None = Field(examples=["2026-01-31T12:00:00Z"])
    fingerprint: str | None = Field(examples=["f3a1b2c3d4e5f607"])
    off: int = Field(description="Rules that are switched off.", examples=[0])
    rules: list[RuleInForce]
    problems: list[RuleProblem]
    error: dict[str, Any] | None = Field(examples=[None])


class RulesChecked(BaseModel):
    """What is questionable about rules that are not in force."""

    rules: int = Field(examples=[7])
    off: int = Field(examples=[0])
    timezone: str = Field(examples=["Asia/Shanghai"])
    problems: list[RuleProblem]


class RuleCount(BaseModel):
    """What one rule did in a dry run, in lists."""

    rule: str = Field(examples=["no hats"])
    action: str = Field(examples=["exclude"])
    held: int = Field(examples=[20])
    took: int = Field(examples=[3])
    named: int = Field(examples=[0])


class RuleChange(BaseModel):
    """One list that rules would change."""

    shopper_id: str | None
    before: list[str]
    after: list[str]
    came: list[str]
    went: list[str]
    moved: list[str]
    why: dict[str, list[str]]
    titles: dict[str, str]


class RulesTried(BaseModel):
    """What rules would change; the first changed lists are shown whole."""

    n_lists: int = Field(examples=[51])
    n_changed: int = Field(examples=[12])
    n_empty: int = Field(examples=[0])
    rules: list[RuleCount]
    changes: list[RuleChange]
    problems: list[RuleProblem]


ANSWERS: dict[str, type[BaseModel]] = {
    "get /healthz": Alive,
    "get /readyz": Ready,
    "post /v1/events": Taken,
    **{
        f"post /v1/{kind}": SegmentTaken
        for kind in ("batch", "track", "identify", "alias", "page", "screen", "group")
    },
    "post /v1/items": ItemsTaken,
    "get /v1/items/{item_id}": Item,
    "get /v1/items/{item_id}/similar": List,
    "get /v1/items/{item_id}/reviews/insight": Insight,
    "get /v1/items/{item_id}/graph": ItemGraph,
    "get /v1/recommendations": List,
    "get /v1/search": Found,
    "post /v1/search/image": Found,
    "get /v1/search/suggest": Suggestions,
    "get /v1/shoppers/{shopper_id}/recommendations": List,
    "get /v1/shoppers/{shopper_id}/profile": Profile,
    "patch /v1/shoppers/{shopper_id}/profile": Profile,
    "get /v1/shoppers/{shopper_id}/consent": Consent,
    "put /v1/shoppers/{shopper_id}/consent": Consent,
    "get /v1/shoppers/{shopper_id}/export": Export,
    "delete /v1/shoppers/{shopper_id}": Receipt,
    "post /v1/receipts/check": Checked,
    "get /v1/letters": Letters,
    "post /v1/letters/retry": Retried,
    "post /v1/letters/drop": Dropped,
    "get /v1/aggregates": Aggregates,
    "get /v1/audit": AuditPage,
    "get /v1/models": Models,
    "post /v1/models/{name}/promote": Serving,
    "get /v1/outcomes": Outcomes,
    "get /v1/drift": DriftFound,
    "get /v1/rules": RulesInForce,
    "post /v1/rules/check": RulesChecked,
    "post /v1/rules/try": RulesTried,
}
"""Operation → what it answers when it could do what was asked; `/metrics` answers text."""
