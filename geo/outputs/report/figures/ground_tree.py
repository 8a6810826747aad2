"""How classes of ground come together, as a drawing of a tree; the template draws it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from geo.outputs.report.figures.charts import fitted_text

WIDTH, LEFT, RIGHT = 320.0, 6.0, 150.0
"""Of the drawing, and free at its sides: the right side holds names."""
STEP, TOP = 13.0, 8.0
"""Height of a leaf, and what is free above the first (units of the drawing)."""
LABEL, LABEL_AT, LETTERS = 14.0, 190.0, 12.0
"""Height of a line of names beside the tree, where they begin, and the size of their letters."""
OF_SEVERAL = "#1b1b1b"


@dataclass(frozen=True, slots=True)
class Branch:
    """A line of the tree: its path and colour."""

    path: str
    colour: str


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree of groups, the root on the left.

    Attributes
    ----------
    labels
        Where the name of each class stands, the name, and its colour.
    said
        What it shows, in words.
    """

    width: float
    height: float
    branches: list[Branch]
    labels: list[tuple[float, str, str]]
    said: str


def draw_tree(tree: pd.DataFrame | None, titles: Mapping[int, str], classes: pd.DataFrame) -> Tree | None:
    """Draw a tree.

    Parameters
    ----------
    tree
        The layer ``ground_tree``: ``node, parent, height, class``.
    titles
        What each class is called, by its number.
    classes
        The layer ``ground_classes``: ``class, colour``.

    Returns
    -------
    None where there is no tree, or it has no fork.
    """
    if tree is None or len(tree) < 2:
        return None
    colours = {int(n): str(c) for n, c in zip(classes["class"], classes["colour"], strict=True)}
    below: dict[int, list[int]] = {}
    parts = tree.dropna(subset="parent")
    for node, parent in zip(parts["node"], parts["parent"], strict=True):
        below.setdefault(int(parent), []).append(int(node))
    rows = _rows(tree.loc[tree["parent"].isna(), "node"].astype(int).tolist(), below)
    most = float(tree["height"].max()) or 1.0
    across = {
        int(node): round(LEFT + (WIDTH - LEFT - RIGHT) * (1 - float(height) / most), 1)
        for node, height in zip(tree["node"], tree["height"], strict=True)
    }
    of = {
        int(node): None if pd.isna(one) else int(one)
        for node, one in zip(tree["node"], tree["class"], strict=True)
    }
    branches = [
        Branch(
            f"M{across[node]} {rows[child]} H{across[child]} M{across[node]} {rows[node]} V{rows[child]}",
            colours.get(one, OF_SEVERAL) if (one := of[node]) is not None else OF_SEVERAL,
        )
        for node, children in below.items()
        for child in children
    ]
    leaves: dict[int, list[float]] = {}
    for node, one in of.items():
        if one is not None and node not in below:
            leaves.setdefault(one, []).append(rows[node])
    room = WIDTH - LABEL_AT
    named = sorted((sum(at) / len(at) + 4, one) for one, at in leaves.items() if one in colours)
    labels = [
        (place, fitted_text(titles.get(one, f"class {one}"), room, LETTERS), colours[one])
        for place, (_, one) in zip(_apart([at for at, _ in named]), named, strict=True)
    ]
    count = sum(node not in below for node in of)
    said = f"{count} groups of ground come together in {len(labels)} classes: " + ", ".join(
        titles.get(one, f"class {one}") for one in sorted(leaves)
    )
    height = max(2 * TOP + STEP * (count - 1), *(place + TOP for place, _, _ in labels), 0)
    return Tree(WIDTH, round(height, 1), branches, labels, said)


def _apart(places: Sequence[float]) -> list[float]:
    """Move names down so far that none lies on the one above it; places are in order."""
    found: list[float] = []
    for place in places:
        found.append(round(max(place, LETTERS, found[-1] + LABEL) if found else max(place, LETTERS), 1))
    return found


def _rows(roots: Sequence[int], below: Mapping[int, list[int]]) -> dict[int, float]:
    """Give each node its height in the drawing: leaves one below the other, others in the middle of their parts."""
    rows: dict[int, float] = {}
    # parts come before the whole: each node is seen twice, and placed the second time
    left = [(node, False) for node in reversed(roots)]
    leaves = 0
    while left:
        node, seen = left.pop()
        children = below.get(node, [])
        if not children:
            rows[node] = TOP + STEP * leaves
            leaves += 1
        elif seen:
            rows[node] = round(sum(rows[child] for child in children) / len(children), 1)
        else:
            left.append((node, True))
            left += [(child, False) for child in sorted(children, reverse=True)]
    return rows
