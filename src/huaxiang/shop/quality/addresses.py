"""Postal addresses in running text: a street with its number, and what stands around it."""

from __future__ import annotations

import re

_WORD = r"[A-Z][a-z'’]{1,20}"
_STREET = r"(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Boulevard|Blvd|Parkway|Pkwy)\b\.?"
_OTHER_STREET = r"(?:Drive|Dr|Court|Ct|Place|Pl|Terrace|Square|Highway|Hwy|Crescent|Close|Way)\b\.?"
"""Words that products are called by, too: no address without a flat or a postcode."""
_POSTCODE = r"(?:[A-Z]{2} \d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2})\b"
_CITY = rf"(?:,? {_WORD}(?: {_WORD}){{0,2}})?,? {_POSTCODE}"
_FLAT = rf",? (?:Apt|Apartment|Suite|Ste|Unit|Flat)\.? ?#?\w{{1,6}}(?:{_CITY})?"
_ENGLISH = re.compile(
    rf"(?<![\w.$£€\-])\d{{1,5}}[A-Za-z]?,? (?:(?:[NSEW]|North|South|East|West)\.? )?"
    rf"(?:{_WORD} |\d{{1,3}}(?:st|nd|rd|th) ){{1,3}}"
    rf"(?:(?:{_STREET}|{_OTHER_STREET})(?:{_FLAT}|{_CITY})|{_STREET}(?:, {_WORD})?(?! ?[A-Z0-9]))"
)
_CASELESS = re.compile(
    r"(?i)(?<![\w.$£€\-])\d{1,5} (?:[a-z]{2,20} ){1,3}(?:street|st|avenue|ave|road|rd|lane|drive|blvd)\.?,? "
    r"(?:(?:apt|suite|unit)\.? ?#?\w{1,6},? ){0,1}(?:[a-z]{2,20},? ){1,3}[a-z]{2},? \d{5}(?:-\d{4})?\b"
)
_BOX = re.compile(r"\b[Pp]\.? ?[Oo]\.? ?[Bb]ox \d{1,6}\b")

_HAN = "\u4e00-\u9fff"
_HOUSE = re.compile(
    r"(?:(?<![线电套思走铁公水])路|街|大道|巷|胡同|弄|村)(?:东|西|南|北|中)?(?:段)?\d{1,5}(?:[-－]\d{1,4})?(?:号|弄)"
    r"|(?:小区|花园|公寓|家园|新村|花苑|大厦|社区)\d{1,3}(?:号楼|栋|幢|座)"
)
"""A Chinese street or estate with a number: what an address can't do without."""
_INSIDE = re.compile(
    r"(?:(?:\d{1,5}|[A-Za-z一二三四五六七八九十])(?:号楼|号|弄|栋|幢|座|单元|楼|层|室|房)){0,4}"
)
_LOOKED_BACK = 32
_NAME, _NO_NAME = 3, "在到于至了的往是去来有和"
"""Characters of a street's own name, and what stands before it without being part of it."""
_PROVINCES = (
    "北京 上海 天津 重庆 河北 山西 辽宁 吉林 黑龙江 江苏 浙江 安徽 福建 江西 山东 河南 湖北 湖南 广东 "
    "海南 四川 贵州 云南 陕西 甘肃 青海 台湾 内蒙古 广西 西藏 宁夏 新疆 香港 澳门"
).split()
_UNIT = re.compile(f"[{_HAN}]{{2}}(?:省|市|自治区|自治州|[区县镇乡])")


def without_addresses(text: str, mask: str) -> tuple[str, int]:
    """Return the text with `mask` in place of postal addresses, and how many there were.

    Examples
    --------
    >>> without_addresses("Ship to 12 Oak Tree Lane, Apt 4, Springfield, IL 62704 please", "[address]")
    ('Ship to [address] please', 1)
    >>> without_addresses("寄到浙江省杭州市西湖区文三路90号3栋201室,谢谢", "[address]")
    ('寄到[address],谢谢', 1)
    >>> without_addresses("3 Pack Square Scarf, 18 Speed Road Bike, 味道5号, 坐3路车", "[address]")
    ('3 Pack Square Scarf, 18 Speed Road Bike, 味道5号, 坐3路车', 0)
    """
    n_found = 0
    if any(character.isdigit() for character in text):
        for pattern in (_ENGLISH, _CASELESS, _BOX):
            text, n = pattern.subn(mask, text)
            n_found += n
    text, n = _without_chinese(text, mask)
    return text, n_found + n


def _without_chinese(text: str, mask: str) -> tuple[str, int]:
    parts: list[str] = []
    end = n_found = 0
    for house in _HOUSE.finditer(text):
        if house.start() < end:
            continue
        parts += [text[end : _start_of(text, house.start(), not_before=end)], mask]
        inside = _INSIDE.match(text, house.end())
        end = inside.end() if inside else house.end()
        n_found += 1
    return "".join([*parts, text[end:]]), n_found


def _start_of(text: str, street: int, *, not_before: int) -> int:
    """Return where the address begins: at its province or city, else at the street's own name."""
    first = max(not_before, street - _LOOKED_BACK)
    before = re.split(rf"[^{_HAN}\d（）()]", text[first:street])[-1]
    start = street - len(before)
    places = [before.find(province) for province in _PROVINCES if province in before]
    if places:
        return start + min(places)
    unit = _UNIT.search(before)
    if unit is not None:
        return start + unit.start()
    nearest = max(start, street - _NAME)
    return nearest + len(text[nearest:street]) - len(text[nearest:street].lstrip(_NO_NAME))
