"""What insight says in words, English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping

LANGUAGES = ("en", "zh")

ADVICE: Mapping[str, tuple[str, str]] = {
    "fit": (
        "Correct the size chart, or say on the page how it fits",
        "修正尺码表，或在页面上说明版型偏大偏小",
    ),
    "fabric": ("Use a better material, or describe it as it is", "改用更好的面料，或如实描述材质"),
    "colour": ("Take new photos in daylight and check the dye", "用自然光重拍图片，并检查染色"),
    "look": ("Rework the design, or show it from more sides", "改进款式，或多角度展示实物"),
    "quality": (
        "Check the workmanship before dispatch and talk to the maker",
        "加强出厂质检，并与厂家沟通做工",
    ),
    "durability": ("Find out what breaks and have it strengthened", "查明易坏的部位并加固"),
    "comfort": ("Change what presses, rubs or chills", "改进硌、磨或不保暖的地方"),
    "price": ("Look at the price beside comparable items", "与同类商品比较后调整价格"),
    "delivery": ("Dispatch sooner, or promise a later day", "加快发货，或如实告知到货时间"),
    "packaging": ("Pack it so that it arrives whole", "改进包装，避免运输中损坏"),
    "service": ("Answer sooner and make returns easy", "及时回复顾客，简化退换流程"),
    "smell": ("Air it before packing and check the materials", "包装前充分通风，并检查用料"),
    "battery": ("Fit a better battery, or state its real running time", "改进电池，或如实标明续航"),
    "screen": ("Check screens before dispatch", "出厂前检查屏幕"),
    "performance": ("Make it faster, or say what it is made for", "提升性能，或说明适用场景"),
    "software": ("Update the software", "更新系统软件"),
    "sound": ("Improve the sound", "改进音质"),
    "camera": ("Improve the camera", "改进摄像头"),
    "signal": ("Check the connection", "检查信号与连接"),
    "keys": ("Improve keys and ports", "改进按键与接口"),
    "weight": ("Make it lighter, or state the weight", "减轻重量，或标明重量"),
    "use": ("Make it easier to use and explain it better", "简化操作，完善说明书"),
    "noise": ("Make it quieter", "降低噪音"),
    "taste": ("Choose riper or better goods", "改进口味，挑选更好的货源"),
    "freshness": ("Send fresher goods and check dates", "发更新鲜的货，检查日期"),
    "effect": ("Promise what it does and no more", "如实说明功效"),
    "content": ("Show a sample of the contents", "提供内容试读"),
    "place": ("Clean and renew what guests name", "改善环境与设施"),
    "description": ("Make page and photos match what is sent", "让页面描述与实物一致"),
}
_OTHER_ADVICE = ("See what buyers say of it", "看看买家怎么说")

_EN: Mapping[str, str] = {
    "cost": "{advice}: {n} of {of} reviews complain of {about}, which costs about {cost} of the mean rating.",
    "none": "Nobody has reviewed this item yet.",
    "rated": "{n} reviews, {mean} of 5 on average.",
    "unrated": "{n} reviews; none has a rating.",
    "praised": "Buyers praise {about} ({n} of {of} reviews).",
    "blamed": "Buyers complain of {about} ({n} of {of} reviews).",
    "stars_changed": "Since {since} the mean is {after} instead of {before}.",
    "blame_rose": "Since {since} {after} of reviews complain of {about}, before it was {before}.",
    "blame_fell": "Since {since} only {after} of reviews complain of {about}, before it was {before}.",
    "above": "That is {gap} above the mean of its category, {mean}.",
    "below": "That is {gap} below the mean of its category, {mean}.",
    "more_blamed": "{about} is blamed more often than in its category: {own} against {usual}.",
    "less_blamed": "{about} is blamed less often than in its category: {own} against {usual}.",
    "for_you": "Buyers praise its {about}, which you care about: {n} of {of} reviews",
    "duplicate": "{n} reviews have the same words (items concerned: {n_items})",
    "burst": "{n} extreme ratings came within one day",
    "many_alike": "One shopper gave {n} items' reviews the same stars within one day",
    "contradicts": "In {n} reviews words and stars say the opposite",
    "not_a_buyer": "{n} reviewers did not buy the item here",
    "few": "fewer than {n} reviews: figures are uncertain",
    "no_rating": "no ratings: stars are read from the words",
    "no_words": "no review has words: there are no sides to tell",
    "not_all_read": "older reviews are still being read",
    "no_times": "reviews have no times: there is no change to tell",
}
_ZH: Mapping[str, str] = {
    "cost": "{advice}：{of}条评价中有{n}条抱怨{about}；若无此问题，平均分约可提高{cost}。",
    "none": "这件商品还没有评价。",
    "rated": "共{n}条评价，平均{mean}分（满分5分）。",
    "unrated": "共{n}条评价，都没有打分。",
    "praised": "买家称赞{about}（{of}条评价中有{n}条）。",
    "blamed": "买家抱怨{about}（{of}条评价中有{n}条）。",
    "stars_changed": "自{since}起平均分为{after}，此前为{before}。",
    "blame_rose": "自{since}起{after}的评价抱怨{about}，此前为{before}。",
    "blame_fell": "自{since}起只有{after}的评价抱怨{about}，此前为{before}。",
    "above": "比所在类目的平均分{mean}高{gap}。",
    "below": "比所在类目的平均分{mean}低{gap}。",
    "more_blamed": "{about}受抱怨的比例高于同类：{own}，同类为{usual}。",
    "less_blamed": "{about}受抱怨的比例低于同类：{own}，同类为{usual}。",
    "for_you": "买家称赞其{about}（{of}条评价中有{n}条），这正是您看重的",
    "duplicate": "{n_items}件商品的{n}条评价文字相同",
    "burst": "一天之内出现{n}个极端评分",
    "many_alike": "同一顾客一天之内给{n}条评价打了相同的分",
    "contradicts": "有{n}条评价的文字与评分相反",
    "not_a_buyer": "有{n}位评价者没有在本店购买过这件商品",
    "few": "评价不足{n}条，数字不够可靠",
    "no_rating": "没有评分，分数由文字推断",
    "no_words": "评价没有文字，看不出具体方面",
    "not_all_read": "较早的评价仍在读取",
    "no_times": "评价没有时间，看不出变化",
}
_SAID: Mapping[str, Mapping[str, str]] = {"en": _EN, "zh": _ZH}


def say(key: str, language: str, **about: object) -> str:
    """Return a sentence in a language; one without words of its own reads English.

    Examples
    --------
    >>> say("rated", "en", n=3, mean="4.7"), say("rated", "zh", n=3, mean="4.7")
    ('3 reviews, 4.7 of 5 on average.', '共3条评价，平均4.7分（满分5分）。')
    """
    return _SAID.get(language, _EN)[key].format(**about)


def advice(aspect: str, language: str) -> str:
    """Return what may be done about a complaint.

    Examples
    --------
    >>> advice("noise", "en"), advice("something a model named", "zh")
    ('Make it quieter', '看看买家怎么说')
    """
    return ADVICE.get(aspect, _OTHER_ADVICE)[language == "zh"]


def share(part: float, language: str) -> str:
    """Return a share as people read it.

    Examples
    --------
    >>> share(0.256, "en"), share(0.256, "zh")
    ('26 %', '26%')
    """
    return f"{round(100 * part)}{'%' if language == 'zh' else ' %'}"
