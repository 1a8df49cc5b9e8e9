"""The portrait reads well in both languages and says nothing it can't show."""

from __future__ import annotations

from boutique import Diary, diary


def portrait(made: Diary, language: str) -> list[str]:
    return [said.text for said in made.derived().profile.portrait[language]]


def regular() -> Diary:
    return diary(*[(3 + 2 * n, "purchase", (0, 3, 4)[n % 3]) for n in range(12)])


def test_it_names_what_is_liked_with_counts() -> None:
    said = portrait(regular(), "en")
    assert any(text.startswith("Favours the brand Nike: 12 of 12 actions") for text in said)
    assert any(text.startswith("Is drawn to Running Shoes: 8 of 12 actions") for text in said)


def test_it_says_the_same_in_chinese() -> None:
    said = portrait(regular(), "zh")
    assert any(text.startswith("偏爱品牌耐克：12 次行为中有 12 次") for text in said)
    assert any(text.startswith("偏爱跑步鞋：12 次行为中有 8 次") for text in said)
    assert len(said) == len(portrait(regular(), "en"))


def test_purchases_are_counted_and_dated() -> None:
    assert "Made 12 purchases, most recently on 29 May 2026." in portrait(regular(), "en")
    assert "购买过 12 件次，最近一次在2026年5月29日。" in portrait(regular(), "zh")


def test_each_sentence_has_evidence() -> None:
    for said in regular().derived().profile.portrait["en"]:
        assert said.evidence and all(one.event_id.startswith("e-") for one in said.evidence)


def test_dislikes_are_told() -> None:
    made = diary(*[(n, "dislike", item) for n, item in enumerate((1, 2, 5, 7))])
    assert "Does not care for Acme: 4 of 4 complaints." in portrait(made, "en")
    assert "不喜欢顶点：4 次不满中有 4 次与之有关。" in portrait(made, "zh")


def test_absence_is_told_after_two_months() -> None:
    made = diary(*[(70 + n, "purchase", 0) for n in range(3)])
    assert "Not seen since 23 March 2026, for 70 days." in portrait(made, "en")
    assert "自2026年3月23日以来已有 70 天没有来过。" in portrait(made, "zh")


def test_corrections_are_told_as_the_shoppers_own() -> None:
    made = Diary()
    made.add(0, "correct", dimension="brand", value="Nike", side="disliked")
    assert portrait(made, "en") == ["Set right by the shopper: does not like Nike."]
    assert portrait(made, "zh") == ["本人更正：不喜欢耐克。"]


def test_a_visit_is_told() -> None:
    made = diary(*[(0.001 * n, "view_item", item) for n, item in enumerate((3, 4, 3, 4))])
    assert any(
        "in this visit, mainly Running Shoes: 4 actions so far." in text for text in portrait(made, "en")
    )
    assert any("本次访问" in text and "跑步鞋" in text for text in portrait(made, "zh"))


def test_hours_are_the_shoppers_own() -> None:
    made = Diary()
    for n in range(12):
        made.add(3 + n, "view_item", n % 8, offset_quarters=32)
    assert "Mostly comes between 19:00 and 23:00: 12 of 12 actions." in portrait(made, "en")
