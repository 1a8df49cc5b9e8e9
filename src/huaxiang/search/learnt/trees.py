"""Trees that LightGBM grew, as an ONNX graph: whoever serves needs neither LightGBM nor a pickle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from huaxiang.encoders.text import onnx_session
from huaxiang.errors import ArtefactError
from huaxiang.training import require

LEAF, AT_MOST = "LEAF", "BRANCH_LEQ"
_INPUT, _OUTPUT = "features", "score"
_DOMAIN = "ai.onnx.ml"


class Trees:
    """Rows of features to scores by ONNX Runtime."""

    def __init__(self, file: Path) -> None:
        if not file.is_file():
            remedy = "make the model again with huaxiang finetune search"
            raise ArtefactError("no trees", file=str(file), remedy=remedy)
        self._session = onnx_session(file, threads=1)

    def scores(self, features_CF: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the score of each row, (C,)."""
        if not len(features_CF):
            return np.zeros(0, np.float32)
        found = self._session.run([_OUTPUT], {_INPUT: np.ascontiguousarray(features_CF, np.float32)})[0]
        return np.asarray(found, np.float32).ravel()


def write_trees(boosters: Sequence[Any], n_features: int, file: Path) -> None:
    """Write the mean of LightGBM models.

    Raises
    ------
    MissingExtraError
        onnx is not installed.
    """
    require("onnx")
    from onnx import TensorProto, checker, helper, save

    nodes: dict[str, list[Any]] = {name: [] for name in _NODES}
    leaves: dict[str, list[Any]] = {name: [] for name in _LEAVES}
    grown = [tree["tree_structure"] for one in boosters for tree in one.dump_model()["tree_info"]]
    for number, tree in enumerate(grown):
        for node in _flat(tree):
            _add(nodes, leaves, number, node, share=1 / len(boosters))
    attributes: dict[str, Any] = {f"nodes_{name}": values for name, values in nodes.items()}
    attributes |= {f"target_{name}": values for name, values in leaves.items()}
    graph = helper.make_graph(
        [
            helper.make_node(
                "TreeEnsembleRegressor",
                [_INPUT],
                [_OUTPUT],
                domain=_DOMAIN,
                n_targets=1,
                aggregate_function="SUM",
                **attributes,
            )
        ],
        "trees",
        [helper.make_tensor_value_info(_INPUT, TensorProto.FLOAT, [None, n_features])],
        [helper.make_tensor_value_info(_OUTPUT, TensorProto.FLOAT, [None, 1])],
    )
    versions = [helper.make_opsetid("", 17), helper.make_opsetid(_DOMAIN, 3)]
    model = helper.make_model(graph, opset_imports=versions, ir_version=9)
    checker.check_model(model)
    save(model, str(file))


_NODES = ("treeids", "nodeids", "featureids", "values", "modes", "truenodeids", "falsenodeids")
_LEAVES = ("treeids", "nodeids", "ids", "weights")


def _add(
    nodes: Mapping[str, list[Any]],
    leaves: Mapping[str, list[Any]],
    tree: int,
    node: Mapping[str, Any],
    *,
    share: float,
) -> None:
    is_leaf = "leaf_value" in node
    said = {
        "treeids": tree,
        "nodeids": node["number"],
        "featureids": 0 if is_leaf else node["split_feature"],
        "values": 0.0 if is_leaf else _at_most(node["threshold"]),
        "modes": LEAF if is_leaf else AT_MOST,
        "truenodeids": 0 if is_leaf else node["left"],
        "falsenodeids": 0 if is_leaf else node["right"],
    }
    for name, value in said.items():
        nodes[name].append(value)
    if is_leaf:
        for name, value in zip(_LEAVES, (tree, node["number"], 0, share * node["leaf_value"]), strict=True):
            leaves[name].append(value)


def _flat(tree: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the nodes of a tree with their numbers, the root first."""
    waiting, n_nodes = [(0, tree)], 1
    while waiting:
        number, node = waiting.pop()
        found = {**node, "number": number}
        if "leaf_value" not in node:
            found |= {"left": n_nodes, "right": n_nodes + 1}
            waiting += [(n_nodes, node["left_child"]), (n_nodes + 1, node["right_child"])]
            n_nodes += 2
        yield found


def _at_most(threshold: float) -> float:
    """Return the largest float32 that is not above a threshold, so that float32 numbers part as they did.

    Examples
    --------
    >>> _at_most(0.1) <= 0.1, _at_most(0.5)
    (True, 0.5)
    """
    near = np.float32(threshold)
    return float(near if float(near) <= threshold else np.nextafter(near, np.float32(-np.inf)))
