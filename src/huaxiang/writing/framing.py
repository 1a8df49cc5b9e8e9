"""Words that a sentence may use without a fact behind them, since they claim nothing themselves.

Left out on purpose: numbers and amounts, "always", "never", "only", "best"; what somebody did ("bought",
"saw"); he and she; everything that a product can be.
"""

from __future__ import annotations

FRAMING = frozenset(
    """
    a an the this that these those it its they them their theirs there here and or but with of in on at to for
    from by as into about than so also too is are was were be been being has have had having do does did will
    would can could may might which who whose what when where while how if then each every such
    like likes liked prefer prefers preferred favour favours favor favors fond keen drawn lean leans leaning
    tend tends often mostly mainly usually frequently especially particularly rather quite
    shopper shoppers customer customers person people one ones thing things item items product products kind
    sort type choice choices preference preferences interest interested
    featuring features feature comes come offers offer made make makes combines combine brings bring
    的 了 着 和 与 及 或 或者 以及 是 在 有 也 都 还 又 就 而 且 而且 并 被 把 将 对 对于 从 到 以 为 由 于 等
    之 其 这 那 这个 那个 这些 那些 这款 该款 该 此 它 它们 他们 本 一款 一种 一个 款 种 个 件 类 一类 相对
    顾客 客户 用户 买家 消费者 人 商品 产品 东西 物品 款式
    喜欢 偏爱 偏好 喜爱 偏向 倾向 倾向于 常 经常 常常 通常 主要 多 往往 尤其 特别
    采用 具有 拥有 带有 带来 提供 搭配 配有 设计 可 可以 能 能够 让 使 会 来自
    """.split()
)
"""Each in lower case; Chinese ones as jieba divides them."""

AGAINST = frozenset("dislike dislikes disliked avoid avoids avoided 讨厌 反感 避开 回避 拒绝".split())
"""Words that say no to something: they turn a fact round as a negation does."""
