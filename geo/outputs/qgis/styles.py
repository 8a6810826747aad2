"""The QGIS styles of the layers, fitted to the values that are in them, and what the pointer is told of a segment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import jinja2
import pandas as pd
from markupsafe import escape

from geo.outputs.harm import NOBODY, UNHURT, severity_of
from geo.outputs.layers.corrections import SOURCES
from geo.outputs.layers.ground import NAMED_DIFFERS
from geo.outputs.layers.layers import LAYERS
from geo.outputs.names import legends_of, looks_of
from geo.outputs.palette import CERTAINTY, SEQUENCE, SEVERITY, SEVERITY_UNKNOWN, UNKNOWN
from geo.outputs.qgis.classes import ELSE, Band, count_bands, difference_bands, rate_bands, width_expression
from geo.outputs.qgis.forms.writing import with_forms
from geo.outputs.qgis.junctions import COUNTS, junction_maps, worst_bands
from geo.outputs.qgis.layouts.expressions import probability, time
from geo.outputs.qgis.tables import NOT_XML, Style
from geo.outputs.qgis.themes import USERS
from geo.outputs.templates import templates
from geo.outputs.wording import (
    LIKE_NONE,
    LONGEST,
    NO_IMAGERY,
    NOT_KNOWN,
    predictions_only,
    severity_words,
    untyped,
)
from geo.safety.expected.overdispersion import NO_SPREAD
from geo.safety.rates import OUTCOME_NAMES

TYPES, POTENTIAL, MARGIN, SPOTS = "road types", "potential", "margin", "hot spots"
SYSTEMIC = "risk factors"
TILES_FROM = 10_000
"""Scale, 1 to this, from which tiles are outlined, and show their pictures."""
NAMES_FROM = 10_000
"""Scale, 1 to this, from which streets are named."""
RANKS_FROM = 100_000
"""The same of the worst roads with their ranks, which are few."""
_NAMES = f"""left(coalesce("name", "ref"), {LONGEST})"""
_RANKED = f"""CASE WHEN "rank" <= 20 THEN "rank" || '. ' || coalesce({_NAMES}, "road_class", '') END"""
_WINDOW_TIP = """<b>Window [% coalesce('of rank ' || "rank", 'without a rank') %]</b><br>
Score: [% coalesce(format_number("score_per_km", 1), 'not known') %] weighted collisions per km<br>
Collisions: [% coalesce(format_number("n_collisions", 1), 'not known') %], of these KSI:
[% coalesce(format_number("n_ksi", 1), 'not known') %]
[% CASE WHEN "n_severity_unknown" > 0 THEN '(severity not known of ' || format_number("n_severity_unknown", 1) || ')'
ELSE '' END %]"""
_P_WORST = probability("p_worst_5_percent")
_STRETCH_TIP = f"""<b>[% coalesce("name", "ref", "road_class", 'Road') %]</b>
[% coalesce('from ' || "from_street", '') %] [% coalesce('to ' || "to_street", '') %]<br>
[% coalesce('Rank ' || "rank" || ' (' || format_number("rank_low", 0) || ' to ' || format_number("rank_high", 0) || ')',
'No rank') %]; probability of being among the worst 5 %:
[% {_P_WORST} %]<br>
Per km and year: [% coalesce(format_number("per_km_year_eb", 2) || ' shrunk (' || format_number("per_km_year_eb_low", 2)
|| ' to ' || format_number("per_km_year_eb_high", 2) || ')', 'not known') %]<br>
Collisions: [% coalesce("n_collisions", 'not known') %], of these KSI: [% coalesce("n_ksi", 'not known') %];
at junctions that it touches, beside these: [% coalesce("n_collisions_at_junctions", 'not known') %]"""
RATES = {
    "ksi rate (EB)": ("ksi_per_km_year_eb", "KSI per km and year, shrunk"),
    "collision rate (EB)": ("collisions_per_km_year_eb", "Collisions per km and year, shrunk"),
    "collision rate": ("collisions_per_km_year", "Collisions per km and year, not shrunk"),
}
"""Styles of rates: column, and the heading of the legend."""
_TIP_RATES = (
    ("ksi_per_km_year", "KSI per km and year"),
    ("collisions_per_km_year", "Collisions per km and year"),
)


_TIP_RATES_THERE = (("ksi_per_year", "KSI per year"), ("collisions_per_year", "Collisions per year"))


def city_styles(layers: Mapping[str, pd.DataFrame], *, turned: bool = False) -> list[Style]:
    """Make the styles of all layers.

    Parameters
    ----------
    layers
        The frames that are written, by the name of their layer (`geo.outputs.layers.layers`); classes and categories
        are taken from them.
    turned
        Whether tiles are turned so that their road runs upwards.

    Returns
    -------
    One default style a layer, and further ones for the segments: road types (the default), shrunk rates, the
    recorded collision rate, potential for improvement, margin, and hot spots; and for junctions: counts (the default),
    types, shrunk rate, and how surely each is among the worst.
    """
    segments = layers["segments"]
    styles = [
        *_segment_styles(segments, layers["clusters"]),
        *_junction_styles(layers["junctions"], layers["junction_clusters"]),
        *_tile_styles(turned=turned),
        *_collision_styles(layers["collisions"], severity_words(segments)),
        _stretch_style(),
        _window_style(),
        _density_style(layers["lixels"]),
        *([_treatment_style()] if "interventions" in layers else []),
        *(
            _style(name, "columns", "table.qml", "")
            for name, layer in LAYERS.items()
            if layer.geometry is None and name in layers
        ),
    ]
    order = list(LAYERS)
    return with_forms(sorted(styles, key=lambda style: order.index(style.layer)), layers)


def _segment_styles(segments: pd.DataFrame, clusters: pd.DataFrame) -> list[Style]:
    """Draw segments by their type, which is the default, and by each of their other maps."""
    looks, legends = looks_of(clusters), legends_of(clusters)
    tip = segment_tip(segments, {cluster: title for cluster, (title, _) in looks.items()})
    named: dict[str, Any] = {"tip": tip, "names": _NAMES, "names_from": NAMES_FROM}
    types = _style(
        "segments",
        TYPES,
        "types.qml",
        "Types of road by their look.",
        looks=[(cluster, legends[cluster], look) for cluster, (_, look) in sorted(looks.items())],
        unknown=UNKNOWN,
        untyped=untyped(segments),
        width=width_expression(segments["road_class"]),
        **named,
    )
    others = [
        _style(
            "segments", name, "rate.qml", f"{heading}.", default=False, heading=heading, bands=bands, **named
        )
        for name, (heading, bands) in _segment_maps(segments).items()
    ]
    return [types, *others]


def _junction_styles(junctions: pd.DataFrame, clusters: pd.DataFrame) -> list[Style]:
    """Draw junctions by each of their maps, that of counts the default."""
    types = {number: (title, look.colour) for number, (title, look) in looks_of(clusters).items()}
    rates = _junction_rates(junctions)
    return [
        _style(
            "junctions",
            name,
            "junctions.qml",
            f"{heading}.",
            default=name == COUNTS,
            heading=heading,
            bands=bands,
            rates=rates,
            worst=_P_WORST,
            time=time(),
        )
        for name, (heading, bands) in junction_maps(junctions, types).items()
    ]


def _tile_styles(*, turned: bool) -> list[Style]:
    """Outline tiles of roads and of junctions; `turned`: their road runs upwards."""
    return [
        _style(
            tiles,
            "outlines",
            "tiles.qml",
            "Outlines and pictures when near.",
            colour=UNKNOWN,
            scale=TILES_FROM,
            turned=turned,
            of_roads=tiles == "tiles",
        )
        for tiles in ("tiles", "junction_tiles")
    ]


def _collision_styles(collisions: pd.DataFrame, words: Mapping[str, str]) -> list[Style]:
    """Draw collisions by severity: all of them, and those with a road user alone where the records tell of any."""
    unhurt = severity_of(collisions).eq(UNHURT)
    told = {
        name: user
        for name, user in USERS.items()
        if user in collisions and bool(collisions[user].fillna(value=False).astype(bool).any())
    }
    return [
        _style(
            "collisions",
            name,
            "collisions.qml",
            f"By severity{f', with a {user} alone' if user else ''}.",
            default=not user,
            colours=SEVERITY,
            words=words,
            unknown=SEVERITY_UNKNOWN,
            left_out=UNKNOWN,
            unhurt=NOBODY if unhurt.any() else "",
            user=user,
        )
        for name, user in {"severity": "", **told}.items()
    ]


def _segment_maps(segments: pd.DataFrame) -> dict[str, tuple[str, list[Band]]]:
    """Lay out the further maps of segments: heading of the legend, and classes."""
    beside = {f"{what}_per_km_year_eb": f" ({said})" for what, said in predictions_only(segments).items()}
    rates = {
        name: (heading + beside.get(column, ""), rate_bands(segments[column], lengths=segments["length_m"]))
        for name, (column, heading) in RATES.items()
        if column in segments
    }
    others = {POTENTIAL: _potential(segments), MARGIN: _margin(segments), SPOTS: _spots()}
    users = {
        name: (f"Collisions with a {user} (number)", _counted(segments[column]))
        for name, user in USERS.items()
        if (column := f"n_{user}_collisions") in segments and segments[column].notna().any()
    }
    return {**rates, **others, SYSTEMIC: _carriers(), **users}


def _counted(counts: pd.Series) -> list[Band]:
    """Colour segments by a number of collisions."""
    wide = {"0": "0.5", NOT_KNOWN: "0.4"}
    bands = count_bands(counts)
    return [replace(band, size=wide.get(band.label, f"{0.8 + 0.15 * n:.2f}")) for n, band in enumerate(bands)]


def _potential(segments: pd.DataFrame) -> tuple[str, list[Band]]:
    """Colour segments by how much more is expected of them than of roads like them."""
    what, said = "ksi", "KSI"
    if "ksi_per_km_year_potential" not in segments or segments["ksi_per_km_year_potential"].isna().all():
        what, said = "collisions", "collisions"
    column = f"{what}_per_km_year_potential"
    values = segments[column] if column in segments else pd.Series(dtype=float, name=column)
    heading = f"Potential for improvement: {said} per km and year more (+) or fewer than on roads like it"
    if what in predictions_only(segments):
        heading += f" ({NO_SPREAD}: there is next to none to be told)"
    return heading, difference_bands(values)


def _margin(segments: pd.DataFrame) -> tuple[str, list[Band]]:
    """Colour segments by how sure their type is."""
    heading = "How sure the type is (margin; 0: as near to another type, 1: as typical as can be)"
    return heading, rate_bands(segments["cluster_margin"], CERTAINTY)


def _window_style() -> Style:
    inside = '"in_high_injury_network"'
    bands = [
        Band(f"{inside} = true", "In the high-injury network", SEQUENCE[-1], "1.2"),
        Band(f"{inside} IS NULL", NOT_KNOWN, UNKNOWN, "0.4"),
    ]
    heading = "Windows in the high-injury network (collisions per km, weighted by severity)"
    return _style(
        "windows",
        "high-injury network",
        "lines.qml",
        f"{heading}.",
        heading=heading,
        bands=bands,
        tip=_WINDOW_TIP,
        names="",
    )


def _stretch_style() -> Style:
    """Colour stretches of road by how surely they are among the worst."""
    heading, bands = worst_bands("roads", ("1.4", "0.4", "0.4"))
    return _style(
        "stretches",
        "worst roads",
        "lines.qml",
        f"{heading}.",
        heading=heading,
        bands=bands,
        tip=_STRETCH_TIP,
        names=_RANKED,
        names_from=RANKS_FROM,
    )


def _spots() -> tuple[str, list[Band]]:
    """Colour segments whose neighbourhood has more or fewer collisions than chance gives."""
    spot = '"gi_star_spot"'
    bands = [
        Band(f"{spot} = 'hot'", "Hot spot (q of 0.05 or less)", "#B2182B", "1.0"),
        Band(f"{spot} = 'cold'", "Cold spot (q of 0.05 or less)", "#2166AC", "1.0"),
        Band(f"{spot} = 'none'", "Neither", "#BDBDBD", "0.5"),
        Band(ELSE, NOT_KNOWN, UNKNOWN, "0.4"),
    ]
    heading = "Hot and cold spots along the network (Gi* of collisions beyond what is predicted)"
    return heading, bands


def _carriers() -> tuple[str, list[Band]]:
    """Colour segments by the risk factors that they have, those without a record before others."""
    some, record = '"n_risk_factors" > 0', '"focus_recorded"'
    bands = [
        Band(f"{some} AND {record} = false", "A factor, and no such collision yet", "#CC4C02", "1.2"),
        Band(f"{some} AND {record} = true", "A factor, and such collisions", "#8C6D31", "0.7"),
        Band('"n_risk_factors" = 0', "None of the factors", "#BDBDBD", "0.5"),
        Band(ELSE, "Not screened", UNKNOWN, "0.4"),
    ]
    return "Risk factors of the systemic analysis (association, not cause)", bands


def _density_style(lixels: pd.DataFrame) -> Style:
    yearly = lixels["kernel_collisions_per_km_year"].notna().any()
    column = "kernel_collisions_per_km_year" if yearly else "kernel_collisions_per_km"
    heading = "Collisions per km and year, smoothed" if yearly else "Collisions per km, smoothed"
    bands = rate_bands(lixels[column])
    tip = f"""{heading}: [% coalesce(format_number("{column}", 2), 'not known') %]"""
    return _style(
        "lixels", "density", "lines.qml", f"{heading}.", heading=heading, bands=bands, tip=tip, names=""
    )


def _treatment_style() -> Style:
    """Colour treatments by what their index allows to be said, corrected for how many there are."""
    index, sure = '"collisions_index"', '"collisions_q_value" <= 0.05'
    bands = [
        Band(
            f"{sure} AND {index} < 1", "Fewer collisions than expected (q of 0.05 or less)", "#2166AC", "3.4"
        ),
        Band(
            f"{sure} AND {index} > 1", "More collisions than expected (q of 0.05 or less)", "#B2182B", "3.4"
        ),
        Band(f"{index} IS NOT NULL", "No change that chance would not make", "#BDBDBD", "2.6"),
        Band(ELSE, "Not studied", UNKNOWN, "1.6", filled=False),
    ]
    heading = "Treatments: collisions after over those expected without them"
    return _style("interventions", "effect", "treatments.qml", f"{heading}.", heading=heading, bands=bands)


def rgba(colour: str) -> str:
    """Turn ``#RRGGBB`` into the form of QGIS."""
    return ",".join(str(part) for part in (*bytes.fromhex(colour.removeprefix("#")), 255))


@cache
def _environment() -> jinja2.Environment:
    return templates("geo.outputs.qgis", "templates", rgba=rgba)


def _style(
    layer: str, name: str, template: str, description: str, *, default: bool = True, **values: object
) -> Style:
    """Fill a template in."""
    qml = NOT_XML.sub("", _environment().get_template(template).render(layer=LAYERS[layer], **values))
    return Style(layer, name, qml, default=default, description=description)


@dataclass(frozen=True, slots=True)
class TipRate:
    """A rate in a tip: its column, its title, and whether the recorded and the shrunk rate have an interval."""

    name: str
    title: str
    exact: bool
    shrunk: bool


_BY_HAND = "CASE {} ELSE '' END".format(
    " ".join(
        f"""WHEN "cluster_source" = '{source}' THEN ' ({source} by an analyst)'""" for source in SOURCES[1:]
    )
)
"""QGIS expression that says where a type is from that is not as it was found."""


@dataclass(frozen=True, slots=True)
class SegmentTip:
    """What the tip of a segment shows.

    Attributes
    ----------
    types
        QGIS expression that names the segment's type.
    rates
        Rates that are known of any segment, as the tip shows them.
    alike, pictures, factors
        Whether there are look-alikes of segments, pictures of tiles, and segments with a risk factor.
    notes
        What is said of the shrunk rates.
    differs
        Whether it is told what differs on the ground beside the first of the look-alikes.
    """

    types: str
    rates: tuple[TipRate, ...]
    alike: bool
    pictures: bool
    factors: bool = False
    notes: tuple[str, ...] = ()
    differs: bool = False

    @property
    def time(self) -> str:
        """QGIS expression that says how long the records go on."""
        return time()


def segment_tip(segments: pd.DataFrame, titles: Mapping[int, str]) -> SegmentTip:
    """Fit the tip to what is known of the segments.

    Parameters
    ----------
    segments
        The frame of the layer ``segments``.
    titles
        What each cluster is called, by its number.
    """

    def known(column: str) -> bool:
        return column in segments and bool(segments[column].notna().any())

    rates = _tip_rates(segments, _TIP_RATES)
    shown = {rate.name for rate in rates}
    notes = tuple(
        f"Shrunk {OUTCOME_NAMES[what]}: {said}"
        for what, said in predictions_only(segments).items()
        if f"{what}_per_km_year" in shown
    )
    types = type_expression(titles, like_none=untyped(segments) != NO_IMAGERY)
    given = known("cluster_source") and bool(segments["cluster_source"].dropna().ne(SOURCES[0]).any())
    return SegmentTip(
        f"{types} || {_BY_HAND}" if given else types,
        tuple(rates),
        known("looks_like"),
        known("shown_tile"),
        known("n_risk_factors"),
        notes,
        known(NAMED_DIFFERS),
    )


def _tip_rates(places: pd.DataFrame, named: tuple[tuple[str, str], ...]) -> list[TipRate]:
    """Choose the rates that are known of any place, recorded and shrunk."""

    def known(column: str) -> bool:
        return column in places and bool(places[column].notna().any())

    return [
        TipRate(name, said, known(f"{name}_low"), known(f"{name}_eb_low"))
        for name, said in named
        if known(name) and known(f"{name}_eb")
    ]


def _junction_rates(junctions: pd.DataFrame) -> list[TipRate]:
    """Choose the rates that the tip of a junction shows."""
    return _tip_rates(junctions, _TIP_RATES_THERE)


def type_expression(titles: Mapping[int, str], *, like_none: bool = False) -> str:
    """Write the QGIS expression that names a segment's type, fit to stand in the HTML of a tip.

    Parameters
    ----------
    titles
        What each cluster is called, by its number.
    like_none
        Whether there are segments with imagery that are like none of them: they have a type by band statistics alone.
    """
    if not titles:
        return _quoted(NO_IMAGERY)
    cases = " ".join(f'WHEN "cluster" = {n} THEN {_quoted(text)}' for n, text in sorted(titles.items()))
    if like_none:
        cases += f' WHEN "cluster" IS NULL AND "cluster_baseline" IS NOT NULL THEN {_quoted(LIKE_NONE)}'
    return f"""CASE {cases} ELSE coalesce('Type ' || "cluster", {_quoted(NO_IMAGERY)}) END"""


def _quoted(text: str) -> str:
    """Quote a text for a QGIS expression inside ``[% %]`` inside HTML."""
    html = str(escape(text)).replace("%", "&#37;")
    return "'" + html.replace("\\", "\\\\").replace("'", "''") + "'"
