"""Items as they come over the wire: bytes in; changes of the catalogue, and what was refused and why, out.

Checked strictly by pydantic: an item is read once and then looked at by every list. A refusal names the field
and, for a key that isn't known, the nearest that is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic import ValidationInfo as Given
from pydantic_core import PydanticCustomError

from huaxiang.errors import InputError
from huaxiang.records import Item, Text
from huaxiang.serve.settings import Limits
from huaxiang.serve.wire import check_length, read_json
from huaxiang.serve.wire_fields import RefusedError, check_plain, is_currency, nearest, read_id
from huaxiang.shop.cells import minor_units

ACTIONS = ("upsert", "stock", "price", "delete")
OWN_DIMENSIONS = frozenset(("category", "brand", "price_band", "department", "image_tag"))
"""Dimensions that follow from other fields: an attribute may not have their names."""

MOST_MINOR = 10**12
_MOST_ATTRIBUTES, _MOST_VALUES, _MOST_LANGUAGES, _DEEPEST_PATH = 50, 50, 16, 10
_LONGEST_TITLE, _LONGEST_VALUE = 1000, 200
_DIMENSION = re.compile(r"[a-z][a-z0-9_]{0,39}")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_DEEPEST = 5
_YEARS = (1970, 9999)


@dataclass(frozen=True, slots=True)
class RefusedItem:
    """Why one change of a request was refused, or one photo of it; `code` is stable."""

    index: int
    item_id: str | None
    field: str | None
    code: str
    message: str

    def as_json(self) -> dict[str, object]:
        """Return it as the answer shows it."""
        return {
            "index": self.index,
            "item_id": self.item_id,
            "field": self.field,
            "code": self.code,
            "message": self.message,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemChange:
    """What is to become of one item.

    Parameters
    ----------
    index
        Where in the request it stood.
    item
        The whole record of an upsert; None where only `parts` change, or the item goes.
    keeps_images
        The upsert says nothing of photos: those that the item has stay.
    parts
        Fields of the record that change, of a stock or price.
    """

    index: int
    item_id: str
    item: Item | None = None
    keeps_images: bool = False
    parts: Mapping[str, object] = field(default_factory=dict)
    is_deleted: bool = False


@dataclass(slots=True)
class ParsedItems:
    """The changes of a request that can be taken, and the others."""

    changes: list[ItemChange] = field(default_factory=list)
    rejected: list[RefusedItem] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class ItemReading:
    """What items are read with.

    Parameters
    ----------
    currency
        The shop's: prices in others can't be compared and are refused. None takes any.
    """

    currency: str | None = None
    limits: Limits = field(default_factory=Limits)


def _refuse(code: str, message: str) -> PydanticCustomError:
    return PydanticCustomError(code, "{said}", {"said": message})


def _id(stated: object, given: Given) -> str:
    try:
        return read_id(stated, "id", longest=given.context["reading"].limits.id_characters)  # type: ignore[index]
    except RefusedError as refused:
        raise _refuse(refused.code, refused.message) from None


def _words(written: str, given: Given) -> str:
    longest = given.context["reading"].limits.text_characters  # type: ignore[index]
    if len(written) > longest:
        raise _refuse("too_long", f"at most {longest} characters")
    return written


def _some(written: str) -> str:
    if not written.strip():
        raise _refuse("not_a_text", "a text that is not empty is needed")
    return written.strip()


def _part_of_path(written: str) -> str:
    if ">" in written:
        raise _refuse("not_a_text", 'the parts of a path stand in a list, without ">"')
    return written


def _dimension(written: str) -> str:
    if not _DIMENSION.fullmatch(written):
        raise _refuse("not_a_name", "an attribute is named by small letters, digits and _, at most 40")
    if written in OWN_DIMENSIONS:
        raise _refuse("not_expected", "this follows from the item's other fields")
    return written


def _language(written: str) -> str:
    if not _LANGUAGE.fullmatch(written):
        raise _refuse("not_a_language", "a language is named as en or zh")
    return written


def _currency(written: str, given: Given) -> str:
    own = given.context["reading"].currency  # type: ignore[index]
    if not is_currency(written):
        raise _refuse("not_a_currency", "a currency is three letters, such as USD")
    if own is not None and written != own:
        raise _refuse("foreign_currency", f"the shop's prices are in {own}")
    return written


def _moment(stated: object) -> datetime | None:
    if stated is None:
        return None
    try:
        moment = datetime.fromisoformat(stated) if type(stated) is str and len(stated) > 18 else None
        if moment is not None and moment.tzinfo is not None:
            moment = moment.astimezone(UTC)
            if _YEARS[0] <= moment.year <= _YEARS[1]:
                return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    except (ValueError, OverflowError):
        pass
    raise _refuse("not_a_time", "a time is written as 2026-01-31T12:00:00+08:00")


def _one_or_more(stated: object) -> object:
    return [stated] if type(stated) is str else stated


Id = Annotated[str, BeforeValidator(_id, json_schema_input_type=str)]
Words = Annotated[str, AfterValidator(_words)]
Some = Annotated[str, AfterValidator(_some)]
Value = Annotated[str, Field(max_length=_LONGEST_VALUE), AfterValidator(_some)]
Values = Annotated[list[Value], Field(max_length=_MOST_VALUES), BeforeValidator(_one_or_more)]
Money = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Minor = Annotated[int, Field(ge=0, le=MOST_MINOR)]
Currency = Annotated[str, AfterValidator(_currency)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class TextBody(_Strict):
    """An item's words in one language."""

    title: Annotated[str, Field(max_length=_LONGEST_TITLE)] = Field(default="", examples=["Red dress"])
    description: Words = Field(default="", examples=["Linen, with pockets."])


class _Priced(_Strict):
    price: Money | None = Field(default=None, description="In whole units, as 59.9.", examples=[59.9])
    price_minor: Minor | None = Field(default=None, description="Instead: in minor units, as 5990.")
    currency: Currency | None = Field(default=None, description="The shop's own where it isn't said.")

    def priced(self, own: str | None) -> tuple[int | None, str | None]:
        """Return the price in minor units, and its currency."""
        if self.price is not None and self.price_minor is not None:
            raise RefusedError("price_minor", "not_expected", "say price or price_minor, not both")
        if self.price is None and self.price_minor is None:
            return None, None
        currency = self.currency or own
        if currency is None:
            raise RefusedError("currency", "missing", "the shop has no currency yet: say it with the price")
        if self.price_minor is not None:
            return self.price_minor, currency
        minor = round((self.price or 0.0) * minor_units(currency))
        if minor > MOST_MINOR:
            raise RefusedError("price", "out_of_range", f"a price is at most {MOST_MINOR:,} minor units")
        return minor, currency


class UpsertBody(_Priced):
    """A whole item, new or in place of the one with its id."""

    item_id: Id = Field(examples=["i-4"])
    texts: dict[Annotated[str, AfterValidator(_language)], TextBody] = Field(
        default_factory=dict, max_length=_MOST_LANGUAGES, description="Words by language."
    )
    category: list[Annotated[Value, AfterValidator(_part_of_path)]] = Field(
        default_factory=list,
        max_length=_DEEPEST_PATH,
        description="Path, the widest first.",
        examples=[["Clothing", "Dresses"]],
    )
    brand: Value | None = None
    attributes: dict[Annotated[str, AfterValidator(_dimension)], Values] = Field(
        default_factory=dict,
        max_length=_MOST_ATTRIBUTES,
        examples=[{"colour": ["red"]}],
    )
    images: list[Some] | None = Field(
        default=None,
        description="Photos: addresses, data: URLs or base64. Left out: those it has stay; []: none.",
    )
    group_id: Id | None = Field(default=None, description="The product that it is a variant of.")
    in_stock: bool = True
    valid_from: Annotated[datetime | None, BeforeValidator(_moment, json_schema_input_type=str | None)] = (
        Field(default=None, description="From when it is on sale, RFC 3339.")
    )


class StockBody(_Strict):
    """Whether an item can be bought."""

    item_id: Id = Field(examples=["i-5"])
    in_stock: bool


class PriceBody(_Priced):
    """What an item costs now."""

    item_id: Id = Field(examples=["i-6"])


class DeleteBody(_Strict):
    """An item that is sold no longer."""

    item_id: Id = Field(examples=["i-7"])


BODIES: Mapping[str, type[_Strict]] = {
    "upsert": UpsertBody,
    "stock": StockBody,
    "price": PriceBody,
    "delete": DeleteBody,
}


def parse_items(body: bytes, reading: ItemReading) -> ParsedItems:
    """Return the changes of a body of `POST /v1/items`.

    Raises
    ------
    InputError
        The body as a whole is no such request.
    LimitError
        There are more items than one request may have.

    Examples
    --------
    >>> sent = b'{"items": [{"item_id": "i-4", "brand": "Acme", "price": 5}, {"item_id": "i-5", "prise": 1}]}'
    >>> parsed = parse_items(sent, ItemReading(currency="USD"))
    >>> parsed.changes[0].item.price_minor, parsed.rejected[0].field, parsed.rejected[0].message
    (500, 'prise', 'not known; the nearest is price')
    """
    whole, _ = read_json(body)
    if type(whole) is dict and whole.keys() - {"items"}:
        known = f'the only key is "items", not {sorted(whole.keys() - {"items"})[0][:40]!r}'
        raise InputError("the body has an unknown key", column="body", remedy=known)
    given = whole.get("items") if type(whole) is dict else None
    if type(given) is not list or not given:
        raise InputError("there are no items", column="items", remedy='send {"items": [{…}, …]}')
    check_length(given, reading.limits.batch_items, "items")
    parsed = ParsedItems()
    for index, stated in enumerate(given):
        try:
            parsed.changes.append(_change(index, stated, reading))
        except RefusedError as refused:
            parsed.rejected.append(refusal(index, _shown_id(stated), refused))
    return parsed


def refusal(index: int, item_id: str | None, refused: RefusedError) -> RefusedItem:
    """Return a refusal as the answer has it."""
    return RefusedItem(index, item_id, refused.field or None, refused.code, refused.message)


def _shown_id(stated: object) -> str | None:
    written = stated.get("item_id") if type(stated) is dict else None
    if type(written) is not str or any("\ud800" <= letter <= "\udfff" for letter in written):
        return None
    return written[:200]


def _change(index: int, stated: object, reading: ItemReading) -> ItemChange:
    if type(stated) is not dict:
        raise RefusedError(None, "not_an_object", "an item is a JSON object")
    action = stated.get("action", "upsert")
    if type(action) is not str or action not in BODIES:
        raise RefusedError("action", "unknown_action", nearest(str(action), ACTIONS))
    for name, value in stated.items():
        check_plain([name, value], name, deepest=_DEEPEST)
    said = {name: value for name, value in stated.items() if name != "action"}
    body = _validated(BODIES[action], said, reading)
    return _MAKE[action](index, body, reading)


def _validated(kind: type[_Strict], said: Mapping[str, Any], reading: ItemReading) -> Any:
    try:
        return kind.model_validate(said, context={"reading": reading})
    except ValidationError as error:
        raise _refused(error, kind) from None


_CODES = {
    "missing": "missing",
    "extra_forbidden": "unknown_field",
    "string_type": "not_a_text",
    "string_too_long": "too_long",
    "too_long": "too_long",
    "bool_type": "not_a_truth",
    "float_type": "not_a_number",
    "int_type": "not_a_number",
    "finite_number": "not_a_number",
    "greater_than_equal": "out_of_range",
    "less_than_equal": "out_of_range",
    "list_type": "not_a_list",
    "dict_type": "not_an_object",
    "model_type": "not_an_object",
}


def _refused(error: ValidationError, kind: type[_Strict]) -> RefusedError:
    """Return the first of pydantic's errors; an unknown key goes before what is missing without it."""
    found = error.errors(include_url=False, include_input=False)
    first = next((one for one in found if one["type"] == "extra_forbidden"), found[0])
    place = ".".join(str(part) for part in first["loc"] if part != "[key]")[:100]
    if first["type"] == "extra_forbidden":
        known = TextBody.model_fields if len(first["loc"]) > 1 else kind.model_fields
        return RefusedError(place, "unknown_field", nearest(str(first["loc"][-1]), [*known, "action"]))
    message = first["msg"][:1].lower() + first["msg"][1:]
    return RefusedError(place, _CODES.get(first["type"], first["type"]), message)


def _upsert(index: int, body: UpsertBody, reading: ItemReading) -> ItemChange:
    _check_size(body, reading.limits)
    price_minor, currency = body.priced(reading.currency)
    item = Item(
        item_id=body.item_id,
        group_id=body.group_id or body.item_id,
        texts={
            code: Text(title=said.title.strip(), description=said.description.strip())
            for code, said in body.texts.items()
            if said.title.strip() or said.description.strip()
        },
        category=tuple(body.category),
        brand=body.brand,
        price_minor=price_minor,
        currency=currency,
        attributes={name: tuple(dict.fromkeys(values)) for name, values in body.attributes.items() if values},
        images=tuple(body.images or ()),
        in_stock=body.in_stock,
        valid_from=body.valid_from,
    )
    return ItemChange(index=index, item_id=item.item_id, item=item, keeps_images=body.images is None)


def _check_size(body: UpsertBody, limits: Limits) -> None:
    if len(body.images or ()) > limits.item_pictures:
        raise RefusedError("images", "too_long", f"at most {limits.item_pictures} photos")
    if len(orjson.dumps(body.model_dump(exclude={"images", "valid_from"}))) > limits.item_bytes:
        raise RefusedError(None, "too_long", f"at most {limits.item_bytes} bytes of JSON beside photos")


def _stock(index: int, body: StockBody, reading: ItemReading) -> ItemChange:
    return ItemChange(index=index, item_id=body.item_id, parts={"in_stock": body.in_stock})


def _price(index: int, body: PriceBody, reading: ItemReading) -> ItemChange:
    price_minor, currency = body.priced(reading.currency)
    if price_minor is None:
        raise RefusedError("price", "missing", "say price or price_minor")
    parts = {"price_minor": price_minor, "currency": currency}
    return ItemChange(index=index, item_id=body.item_id, parts=parts)


def _delete(index: int, body: DeleteBody, reading: ItemReading) -> ItemChange:
    return ItemChange(index=index, item_id=body.item_id, is_deleted=True)


_MAKE: Mapping[str, Callable[[int, Any, ItemReading], ItemChange]] = {
    "upsert": _upsert,
    "stock": _stock,
    "price": _price,
    "delete": _delete,
}
