"""What the insight into an item's reviews looks like, for the service's description alone."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field


class Quoted(BaseModel):
    """A sentence of a review, personal data masked."""

    event_id: str = Field(examples=["e-4"])
    text: str = Field(examples=["It runs small."])
    language: str = Field(examples=["en"])
    polarity: int = Field(description="1 praises, -1 blames.", examples=[-1])
    rating: float | None = Field(examples=[2.0])


class Side(BaseModel):
    """How many reviews praise and blame one side of the item."""

    aspect: str = Field(examples=["fit"])
    name: dict[str, str] = Field(examples=[{"en": "size and fit", "zh": "尺码"}])
    n: int = Field(examples=[14])
    positive: int = Field(examples=[3])
    negative: int = Field(examples=[10])
    neutral: int = Field(examples=[1])
    evidence: list[Quoted]


class Suggestion(BaseModel):
    """What to improve, and what it costs in rating now."""

    rank: int = Field(examples=[1])
    aspect: str = Field(examples=["fit"])
    text: dict[str, str] = Field(examples=[{"en": "Correct the size chart …", "zh": "修正尺码表……"}])
    n: int = Field(examples=[10])
    cost: float = Field(description="Stars of the item's mean.", examples=[0.42])
    drop: float = Field(description="Stars of each review that says so.", examples=[1.7])
    phrases: list[dict[str, Any]] = Field(examples=[[{"text": "runs small", "n": 8}]])
    evidence: list[Quoted]


class Insight(BaseModel):
    """What an item's reviews say."""

    item_id: str = Field(examples=["i-4"])
    title: str = Field(examples=["Red dress"])
    reader: str = Field(description="What read them.", examples=["rules/1"])
    n_reviews: int = Field(examples=[40])
    n_texts: int = Field(description="Those with words.", examples=[31])
    n_rated: int = Field(examples=[40])
    mean_rating: float | None = Field(examples=[3.4])
    ratings: dict[str, int] = Field(examples=[{"1": 6, "2": 5, "3": 7, "4": 12, "5": 10}])
    sentiment: dict[str, int] = Field(examples=[{"negative": 11, "neutral": 7, "positive": 22}])
    aspects: list[Side]
    praised: list[str] = Field(examples=[["colour"]])
    complained: list[str] = Field(examples=[["fit"]])
    over_time: list[dict[str, Any]] = Field(examples=[[]])
    changes: list[dict[str, Any]] = Field(
        description="What is surely different in the newest third of the time.", examples=[[]]
    )
    category: dict[str, Any] = Field(examples=[{"name": "dresses", "mean": 3.9, "contrast": []}])
    suggestions: list[Suggestion]
    flags: list[dict[str, Any]] = Field(examples=[[]])
    summary: dict[str, list[dict[str, Any]]] = Field(
        examples=[{"en": [{"text": "40 reviews, 3.4 of 5 on average.", "evidence": ["e-4"]}], "zh": []}]
    )
    degraded: list[str] = Field(examples=[[]])
