"""The QGIS styles of the layers, fitted to the values that are in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import jinja2
import numpy as np
import pandas as pd

from geo.outputs.geopackage import Style
from geo.outputs.layers import LAYERS
from geo.outputs.palette import SEQUENCE, SEVERITY, UNKNOWN, look
from geo.outputs.wording import NOT_KNOWN, figure

ELSE = "ELSE"
"""What QGIS takes for 'whatever no other rule drew'."""
TYPES, KSI_RATE, COLLISION_RATE, SPOTS = "road types", "ksi rate (EB)", "collision rate", "hot spots"
TILES_FROM = 10_000
"""Scale, 1 to this, from which tiles are outlined."""
_HEADINGS = {
    KSI_RATE: ("ksi_per_km_year_eb", "KSI per km and year, shrunk"),
    COLLISION_RATE: ("collisions_per_km_year", "Collisions per km and year, not shrunk"),
}


@dataclass(frozen=True, slots=True)
class Band:
    """One class of a graduated style: a QGIS expression, its label, and how it is drawn (size in mm)."""

    filter: str
    label: str
    colour: str
    size: str
    filled: bool = True


def city_styles(layers: Mapping[str, pd.DataFrame]) -> list[Style]:
    """Make the styles of all layers.

    Parameters
    ----------
    layers
        The frames that are written (see `geo.outputs.layers`); classes and categories are taken from them.

    Returns
    -------
    One default style a layer, and further ones for the segments: road types (the default), the shrunk KSI rate,
    the collision rate, and hot spots.
    """
    segments = layers["segments"]
    styles = [_types_style(segments)]
    styles += [_rate_style(name, segments[column], heading) for name, (column, heading) in _HEADINGS.items()]
    styles.append(_junction_style(layers["junctions"]))
    styles.append(
        _style("tiles", "outlines", "tiles.qml", "Outlines when near.", colour=UNKNOWN, scale=TILES_FROM)
    )
    styles.append(
        _style("collisions", "severity", "collisions.qml", "By severity.", colours=SEVERITY, unknown=UNKNOWN)
    )
    styles += [_window_style(), _spot_style(), _density_style(layers["lixels"])]
    styles += [
        _style(name, "columns", "table.qml", "") for name, layer in LAYERS.items() if layer.geometry is None
    ]
    order = list(LAYERS)
    return sorted(styles, key=lambda style: order.index(style.layer))


def _types_style(segments: pd.DataFrame) -> Style:
    clusters = sorted(int(cluster) for cluster in segments["cluster"].dropna().unique())
    looks = [(cluster, look(cluster)) for cluster in clusters]
    return _style(
        "segments", TYPES, "types.qml", "Types of road by their look.", looks=looks, unknown=UNKNOWN
    )


def _rate_style(name: str, rates: pd.Series, heading: str) -> Style:
    return _style(
        "segments",
        name,
        "rate.qml",
        f"{heading}; quantile classes.",
        default=False,
        heading=heading,
        bands=rate_bands(rates),
    )


def _junction_style(junctions: pd.DataFrame) -> Style:
    known = junctions["n_ksi"].notna().any()
    column, heading = ("n_ksi", "KSI collisions") if known else ("n_collisions", "Collisions")
    return _style(
        "junctions",
        "counts",
        "junctions.qml",
        f"{heading}.",
        heading=heading,
        bands=count_bands(junctions[column]),
    )


def _window_style() -> Style:
    inside = '"in_high_injury_network"'
    bands = [
        Band(f"{inside} = true", "In the high-injury network", SEQUENCE[-1], "1.2"),
        Band(f"{inside} IS NULL", NOT_KNOWN, UNKNOWN, "0.4"),
    ]
    heading = "Windows in the high-injury network (collisions per km, weighted by severity)"
    return _style("windows", "high-injury network", "lines.qml", f"{heading}.", heading=heading, bands=bands)


def _spot_style() -> Style:
    spot = '"gi_star_spot"'
    bands = [
        Band(f"{spot} = 'hot'", "Hot spot (q of 0.05 or less)", "#B2182B", "1.0"),
        Band(f"{spot} = 'cold'", "Cold spot (q of 0.05 or less)", "#2166AC", "1.0"),
        Band(f"{spot} = 'none'", "Neither", "#BDBDBD", "0.5"),
        Band(ELSE, NOT_KNOWN, UNKNOWN, "0.4"),
    ]
    heading = "Hot and cold spots along the network (Gi* of shrunk rates)"
    return _style("segments", SPOTS, "rate.qml", f"{heading}.", default=False, heading=heading, bands=bands)


def _density_style(lixels: pd.DataFrame) -> Style:
    yearly = lixels["kernel_collisions_per_km_year"].notna().any()
    column = "kernel_collisions_per_km_year" if yearly else "kernel_collisions_per_km"
    heading = "Collisions per km and year, smoothed" if yearly else "Collisions per km, smoothed"
    bands = rate_bands(lixels[column])
    return _style("lixels", "density", "lines.qml", f"{heading}.", heading=heading, bands=bands)


def rate_bands(rates: pd.Series) -> list[Band]:
    """Cut rates into classes of about equally many segments each.

    Parameters
    ----------
    rates
        Named by its column; null where not known.

    Returns
    -------
    A class for exactly 0 where there are any, up to five quantile classes of the rest (fewer where quantiles
    coincide), and one for what is not known.
    """
    column = f'"{rates.name}"'
    values = rates.dropna().to_numpy(dtype=np.float64)
    positive = values[values > 0]
    bands = [Band(f"{column} = 0", "0", "#BDBDBD", "0.5")] if (values == 0).any() else []
    if len(positive):
        # quantiles that occur, so that no class is empty
        inner = np.quantile(positive, np.linspace(0, 1, len(SEQUENCE) + 1)[1:-1], method="inverted_cdf")
        tops = np.unique(np.append(inner, positive.max()))
        bottoms = np.concatenate([[0.0], tops[:-1]])
        colours = SEQUENCE[-len(tops) :]
        for low, top, colour in zip(bottoms.tolist(), tops.tolist(), colours, strict=True):
            least = positive[positive > low].min()
            label = figure(top) if least == top else f"{figure(least)} to {figure(top)}"
            bands.append(Band(f"{column} > {low!r} AND {column} <= {top!r}", label, colour, "0.9"))
    return [*bands, Band(ELSE, NOT_KNOWN, UNKNOWN, "0.4")]


def count_bands(counts: pd.Series) -> list[Band]:
    """Cut counts into classes that double: 0, 1, 2 to 3, 4 to 7, 8 to 15, 16 or more.

    Parameters
    ----------
    counts
        Named by its column; null where not known.

    Returns
    -------
    The classes up to the greatest count, and one for what is not known.
    """
    column = f'"{counts.name}"'
    greatest = int(counts.max()) if counts.notna().any() else 0
    bands = [Band(f"{column} = 0", "0", UNKNOWN, "1.2", filled=False)]
    for step, colour in enumerate(SEQUENCE):
        low, top = 2**step, 2 ** (step + 1) - 1
        if low > greatest:
            break
        size = f"{1.8 + 0.9 * step:.1f}"
        if step == len(SEQUENCE) - 1:
            bands.append(Band(f"{column} >= {low}", f"{low} or more", colour, size))
        else:
            label = "1" if step == 0 else f"{low} to {top}"
            bands.append(Band(f"{column} >= {low} AND {column} <= {top}", label, colour, size))
    return [*bands, Band(ELSE, NOT_KNOWN, UNKNOWN, "0.8", filled=False)]


def _rgba(colour: str) -> str:
    """Turn ``#RRGGBB`` into the form of QGIS."""
    return ",".join(str(part) for part in (*bytes.fromhex(colour.removeprefix("#")), 255))


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("geo.outputs", "styles"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["rgba"] = _rgba
    return environment


def _style(
    layer: str, name: str, template: str, description: str, *, default: bool = True, **values: object
) -> Style:
    """Fill a template in."""
    qml = _environment().get_template(template).render(layer=LAYERS[layer], **values)
    return Style(layer, name, qml, default=default, description=description)
