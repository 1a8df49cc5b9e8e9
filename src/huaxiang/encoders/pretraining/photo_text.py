"""A photo and its text lie close: the pairwise sigmoid loss, and how often the one finds the other.

Each photo with each text of a batch is a question of its own: do they belong together? So a batch can be
small, and two products with the same text are both right.

Source
------
Zhai et al., Sigmoid Loss for Language Image Pre-Training, ICCV 2023, section 3.2. Where we differ: equal
texts in a batch count as pairs.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from huaxiang.records import Matrix

FIRST_TEMPERATURE, FIRST_BIAS = 10.0, -10.0
HOTTEST = math.log(200.0)
KS = (1, 10)
_BLOCK = 1024


class Pairs(nn.Module):
    """The loss, with its learnt temperature and bias."""

    def __init__(self) -> None:
        super().__init__()
        self.log_temperature = nn.Parameter(torch.tensor(math.log(FIRST_TEMPERATURE)))
        self.bias = nn.Parameter(torch.tensor(FIRST_BIAS))

    def forward(self, photos_BD: Tensor, texts_BD: Tensor, same_B: Tensor) -> Tensor:
        """Return the mean surprise of a photo at the texts of the batch.

        Parameters
        ----------
        photos_BD, texts_BD
            Of any length; the rows belong together.
        same_B
            A number per text, equal for equal texts.
        """
        with torch.autocast(photos_BD.device.type, enabled=False):  # 16 bits are too few for logits
            return sigmoid_loss(
                functional.normalize(photos_BD, dim=1),
                functional.normalize(texts_BD, dim=1),
                same_B[:, None] == same_B[None],
                temperature=self.log_temperature.clamp(max=HOTTEST).exp(),
                bias=self.bias,
            )


def sigmoid_loss(
    photos_BD: Tensor, texts_BD: Tensor, is_pair_BB: Tensor, *, temperature: Tensor, bias: Tensor
) -> Tensor:
    """Return −1/B Σ log σ(±(t · photo · text + b)), with + for pairs and − for all others.

    Parameters
    ----------
    photos_BD, texts_BD
        Unit rows.
    is_pair_BB
        Whether photo (row) and text (column) belong together.

    Examples
    --------
    >>> one = torch.eye(2)
    >>> loss = sigmoid_loss(one, one, one.bool(), temperature=torch.tensor(0.0), bias=torch.tensor(0.0))
    >>> round(loss.item(), 4) == round(2 * math.log(2), 4)
    True
    """
    logits_BB = temperature * photos_BD @ texts_BD.T + bias
    signs_BB = is_pair_BB.to(logits_BB.dtype) * 2 - 1
    return -functional.logsigmoid(signs_BB * logits_BB).sum() / len(photos_BD)


def one_of_each(same_N: NDArray[np.int64], *, most: int) -> NDArray[np.int64]:
    """Return the first row of each text, at most so many: what is looked for has one right answer.

    Examples
    --------
    >>> one_of_each(np.array([5, 3, 5, 1]), most=9).tolist()
    [0, 1, 3]
    """
    return np.sort(np.unique(same_N, return_index=True)[1])[:most]


def retrieval_figures(photos_ND: Matrix, texts_ND: Matrix) -> dict[str, float]:
    """Return the share of photos whose own text is among the nearest 1 and 10, and the other way round.

    Parameters
    ----------
    photos_ND, texts_ND
        Unit rows that belong together; each text stands there once.
    """
    figures: dict[str, float] = {}
    for name, asked, found in (
        ("photo_to_text", photos_ND, texts_ND),
        ("text_to_photo", texts_ND, photos_ND),
    ):
        places_N = own_places(asked, found)
        for k in KS:
            figures[f"{name}_recall@{k}"] = float((places_N <= k).mean()) if len(places_N) else 0.0
    figures["recall@10"] = (figures["photo_to_text_recall@10"] + figures["text_to_photo_recall@10"]) / 2
    return figures | {"n_found_among": float(len(photos_ND))}


def own_places(asked_ND: Matrix, found_ND: Matrix) -> NDArray[np.int64]:
    """Return the place of each row's own counterpart, from 1; equals stand before it, so ties earn nothing.

    Examples
    --------
    >>> own_places(np.eye(2, dtype="f"), np.array([[1, 0], [1, 0]], "f")).tolist()
    [2, 2]
    """
    places = []
    for start in range(0, len(asked_ND), _BLOCK):
        scores = asked_ND[start : start + _BLOCK] @ found_ND.T
        own = scores[np.arange(len(scores)), np.arange(start, start + len(scores))]
        places.append((scores >= own[:, None]).sum(1))
    return np.concatenate(places) if places else np.zeros(0, np.int64)
