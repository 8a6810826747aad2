"""The section ``roads``: which lines are the roads, and which of their columns hold class, name, number and id."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyproj

from geo.errors import ConfigurationError
from geo.roads.columns import column_of
from geo.roads.reading.cells import as_text, is_structure, paths_in
from geo.roads.reading.classes import NOT_DRIVABLE, has_osm_values
from geo.roads.reading.crs import check_scale, metric_crs, utm_zone
from geo.roads.reading.paths import is_openstreetmap
from geo.starting.guess import Guess, Option, best_first, counted, listed
from geo.starting.imagery import beside
from geo.starting.layers import Layer
from geo.starting.places import box_of, named, share_within, some_points, told_crs
from geo.starting.rasters import Box, Raster

CLASSES = (
    *("highway", "fclass", "road_classification", "road_class", "class", "func_class", "functional_class"),
    *("functional_classification", "f_class", "frc", "mtfcc", "road_type", "roadtype", "road_category"),
    *("category", "classification", "hierarchy", "nature", "importance", "road_function", "strassenklasse"),
)
"""What columns with classes of roads are called in published networks, the surest first: OpenStreetMap and Geofabrik,
OS Open Roads, Overture, state and municipal centrelines, TIGER, BD TOPO."""
NAMES = (
    *("name", "names.primary", "names", "name_1", "fullname", "full_name", "full_street_name", "street"),
    *("street_name", "streetname", "label", "road_name", "roadname", "rd_name", "st_name", "stname"),
    *("strassenname", "nom_1_gauche", "nom_collaboratif_gauche", "nom_voie", "navn", "namn", "nimi"),
)
NUMBERS = (
    "ref",
    "road_classification_number",
    "road_number",
    "roadnumber",
    "route_number",
    "route",
    "numero",
)
IDS = (
    "osm_id",
    "osmid",
    "id",
    "gid",
    "identifier",
    "globalid",
    "linearid",
    "toid",
    "cleabs",
    "link_id",
    "objectid",
)
_ROADS = re.compile(
    r"road|street|centre?.?line|highway|stra(?:ss|ß)e|rue|route|vial|calle|link|edge|lines|segment|network|netz|tiger",
    re.IGNORECASE,
)
_NO_ROADS = re.compile(
    r"river|rail|water|bound|contour|building|pipe|sewer|power|tram|bus_?route|cycle_?route|footpath|coast|border",
    re.IGNORECASE,
)
_APART = 0.5
"""Sheets of one network have fewer than this share of their lines where others are."""
_LEAST, _MOST_CLASSES = 0.5, 60
_SEPARATORS = re.compile(r"[\W_]+")


def guess_source(layers: Sequence[Layer], boxes: Sequence[Box], base: Path) -> Guess:
    """Guess ``roads.source``.

    Parameters
    ----------
    layers
        Layers of lines.
    boxes
        Edges of the rasters, in degrees; none where there are none.
    base
        Folder that the paths of the city's file start at.
    """
    if not layers:
        return Guess(
            "roads.source",
            "roads.gpkg",
            ("No layer of lines was found: this is an example.",),
            doubt="Which file holds the roads?",
            example=True,
        )
    by_file: dict[str, list[Layer]] = {}
    for layer in layers:
        by_file.setdefault(layer.source, []).append(layer)
    scored = [
        (max(score(layer, boxes) for layer in those), Option(beside(source, base), tell(those, boxes)))
        for source, those in by_file.items()
    ]
    doubt = f"Which of {len(scored)} files holds the roads?" if len(scored) > 1 else ""
    options = best_first([*scored, *_together(layers, boxes, base)])
    if not doubt and max(mark for mark, _ in scored) == 0:
        doubt = "Are these the roads? Nothing but lines tells so."
    best = options[0]
    return Guess("roads.source", best.value, (f"{best.says}.",), doubt, tuple(options[1:]))


def _together(layers: Sequence[Layer], boxes: Sequence[Box], base: Path) -> list[tuple[float, Option]]:
    """Offer files with the same columns together, as sheets of one network are; first where they hardly overlap."""
    alike: dict[str, list[Layer]] = {}
    for layer in layers:
        alike.setdefault("\n".join(sorted(_columns(layer.sample))), []).append(layer)
    found = []
    for those in alike.values():
        sources = sorted({layer.source for layer in those})
        if not 1 < len(sources) == len(those):
            continue
        edges = [box_of(layer.sample) for layer in those]
        within = [
            share_within(
                some_points(layer.sample), [box for at, box in enumerate(edges) if at != own and box]
            )
            for own, layer in enumerate(those)
        ]
        mark = sum(score(layer, boxes) for layer in those) if max(within) < _APART else 0.0
        says = f"all {len(sources)} files with these columns together"
        found.append((mark, Option([beside(source, base) for source in sources], says)))
    return found


def guess_layer(layers: Sequence[Layer], boxes: Sequence[Box]) -> Guess | None:
    """Guess which of several layers of a file holds the roads; None where it has only one of lines."""
    if len(layers) < 2:
        return None
    scored = [(score(layer, boxes), Option(layer.name, tell([layer], boxes))) for layer in layers]
    options = best_first(scored)
    return Guess(
        "roads.layer",
        options[0].value,
        (f"{options[0].says}.",),
        f"Which of {len(layers)} layers holds the roads?",
        tuple(options[1:]),
    )


def score(layer: Layer, boxes: Sequence[Box]) -> float:
    """Say how much speaks for a layer: how many of its lines the imagery shows, whether they look like roads."""
    number = float(len(layer.sample) if layer.count < 0 else layer.count)
    if boxes:
        number *= share_within(some_points(layer.sample), boxes) or 0.001
    title = f"{Path(layer.source).stem} {layer.name or ''}"
    if _NO_ROADS.search(title) and class_column(layer.sample) is None:
        number *= 0.01
    elif not _ROADS.search(title) and class_column(layer.sample) is None:
        number *= 0.1
    return number * (2.0 if class_column(layer.sample) is not None else 1.0)


def lies_within(layer: Layer, boxes: Sequence[Box]) -> bool:
    """Tell whether any of some lines of a layer lies in the imagery."""
    return share_within(some_points(layer.sample), boxes) > 0


def tell(layers: Sequence[Layer], boxes: Sequence[Box]) -> str:
    """Describe the layers of a file in a sentence."""
    parts = []
    for layer in layers:
        count = counted(layer.count, "line") if layer.count >= 0 else f"{len(layer.sample):,} lines or more"
        where = told_crs(None if layer.sample.crs is None else pyproj.CRS(layer.sample.crs))
        part = f"{layer.title}: {count} ({where})"
        if boxes:
            part += f", {share_within(some_points(layer.sample), boxes):.0%} of them in the imagery"
        parts.append(part)
    return "; ".join(parts)


def class_column(rows: gpd.GeoDataFrame) -> str | None:
    """Find the column with classes that are known: of OpenStreetMap's values, or called as classes are."""
    for column in _columns(rows):
        if not _is_text(rows[column]):
            continue
        if has_osm_values(_plain(rows[column])):
            return column
    return next((column for column in _called(rows, CLASSES) if _has_classes(rows, column)), None)


def guess_columns(rows: gpd.GeoDataFrame, *, extract: bool) -> list[Guess]:
    """Guess the columns of the roads that the city's file names.

    Parameters
    ----------
    rows
        Some of the roads.
    extract
        Whether they are an extract of OpenStreetMap, which has an id of its own.
    """
    guesses = [_class(rows), _name(rows)]
    number = next(iter(_called(rows, NUMBERS)), None)
    if number is not None and number != "ref":
        guesses.append(Guess("roads.ref_field", number, (f"Such as {_shown(rows, number)}.",)))
    id_ = None if extract else next((c for c in _called(rows, IDS) if _is_id(rows, c)), None)
    if id_ is not None:
        guesses.append(Guess("roads.id_field", id_, ("It differs in every row that was looked at.",)))
    return guesses


def _class(rows: gpd.GeoDataFrame) -> Guess:
    """Guess ``roads.class_field``."""
    column = class_column(rows)
    if column is None:
        few = [c for c in _columns(rows) if _has_classes(rows, c) and _is_text_or_code(rows[c])]
        options = tuple(Option(c, _classes(rows, c)) for c in few)
        none = ("No column has a name or values that classes of roads are known to have.",)
        doubt = "Which column tells the class of a road? null: none." if few else ""
        return Guess("roads.class_field", None, none, doubt, options)
    why = [f"{_classes(rows, column)}."]
    if has_osm_values(_plain(rows[column])):
        left = sorted(set(_plain(rows[column]).dropna().str.casefold()) & NOT_DRIVABLE)
        why.append(
            "They are read as OpenStreetMap's: roads for motor traffic are kept (roads.keep, roads.drop)."
        )
        if left:
            why.append(f"Left out by that: {listed(left)}.")
    others = [c for c in _called(rows, CLASSES) if c != column and _has_classes(rows, c)]
    return Guess(
        "roads.class_field", column, tuple(why), options=tuple(Option(c, _classes(rows, c)) for c in others)
    )


def _name(rows: gpd.GeoDataFrame) -> Guess:
    """Guess ``roads.name_field``: of the columns that names are in, the one with most that hold several words."""
    found = [path for column in _called(rows, NAMES) if (path := _to_text(rows, column)) is not None]
    if not found:
        why = ("No column is called as names of roads are: records are not told apart by them.",)
        return Guess("roads.name_field", None, why)
    best = max(found, key=lambda column: (round(_words(rows, column), 1), -found.index(column)))
    others = tuple(Option(c, f"such as {_shown(rows, c)}") for c in found if c != best)
    return Guess("roads.name_field", best, (f"Such as {_shown(rows, best)}.",), options=others)


def guess_crs(rows: gpd.GeoDataFrame, group: Sequence[Raster]) -> Guess:
    """Guess the city's CRS: that of the imagery or of the roads where it measures metres here, else the UTM zone.

    Parameters
    ----------
    rows
        Some of the roads.
    group
        The rasters.
    """
    tried = [(raster.crs, "that of the imagery") for raster in group[:1] if raster.crs is not None] + [
        (None if rows.crs is None else pyproj.CRS(rows.crs), "that of the roads")
    ]
    for crs, says in tried:
        name = None if crs is None else named(crs)
        if name is not None and rows.crs is not None and _measures(rows, name):
            assert crs is not None
            return Guess("crs", name, (f"{crs.name}: {says}, projected in metres.",))
    zone = utm_zone(rows[rows.geometry.notna()], None, "")
    why = f"Neither imagery nor roads have one with a number that counts metres here: it is the roads' {zone.name}."
    return Guess("crs", named(zone), (why,), left_out=True)


def _measures(rows: gpd.GeoDataFrame, name: str) -> bool:
    """Tell whether roads are as long in a CRS as on the ground."""
    try:
        crs = metric_crs(name)
        check_scale(rows[rows.geometry.notna()].to_crs(crs), crs)
    except (ConfigurationError, pyproj.exceptions.ProjError):
        return False
    return True


def crs_missing(
    rows: gpd.GeoDataFrame, boxes: Sequence[Box], candidates: Sequence[pyproj.CRS]
) -> Guess | None:
    """Guess ``roads.crs`` of roads that state none: the one that brings them into the imagery; None where they do."""
    if rows.crs is not None:
        return None
    options = []
    for crs in candidates:
        name = named(crs)
        share = share_within(some_points(rows.set_crs(crs)), boxes)
        if name is not None and share > 0:
            options.append((share, Option(name, f"{crs.name} brings {share:.0%} of them into the imagery")))
    doubt = "Which CRS are the roads in? Their file states none."
    ordered = best_first(options)
    if not ordered:
        why = ("An example: no CRS that was tried brings them to the imagery.",)
        return Guess("roads.crs", "EPSG:4326", why, doubt, left_out=True)
    return Guess("roads.crs", ordered[0].value, (f"{ordered[0].says}.",), doubt, tuple(ordered[1:]))


def is_of_openstreetmap(layer: Layer) -> bool:
    """Tell roads of OpenStreetMap, whose licence asks for its name."""
    column = class_column(layer.sample)
    known = {_spelled(c) for c in layer.sample.columns}
    return is_openstreetmap(layer.source) or (
        column is not None
        and _spelled(column) in {"highway", "fclass"}
        and has_osm_values(_plain(layer.sample[column]))
        and bool(known & {"osmid", "osm_id", "other_tags", "highway"})
    )


def names_of(rows: gpd.GeoDataFrame, column: object) -> pd.Series:
    """Give the names of roads as text, each once."""
    values = column_of(rows, column) if isinstance(column, str) else None
    return pd.Series(dtype="string") if values is None else _plain(values).dropna().drop_duplicates()


def _columns(rows: gpd.GeoDataFrame) -> list[str]:
    return [str(column) for column in rows.columns if column != rows.geometry.name]


def _spelled(name: str) -> str:
    return _SEPARATORS.sub("_", name.casefold()).strip("_")


def _called(rows: gpd.GeoDataFrame, names: Sequence[str]) -> list[str]:
    """List columns that are called as some names, in the order of these."""
    own = {_spelled(column): column for column in reversed(_columns(rows))}
    found = (own.get(_spelled(name)) for name in names)
    return list(dict.fromkeys(column for column in found if column is not None))


def _plain(values: pd.Series) -> pd.Series:
    """Give cells as text; null where there is none."""
    text = values.map(as_text, na_action="ignore") if values.dtype == object else values
    plain = text.astype("string").str.strip()
    return plain.mask(plain == "")


def _is_text(values: pd.Series) -> bool:
    return not (pd.api.types.is_numeric_dtype(values) or pd.api.types.is_datetime64_any_dtype(values))


def _is_text_or_code(values: pd.Series) -> bool:
    return _is_text(values) or bool((values.dropna() % 1 == 0).all())


def _has_classes(rows: gpd.GeoDataFrame, column: str) -> bool:
    """Tell whether a column holds a few values in most rows."""
    values = rows[column]
    if pd.api.types.is_datetime64_any_dtype(values) or any(map(is_structure, values.dropna().head(50))):
        return False
    plain = _plain(values)
    return plain.notna().mean() >= _LEAST and 1 < plain.nunique() <= min(_MOST_CLASSES, max(2, len(rows) / 3))


def _classes(rows: gpd.GeoDataFrame, column: str) -> str:
    """Say how many rows each class has."""
    counts = _plain(rows[column]).value_counts()
    return f"{column} holds " + listed([f"{value} {count:,}" for value, count in counts.items()], most=10)


def _to_text(rows: gpd.GeoDataFrame, column: str) -> str | None:
    """Give a column of text, or the path to the text in one of structures; None where it holds none."""
    values = rows[column]
    if values.map(is_structure).any():
        paths = paths_in(values, column)
        return next((path for path in paths if path.endswith(".primary")), None)
    if not _is_text(values) or _plain(values).isna().all():
        return None
    return column


def _words(rows: gpd.GeoDataFrame, column: str) -> float:
    """Give the share of names that are of several words: with the kind of street, that is."""
    names = names_of(rows, column)
    return float(names.str.contains(r"\s", regex=True).mean()) if len(names) else 0.0


def _shown(rows: gpd.GeoDataFrame, column: str) -> str:
    """Show some values of a column."""
    return listed([repr(str(value)) for value in names_of(rows, column).head(3)], most=3)


def _is_id(rows: gpd.GeoDataFrame, column: str) -> bool:
    values = rows[column]
    return bool(values.notna().all() and _plain(values).is_unique)
