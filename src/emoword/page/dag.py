"""Place the rules of the workflow in layers, for the page to draw.

Reads what ``snakemake --rulegraph dot`` prints; an edge that follows from others is left out.
"""

import re
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

import networkx as nx

WIDTH, HEIGHT = 132, 34
GAP_X, GAP_Y = 22, 30
BEND = 6  # the width that a line takes where it passes a layer
NODE = re.compile(r'^\s*(\d+)\[label = "([^"]*)"', re.MULTILINE)
EDGE = re.compile(r"^\s*(\d+) -> (\d+)\s*$", re.MULTILINE)
HIDDEN = ("all", "config", "rulegraph")  # these make no result


@dataclass(frozen=True)
class Drawing:
    """Where boxes and lines go.

    Attributes:
        width: of all.
        height: of all.
        boxes: name, and x and y of its middle.
        lines: the points of each, from the lower edge of a box to the upper edge of another.
        edges: between which rules.
    """

    width: int
    height: int
    boxes: list[tuple[str, float, float]]
    lines: list[list[tuple[float, float]]]
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
    layer_of = {n: i for i, layer in enumerate(nx.topological_generations(graph)) for n in layer}
    # A line that passes layers gets a place in each, so that it runs beside boxes, not behind them.
    chains = {}
    routed = nx.DiGraph()
    routed.add_nodes_from(graph)
    for start, end in graph.edges:
        passed = range(layer_of[start] + 1, layer_of[end])
        chains[start, end] = [start, *((start, end, i) for i in passed), end]
        nx.add_path(routed, chains[start, end])
    x: dict[Hashable, float] = {}
    layers = list(nx.topological_generations(routed))
    for layer in layers:
        put(layer, routed, x)
    left, right = min(x.values()), max(x.values())
    middle = {
        n: GAP_Y + HEIGHT / 2 + i * (HEIGHT + GAP_Y)
        for i, layer in enumerate(layers)
        for n in layer
    }

    def line(chain: list[Hashable]) -> list[tuple[float, float]]:
        points = [(x[chain[0]], middle[chain[0]] + HEIGHT / 2)]
        for bend in chain[1:-1]:
            points += [(x[bend], middle[bend] - HEIGHT / 2), (x[bend], middle[bend] + HEIGHT / 2)]
        points.append((x[chain[-1]], middle[chain[-1]] - HEIGHT / 2))
        return [(at - left + WIDTH / 2 + GAP_X, down) for at, down in points]

    return Drawing(
        width=round(right - left) + WIDTH + 2 * GAP_X,
        height=len(layers) * (HEIGHT + GAP_Y) + GAP_Y,
        boxes=[(name, x[name] - left + WIDTH / 2 + GAP_X, middle[name]) for name in graph],
        lines=[line(chain) for chain in chains.values()],
        edges=sorted(graph.edges),
    )


def put(layer: Iterable[Hashable], graph: nx.DiGraph, x: dict[Hashable, float]) -> None:
    """Place a layer side by side, each near the middle of what it is made from."""

    def wanted(node: Hashable) -> tuple[float, str]:
        above = [x[other] for other in graph.predecessors(node)]
        return (sum(above) / len(above) if above else 0.0, str(node))

    ordered = sorted(layer, key=wanted)
    widths = [WIDTH if isinstance(node, str) else BEND for node in ordered]
    at = -(sum(widths) + GAP_X * (len(widths) - 1)) / 2
    for node, width in zip(ordered, widths, strict=True):
        x[node] = at + width / 2
        at += width + GAP_X
