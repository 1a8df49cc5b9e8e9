"""Personal data is masked, what only looks like it is not, and no text takes long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.shop.quality.cleaning import safe_text
from huaxiang.shop.quality.personal import masked

MASKED = {
    "e-mail": ("write to Ann.Lee+shop@mail.example.co.uk!", "write to [email]!"),
    "e-mail in Chinese": ("邮箱toryhellen@sina.com。", "邮箱[email]。"),
    "mobile": ("请联系我13754900130", "请联系我[phone]"),
    "mobile in groups": ("+86 138-0013-8000", "[phone]"),
    "landline": ("客服010-88210766没人", "客服[phone]没人"),
    "area code": ("（0571）88888888", "[phone]"),
    "hotline": ("拨打4008206666", "拨打[phone]"),
    "American": ("call 555-234-5678 now", "call [phone] now"),
    "American in brackets": ("(555) 234-5678", "[phone]"),
    "British": ("07911 123456 or 020 7946 0958", "[phone] or [phone]"),
    "abroad": ("+49 30 901820 12", "[phone]"),
    "said to be one": ("my phone number is 555 234 5678", "my phone number is [phone]"),
    "resident's number": ("身份证11010519491231002X号", "身份证[id]号"),
    "social security": ("SSN 123-45-6789", "SSN [id]"),
    "bank card": ("4111 1111 1111 1111", "[id]"),
    "passport": ("护照号码：E12345678", "护照号码：[id]"),
    "street": ("at 221 Baker Street, London.", "at [address]."),
    "street and flat": ("12 Oak Dr, Apt 4, Springfield, IL 62704", "[address]"),
    "street in small letters": ("ship to 12 oak street, springfield, il 62704", "ship to [address]"),
    "box": ("P.O. Box 123", "[address]"),
    "Chinese address": ("地址：上海市浦东新区世纪大道100号5楼501室，谢谢", "地址：[address]，谢谢"),
    "Chinese estate": ("送到阳光花园3栋2单元501室", "送到[address]"),
}


@pytest.mark.parametrize(("text", "said"), MASKED.values(), ids=MASKED)
def test_personal_data_is_masked(text: str, said: str) -> None:
    assert masked(text)[0] == said
    assert sum(masked(text)[1].values()) == said.count("[")


@pytest.mark.parametrize(
    "text",
    [
        "100x200 cm, 1200*1800*30 mm, 30-40-50",
        "$1,399.00, 13800138000元, ￥12999999999",
        "订单号：13800138000, order no. 13800138000, SKU 13800138000",
        "item/13800138000.html?id=13800138000",
        "ISBN 9787111054252, 978-7-111-05425-2",
        "2008-06-04 9:30, 2004/6/1, 08-06-2020",
        "KF051501056101361930, 66666666666666",
        "我是5'8\" 135斤, 34d @ size 2",
        "3 Pack Square Scarf, 18 Speed Road Bike, 1 Pair Street Shoes, 5 Star Court Shoes",
        "味道5号, 坐3路车, 2号楼, 线路1号",
        "110105194912310021 4111 1111 1111 1112",
        "@ the shoulders, a@b, 5@home",
    ],
)
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert masked(text) == (text, {})


@given(st.text())
def test_masking_twice_is_masking_once(text: str) -> None:
    once = masked(text)[0]
    assert masked(once) == (once, {})


PIECES = [
    "1 ",
    "1-",
    "a@",
    "a.",
    "+1 ",
    "路1号",
    "12 Oak ",
    "12 Oak Street ",
    "电话1",
    "Ã",
    "&amp;",
    "<b",
    "4111 ",
]


@pytest.mark.parametrize("piece", PIECES)
def test_a_million_hostile_characters_are_read(piece: str) -> None:
    assert isinstance(safe_text(piece * (1_000_000 // len(piece)))[0], str)
