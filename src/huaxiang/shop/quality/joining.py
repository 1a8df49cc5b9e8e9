"""Labels that came back → rows: each joined by its id, several people's votes counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from huaxiang.errors import InputError
from huaxiang.shop.quality.label_studio import Vote
from huaxiang.shop.quality.shingles import plain_text


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """A row of which people said different things; `chosen` is None where no label leads."""

    row_id: str
    votes: Mapping[str, int]
    chosen: str | None


@dataclass(frozen=True, kw_only=True)
class Joined:
    """What came back.

    Parameters
    ----------
    labels
        Row id → label, by majority; rows without a leading label are not in it.
    missing
        Ids that came back without any label.
    """

    labels: Mapping[str, str]
    conflicts: tuple[Conflict, ...]
    missing: tuple[str, ...]
    n_votes: int


def join_votes(
    votes: Sequence[Vote],
    row_ids: Sequence[str],
    texts: Sequence[str | None] | None = None,
    *,
    file: str,
    choices: Sequence[str] = (),
) -> Joined:
    """Return the label of each row that was voted on.

    Parameters
    ----------
    row_ids
        Ids of the rows that labels are for, each once.
    texts
        Their texts: a vote that carries another text was meant for another file.
    choices
        Labels that are allowed; none allows all.

    Raises
    ------
    InputError
        There are votes on unknown rows, on other texts, or with labels that are not allowed; or none at all.

    Examples
    --------
    >>> votes = [Vote(row_id="2", label=label) for label in ("good", "good", "bad")]
    >>> joined = join_votes(votes, ["2", "3"], file="back.csv")
    >>> joined.labels, joined.conflicts[0].votes
    ({'2': 'good'}, {'good': 2, 'bad': 1})
    """
    _check_ids(votes, row_ids, file=file)
    if texts is not None:
        _check_texts(votes, dict(zip(row_ids, texts, strict=True)), file=file)
    _check_choices(votes, choices, file=file)
    by_row: dict[str, Counter[str]] = {vote.row_id: Counter() for vote in votes}
    for vote in votes:
        if vote.label is not None:
            by_row[vote.row_id][vote.label] += 1
    if not any(by_row.values()):
        raise InputError("no row has a label", file=file, column="label", remedy="label some rows first")
    leading = {row_id: _leading(counts) for row_id, counts in by_row.items()}
    return Joined(
        labels={row_id: label for row_id, label in leading.items() if label is not None},
        conflicts=tuple(
            Conflict(row_id=row_id, votes=dict(counts.most_common()), chosen=leading[row_id])
            for row_id, counts in by_row.items()
            if len(counts) > 1
        ),
        missing=tuple(row_id for row_id, counts in by_row.items() if not counts),
        n_votes=sum(vote.label is not None for vote in votes),
    )


def _leading(counts: Counter[str]) -> str | None:
    """Return the label with most votes; None where two have as many, or none has any."""
    first, second = [*counts.most_common(2), (None, 0), (None, 0)][:2]
    return first[0] if first[1] > second[1] else None


def _check_ids(votes: Sequence[Vote], row_ids: Sequence[str], *, file: str) -> None:
    known = set(row_ids)
    unknown = [vote for vote in votes if vote.row_id not in known]
    if unknown:
        message = f"{len(unknown):,} of {len(votes):,} labels are for rows that are not in the input"
        remedy = "give the --input and --id that the rows were chosen from"
        raise InputError(
            message, file=file, line=unknown[0].line, column="row_id", value=unknown[0].row_id, remedy=remedy
        )


def _check_texts(votes: Sequence[Vote], text_of: Mapping[str, str | None], *, file: str) -> None:
    other = (
        vote for vote in votes if vote.text and plain_text(vote.text) != plain_text(text_of[vote.row_id])
    )
    vote = next(other, None)
    if vote is not None:
        remedy = "the input has changed since the rows were chosen: give that one, or ids with --id"
        raise InputError(
            "label was given to another text",
            file=file,
            line=vote.line,
            column="row_id",
            value=vote.row_id,
            remedy=remedy,
        )


def _check_choices(votes: Sequence[Vote], choices: Sequence[str], *, file: str) -> None:
    for vote in votes:
        if choices and vote.label is not None and vote.label not in choices:
            nearest = (get_close_matches(vote.label, choices, n=1, cutoff=0.0) or ["none"])[0]
            remedy = f"the nearest is {nearest!r} of {', '.join(choices[:20])}; --choice allows another"
            raise InputError(
                "label is not known",
                file=file,
                line=vote.line,
                column="label",
                value=vote.label,
                remedy=remedy,
            )
