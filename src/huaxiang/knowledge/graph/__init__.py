"""The product graph: a catalogue's values, families and taxonomy, and what is bought together, as edges.

`tree` has the families of categories and the way up; `taxonomy` and `mapping` the public product taxonomy
and each item's place in it; `together` counts what is bought together; `vectors` makes one more view of an
item for fusion; `graph` joins all of it and answers what completes, what replaces, and why; `stored` keeps
what was counted with the run.
"""

from huaxiang.knowledge.graph.edges import Edge, Node
from huaxiang.knowledge.graph.graph import Config, Graph, Relation
from huaxiang.knowledge.graph.together import Together, count_together
from huaxiang.knowledge.graph.tree import Tree, tree_of
from huaxiang.knowledge.graph.vectors import GraphView, learn_view

__all__ = [
    "Config",
    "Edge",
    "Graph",
    "GraphView",
    "Node",
    "Relation",
    "Together",
    "Tree",
    "count_together",
    "learn_view",
    "tree_of",
]
