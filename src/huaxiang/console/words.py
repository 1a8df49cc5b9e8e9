"""The words of the console, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping

from huaxiang.profile.names import dimension_name

LANGUAGES: Mapping[str, str] = {"en": "English", "zh": "中文"}

_WORDS: Mapping[str, tuple[str, str]] = {
    "title": ("Huaxiang", "画像"),
    "overview": ("Overview", "总览"),
    "shoppers": ("Shoppers", "顾客"),
    "items": ("Items", "商品"),
    "models": ("Models", "模型"),
    "sign_in": ("Sign in", "登录"),
    "sign_out": ("Sign out", "退出"),
    "admin_key": ("Admin key", "管理密钥"),
    "refused": ("This key may not use the console.", "此密钥不能使用控制台。"),
    "dark": ("Light or dark", "浅色或深色"),
    "language": ("Language", "语言"),
    "menu": ("Menu", "菜单"),
    "events_per_s": ("Events per second", "每秒事件"),
    "lists_per_s": ("Lists per second", "每秒推荐"),
    "p50_ms": ("Half of the lists within", "一半推荐耗时不超过"),
    "p99_ms": ("99 % of the lists within", "99% 推荐耗时不超过"),
    "freshness": ("Learning is behind by", "学习滞后"),
    "waiting": ("Events waiting", "等待写入的事件"),
    "model": ("Model", "模型"),
    "catalogue": ("Catalogue", "商品目录"),
    "n_items": ("Items", "商品数"),
    "position": ("Log position", "日志位置"),
    "rebuilt": ("States rebuilt", "重建的状态"),
    "degraded": ("What is not as it should be", "不完整之处"),
    "last_minute": ("The last minute", "最近一分钟"),
    "ctr": ("Click-through by model and placement", "各模型与位置的点击率"),
    "lists_shown": ("Lists", "推荐次数"),
    "clicks": ("Clicked", "点击率"),
    "bought": ("Bought", "购买率"),
    "placement": ("Placement", "位置"),
    "drift": ("Whether shoppers have changed", "顾客是否变化"),
    "watched": ("What is watched", "观察对象"),
    "index": ("Stability index", "稳定性指数"),
    "verdict": ("Verdict", "结论"),
    "moved_most": ("What moved most", "变化最大的部分"),
    "drift_steady": ("steady", "稳定"),
    "drift_moved": ("moved", "有变化"),
    "drift_large": ("much moved", "变化很大"),
    "drift_too_few": ("too few to tell", "数据太少"),
    "nothing_yet": ("Nothing yet.", "暂无数据。"),
    "find_shopper": ("Shopper's id, as in the shop", "顾客编号（与店铺一致）"),
    "find": ("Show", "查看"),
    "no_shopper": ("The log has nothing of this shopper.", "日志中没有这位顾客。"),
    "review_insight": ("What its reviews say", "评价洞察"),
    "back_to_item": ("The item", "商品页"),
    "in_short": ("In short", "概要"),
    "n_reviews": ("Reviews", "评价数"),
    "mean_rating": ("Mean rating", "平均评分"),
    "of_category": ("Mean of its category", "同类平均"),
    "praise_blame": ("What is praised and complained of", "称赞与抱怨的方面"),
    "praised_n": ("praised", "称赞"),
    "complained_n": ("complained", "抱怨"),
    "rating_over_time": ("Rating over time", "评分变化"),
    "reviews_of_a_time": ("Reviews", "评价数"),
    "what_to_improve": ("What to improve, dearest first", "改进建议（按影响排序）"),
    "their_words": ("In their words", "原话"),
    "worth_a_look": ("Worth a look", "值得核查"),
    "nothing_odd": ("Nothing odd was found.", "未发现异常。"),
    "no_suggestion": ("Nobody complains often enough.", "没有足够多的抱怨。"),
    "event": ("event", "事件"),
    "no_item": ("There is no such item.", "没有这个商品。"),
    "examples": ("For example", "例如"),
    "portrait": ("Portrait", "画像"),
    "facets": ("What they like and dislike", "喜好与厌恶"),
    "liked": ("likes", "喜欢"),
    "disliked": ("dislikes", "不喜欢"),
    "withdrawn": ("let events decide", "由行为决定"),
    "confidence": ("confidence", "可信度"),
    "share": ("share", "占比"),
    "stated": ("stated", "本人说明"),
    "inferred": ("inferred", "推断"),
    "corrected": ("corrected", "已更正"),
    "interests": ("Interests", "兴趣"),
    "timeline": ("Timeline", "时间线"),
    "list": ("Recommended now", "当前推荐"),
    "evidence": ("Evidence", "依据"),
    "corrected_now": ("Corrected; the list has changed.", "已更正，推荐已更新。"),
    "consent": ("Consent", "授权"),
    "consent_kept": ("Kept.", "已保存。"),
    "recommend": ("recommendations", "推荐"),
    "search": ("Search", "搜索"),
    "service": ("service", "客服"),
    "ads": ("advertising", "广告"),
    "research": ("research", "研究"),
    "train": ("training of models", "模型训练"),
    "export": ("Export everything", "导出全部数据"),
    "erase": ("Erase", "删除"),
    "erase_sure": (
        "Erase everything about this shopper? This can't be undone.",
        "确定删除这位顾客的全部数据？此操作无法撤销。",
    ),
    "erased": ("Erased.", "已删除。"),
    "cancel": ("Cancel", "取消"),
    "orders": ("orders", "订单"),
    "spent": ("spent", "消费"),
    "last_seen": ("last seen", "最近到访"),
    "lifecycle": ("stage", "阶段"),
    "find_item": ("Item's id or words of its title", "商品编号或标题中的词"),
    "attributes": ("Attributes", "属性"),
    "alike": ("Like this", "相似商品"),
    "goes_with": ("Goes with", "搭配商品"),
    "instead_of": ("Instead of this", "可替代商品"),
    "bought_by": ("bought together by {n} shoppers", "{n} 位顾客一起买过"),
    "way_up": ("Belongs to", "所属类目"),
    "who_likes": ("Who likes its kind", "谁喜欢这一类"),
    "in_stock": ("in stock", "有货"),
    "sold_out": ("sold out", "缺货"),
    "search_words": ("What is looked for", "要找什么"),
    "search_for": ("For shopper (id)", "为哪位顾客（编号）"),
    "by_photo": ("By a photo", "以图搜索"),
    "choose_photo": ("Choose or drop a photo", "选择或拖入照片"),
    "photo_refused": ("This is no photo, or it is too large.", "这不是照片，或文件过大。"),
    "not_searched": ("Not searched:", "未能搜索："),
    "n_found": ("{n} found", "共 {n} 件"),
    "in_their_order": ("in this shopper's order", "按这位顾客的喜好排序"),
    "did_you_mean": ("Did you mean", "您是不是要找"),
    "serving": ("serving", "服务中"),
    "ready": ("ready", "待用"),
    "retired": ("retired", "已退役"),
    "failed": ("failed", "失败"),
    "promote": ("Promote", "启用"),
    "roll_back": ("Roll back to this", "回滚到此版本"),
    "made_at": ("Made", "制作时间"),
    "metrics": ("On the newest days", "最近几天的指标"),
    "decision": ("Decision", "决定"),
    "promoted": ("It is served now.", "已启用。"),
    "rules": ("Rules", "规则"),
    "rules_in_force": ("In force", "生效中的规则"),
    "rules_none": (
        "No file of rules was given: huaxiang serve --rules FILE",
        "未指定规则文件：huaxiang serve --rules FILE",
    ),
    "rules_empty": ("No rule is switched on.", "没有启用的规则。"),
    "rules_since": ("since", "生效于"),
    "rules_off": ("switched off", "已关闭"),
    "rules_refused": (
        "The file has changed, but it is wrong. The rules before it stay:",
        "规则文件已更改，但有错误。仍沿用之前的规则：",
    ),
    "rules_problems": ("Conflicts and dead rules", "冲突与失效的规则"),
    "rules_fine": ("Nothing is questionable.", "没有可疑之处。"),
    "rules_try": ("Try other rules", "试用其他规则"),
    "rules_text": ("Rules, as YAML; nothing of it is put in force", "规则（YAML），不会真正生效"),
    "rules_check": ("Check", "检查"),
    "rules_run": ("Try on the shoppers last seen", "在最近到访的顾客上试用"),
    "rules_changed": ("lists change", "个列表改变"),
    "rules_of": ("of", "共"),
    "rules_emptied": ("are empty", "个为空"),
    "rules_shoppers": ("Shoppers", "顾客数"),
    "rules_rule": ("rule", "规则"),
    "rules_action": ("does", "作用"),
    "rules_priority": ("priority", "优先级"),
    "rules_line": ("line", "行"),
    "rules_kind": ("kind", "类别"),
    "rules_what": ("what", "说明"),
    "rules_held": ("holds for lists", "成立的列表"),
    "rules_took": ("takes from lists", "移除商品的列表"),
    "rules_named": ("named in lists", "理由中提到的列表"),
    "rules_before": ("before", "之前"),
    "rules_after": ("after", "之后"),
    "rules_why": ("why", "原因"),
    "rules_nobody": ("somebody unknown", "未知访客"),
    "rules_kind_unknown": ("unknown", "未知"),
    "rules_kind_dead": ("dead", "失效"),
    "rules_kind_conflict": ("conflict", "冲突"),
    "rules_kind_unordered": ("unordered", "次序不明"),
    "rules_does_exclude": ("leaves out", "排除"),
    "rules_does_require": ("only these", "仅限"),
    "rules_does_price_floor": ("price floor", "最低价格"),
    "rules_does_in_stock_only": ("only in stock", "仅限有货"),
    "rules_does_age_limit": ("age limit", "上架时长"),
    "rules_does_cap": ("cap", "数量上限"),
    "rules_does_pin": ("pins", "置顶"),
    "rules_does_boost": ("boosts", "提升"),
    "rules_does_bury": ("buries", "压低"),
    "offline": ("The page has lost the service; it tries again.", "与服务的连接中断，正在重试。"),
}

_ZH_NAMES: Mapping[str, str] = {
    "new": "新顾客",
    "active": "活跃",
    "loyal": "忠诚",
    "at_risk": "可能流失",
    "lapsed": "已流失",
    "unknown": "未知",
    "event type": "事件类型",
    "bought category": "购买的类目",
    "bought brand": "购买的品牌",
    "price": "价格",
    "score": "推荐得分",
    "other": "其他",
}


def name_of(kind: str, language: str) -> str:
    """Return how a dimension or a stage of a shopper's life is called.

    Examples
    --------
    >>> name_of("price_band", "en"), name_of("price_band", "zh"), name_of("heel", "zh")
    ('price band', '价格带', 'heel')
    """
    if language == "zh" and kind in _ZH_NAMES:
        return _ZH_NAMES[kind]
    return dimension_name(kind, language)


def word(key: str, language: str) -> str:
    """Return the words for `key`; a language without words of its own reads English.

    Examples
    --------
    >>> word("shoppers", "zh"), word("shoppers", "fr")
    ('顾客', 'Shoppers')
    """
    english, chinese = _WORDS[key]
    return chinese if language == "zh" else english


def keys() -> tuple[str, ...]:
    """Return every key that has words."""
    return tuple(_WORDS)
