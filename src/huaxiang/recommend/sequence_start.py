"""Where a fit of the sequence network goes on from: weights that were learnt before, item by item."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from huaxiang.recommend.sequence_content import Spaces
from huaxiang.training import Config as TrainingConfig

if TYPE_CHECKING:
    from torch import Tensor

    from huaxiang.recommend.sequence_network import SequenceNetwork

STEP_SHARE = 0.25
"""Of the steps of a fit from nothing, those of one that goes on."""
RATE_SHARE = 0.5
"""Of its learning rate."""
IDS = "ids.weight"


@dataclass(frozen=True, kw_only=True)
class Start:
    """Weights by their names in the network; id vectors have a row for each item of the catalogue.

    Parameters
    ----------
    weights
        Id vectors are zero for items that were in no event.
    spaces
        What content was counted from; it must stay, for the weights to mean what they did.
    """

    weights: Mapping[str, NDArray[Any]]
    spaces: Spaces

    def put_into(self, network: SequenceNetwork, seen: NDArray[np.integer]) -> None:
        """Give a network these weights; items without an id vector keep the one they begin with.

        Parameters
        ----------
        seen
            Row in the catalogue of each item of the network.
        """
        import torch

        own = network.state_dict()
        state: dict[str, Tensor] = {
            name: torch.from_numpy(np.array(values)) for name, values in self.weights.items()
        }
        ids_ID = self.weights[IDS]
        started = own[IDS].cpu().numpy().copy()
        known = seen < len(ids_ID)
        known[known] = ids_ID[seen[known]].any(axis=1)
        started[known] = ids_ID[seen[known]]
        network.load_state_dict({**state, IDS: torch.from_numpy(started)})

    def shortened(self, training: TrainingConfig) -> TrainingConfig:
        """Return how long and how fast to go on learning."""
        return replace(
            training,
            steps=max(1, round(STEP_SHARE * training.steps)),
            min_epochs=1,
            learning_rate=RATE_SHARE * training.learning_rate,
        )

    def fingerprint(self) -> str:
        """Return a text that differs whenever the weights do."""
        digest = hashlib.blake2b(digest_size=16)
        for name in sorted(self.weights):
            digest.update(np.ascontiguousarray(self.weights[name]).tobytes())
        return digest.hexdigest()


def weights_of(network: SequenceNetwork, seen: NDArray[np.integer], n_items: int) -> dict[str, NDArray[Any]]:
    """Return what `Start` takes, from a network that was fitted on the items `seen` of a catalogue."""
    weights = {name: weight.detach().cpu().numpy() for name, weight in network.state_dict().items()}
    ids_ID = np.zeros((n_items, weights[IDS].shape[1]), dtype=np.float32)
    ids_ID[seen] = weights[IDS]
    return {**weights, IDS: ids_ID}
