"""Phone numbers in running text, told from sizes, prices, dates and numbers of orders."""

from __future__ import annotations

import re

_FREE = r"(?<![0-9A-Za-z_=/#.\-×*$£€¥￥])"
_END = r"(?![0-9A-Za-z_]|[.,\-/×*][0-9])(?!\s?(?:元|块|円|cm|mm|kg|ml|件|个|颗|台))"
"""What may not stand before and after: more digits, letters, a currency, a unit."""

_MOBILE = r"(?:(?:\+|00)?86[ \-]?)?1[3-9]\d(?:[ \-]?\d{4}){2}"
_LANDLINE = (
    r"(?:\+?86[ \-]?)?(?:\(0\d{2,3}\)|（0\d{2,3}）|0\d{2,3}-)[ \-]?[2-9]\d{2,3}[ \-]?\d{4}(?:-\d{1,4})?"
)
_SERVICE = r"[48]00-\d{3}-\d{4}|[48]00-\d{4}-\d{3}"
_ABROAD = r"\+(?!86)[1-9]\d{0,2}[ .\-]?(?:\(0?\d{1,4}\)[ .\-]?)?\d{2,4}(?:[ .\-]?\d{2,4}){2,3}"
_AMERICAN = (
    r"(?:1[ .\-])?(?:\([2-9]\d{2}\) ?[2-9]\d{2}[ .\-]\d{4}"
    r"|[2-9]\d{2}-[2-9]\d{2}-\d{4}|[2-9]\d{2}\.[2-9]\d{2}\.\d{4})"
)
_BRITISH = r"0(?:2\d \d{4} \d{4}|7\d{3} ?\d{3} ?\d{3}|1\d{2,3} \d{3} ?\d{3,4})"

_NUMBER = re.compile(
    f"{_FREE}(?:{'|'.join((_MOBILE, _LANDLINE, _SERVICE, _ABROAD, _AMERICAN, _BRITISH))}){_END}"
)
_CALLED = re.compile(
    r"(?:(?<![A-Za-z])(?i:telephone|tel|phone|mobile|cell|whatsapp|(?:call|text)(?: me)?(?: at| on)?)"
    r"|电话|手机号码?|联系方式|致电|拨打|热线|客服)"
    r"(?:\s?(?:number|no\.|号码))?(?:\s?(?:is|是|为))?[\s:：]{0,3}(?P<number>\+?\(?\d[\d \-().]{5,18}\d)"
    + _END
)
"""A number that is said to be one, however it is written."""

_COUNTED = re.compile(
    r"(?:订单|单号|运单|快递|货号|编号|序列号|型号|条码|商品号|(?<![A-Za-z])(?i:order|invoice|tracking|sku|isbn|asin"
    r"|item|model|serial|ref|no\.?|part|upc|ean))[A-Za-z]{0,8}[号码]{0,2}\s?(?:number|no\.?)?"
    r"\s?(?:is|was|是|为)?[\s:：#]{0,4}$"
)
"""What stands before a number that counts orders or things."""
_LOOKED_BACK = 40


def without_phones(text: str, mask: str) -> tuple[str, int]:
    """Return the text with `mask` in place of phone numbers, and how many there were.

    Examples
    --------
    >>> without_phones("请联系我13754900130,或010-87860230", "[phone]")
    ('请联系我[phone],或[phone]', 2)
    >>> without_phones("call (555) 234-5678 or +44 20 7946 0958", "[phone]")
    ('call [phone] or [phone]', 2)
    >>> without_phones("订单号 13754900130, 100x200 cm, $1,399, 2004-06-01", "[phone]")
    ('订单号 13754900130, 100x200 cm, $1,399, 2004-06-01', 0)
    """
    n_found = 0

    def masked(found: re.Match[str]) -> str:
        nonlocal n_found
        before = found.string[max(0, found.start() - _LOOKED_BACK) : found.start()]
        if _COUNTED.search(before):
            return found[0]
        n_found += 1
        return mask

    def masked_number(found: re.Match[str]) -> str:
        nonlocal n_found
        if not 7 <= sum(character.isdigit() for character in found["number"]) <= 15 or _is_date(
            found["number"]
        ):
            return found[0]
        n_found += 1
        return found[0][: found.start("number") - found.start()] + mask

    text = _CALLED.sub(masked_number, text)
    return _NUMBER.sub(masked, text), n_found


def _is_date(number: str) -> bool:
    return re.match(r"(?:19|20)\d{2}[-.]\d{1,2}[-.]\d{1,2}", number) is not None
