"""Place the rules of the workflow in layers, for the page to draw.

Reads what ``snakemake --rulegraph dot`` prints; an edge that follows from others is left out.
"""

import re
from dataclasses import dataclass

import networkx as nx

WIDTH, HEIGHT = 132, 34
GAP_X, GAP_Y = 22, 30
NODE = re.compile(r'^\s*(\d+)\[label = "([^"]*)"', re.MULTILINE)
EDGE = re.compile(r"^\s*(\d+) -> (\d+)\s*$", re.MULTILINE)
HIDDEN = ("all",)


@dataclass(frozen=True)
class Drawing:
    """Where boxes and lines go: x and y of a box are its middle."""

    width: int
    height: int
    boxes: list[tuple[str, float, float]]
    lines: list[tuple[float, float, float, float]]
    edges: list[tuple[str, str]]


def drawing(dot: str) -> Drawing | None:
    """Lay out a rule graph, first rules on top; None if there is nothing to draw or a cycle."""
    names = {number: name for number, name in NODE.findall(dot) if name not in HIDDEN}
    whole = nx.DiGraph()
    whole.add_nodes_from(names.values())
    for start, end in EDGE.findall(dot):
        if start in names and end in names:
            whole.add_edge(names[start], names[end])
    if not whole or not nx.is_directed_acyclic_graph(whole):
        return None
    graph = nx.transitive_reduction(whole)
    layers = [sorted(layer) for layer in nx.topological_generations(graph)]
    place: dict[str, float] = {}
    for layer in layers:
        # beside what it is made from, so that lines cross little
        def wanted(name: str) -> tuple[float, str]:
            before = [place[other] for other in graph.predecessors(name)]
            return (sum(before) / len(before) if before else 0.0, name)

        layer.sort(key=wanted)
        for i, name in enumerate(layer):
            place[name] = i - (len(layer) - 1) / 2
    widest = max(map(len, layers))
    width = widest * (WIDTH + GAP_X) + GAP_X
    height = len(layers) * (HEIGHT + GAP_Y) + GAP_Y
    at = {
        name: (width / 2 + place[name] * (WIDTH + GAP_X), GAP_Y + HEIGHT / 2 + i * (HEIGHT + GAP_Y))
        for i, layer in enumerate(layers)
        for name in layer
    }
    lines = [
        (at[start][0], at[start][1] + HEIGHT / 2, at[end][0], at[end][1] - HEIGHT / 2)
        for start, end in graph.edges
    ]
    boxes = [(name, *where) for name, where in at.items()]
    return Drawing(width, height, boxes, lines, sorted(graph.edges))
