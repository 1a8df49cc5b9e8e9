"""Which word each character of a text belongs to: jieba's words in Chinese, runs of letters elsewhere."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

_RUN = re.compile(r"[\u3400-\u9fff]+|[^\W\d_\u3400-\u9fff]+|\d+|\S")
CHINESE = re.compile(r"[\u3400-\u9fff]")


def words_of(text: str) -> NDArray[np.int32]:
    """Return the number of each character's word, from 0; white space is -1.

    Examples
    --------
    >>> words_of("红色 dress!").tolist()
    [0, 0, -1, 1, 1, 1, 1, 1, 2]
    """
    import jieba

    jieba.setLogLevel("ERROR")
    word_of = np.full(len(text), -1, np.int32)
    number = 0
    for run in _RUN.finditer(text):
        start = run.start()
        parts = jieba.cut(run[0]) if CHINESE.match(run[0]) else (run[0],)
        for part in parts:
            word_of[start : start + len(part)] = number
            start += len(part)
            number += 1
    return word_of
