"""The report page: one HTML file that says what was found, how sure it is, and what does not follow from it."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
from markupsafe import Markup

from geo.outputs.backdrop import Backdrop
from geo.outputs.layers.ground_words import titles_of
from geo.outputs.names import looks_of
from geo.outputs.palette import Look
from geo.outputs.report.figures.charts import dash_of
from geo.outputs.report.figures.choice_chart import by_hand, choice_chart, merging_rows, sureness
from geo.outputs.report.figures.cure_chart import cure_charts, model_rows
from geo.outputs.report.figures.still_map import still_map
from geo.outputs.report.map.alike import Shown
from geo.outputs.report.map.data import Layers
from geo.outputs.report.map.part import map_part
from geo.outputs.report.parts.cards import Card, cards, shots_of
from geo.outputs.report.parts.glossary import WORDS, explained
from geo.outputs.report.parts.ground import GroundPart, GroundTold, ground_part
from geo.outputs.report.parts.junctions import JunctionPart, junction_part, shown_junctions
from geo.outputs.report.parts.otherwise import otherwise
from geo.outputs.report.parts.pictures import PagePictures, page_pictures
from geo.outputs.report.parts.short import Found, in_short
from geo.outputs.report.parts.systemic import systemic
from geo.outputs.report.parts.tables import effects_rows, measures, places_rows, settings_rows, tests_rows
from geo.outputs.report.parts.worst import WorstRoads, worst_roads
from geo.outputs.templates import templates
from geo.outputs.wording import (
    DAYS_BELOW,
    NO_IMAGERY,
    figure,
    interval,
    number,
    severity_words,
    shorten,
    time_words,
    untyped,
)
from geo.safety.rates import OUTCOME_NAMES, Outcome

LONGEST_REASON = 300
TESTS_SHOWN = 20
"""Comparisons that are seen at once; the others are folded away."""
KINDS = {
    "prototype": ("Prototypes", "the roads most typical of this type"),
    "edge": ("Edge cases", "roads that could almost as well be of another type"),
    "random": ("Random draw", "roads of this type drawn by lot"),
}


@dataclass(frozen=True, kw_only=True)
class ReportData:
    """What the report tells.

    Attributes
    ----------
    city
        Name of the city, as in its file.
    config, run
        The configuration as plain values; the ``run`` layer as a mapping.
    clusters, segments, ledger
        The layers of the GeoPackage.
    choice, prototypes
        Tables of the clustering: ``k, silhouette, stability, chosen``; ``cluster, kind, rank, segment_id, tile_id``.
    quality
        ``encoder`` and ``baseline``, each with ``effective_rank``, ``spread``, ``silhouette`` and ``warnings``, and
        ``agreement_with_baseline``.
    thumbnails
        JPEG of each shown tile, by ``tile_id``: those of `prototypes`, and what else the map shows of segments.
    on_sheets, sheet_pictures
        ``segment_id, tile_id`` of the tiles on the contact sheets of types, and their JPEG by ``tile_id``; None: there
        are no sheets.
    licences
        Source and licence of the imagery, the roads and the records.
    ratio_of
        Which collisions the clusters' rate ratios compare: KSI, or all.
    period
        First and last day of the collision records.
    methods
        How the numbers were made, by what they are: ``{"Rate ratio": "..."}``.
    places, junction_types, tests, collisions, look_alikes, tiles
        The layers of the GeoPackage; None: not shown.
    interventions
        The layer ``interventions_by_kind``; None: the city names no treatments.
    junctions, junction_clusters, junction_prototypes
        The layers of junctions and of their types, and the junctions that stand for each; None: not shown.
    findings
        Sentences on the whole city, without their full stops.
    untold
        Sentences on the share of records that do not tell severity or road users; none where all do.
    models
        The table of models; None: not shown.
    merging
        What is lost where two types are made one, each two; None: not shown.
    sensitivity
        The layer of what stands if choices were made otherwise; None or empty: not shown.
    systemic
        The layers of the systemic analysis, by name.
    flights
        Whether types follow the flights (``flights/flights.json``); None, or of one flight: not shown.
    corrections
        How flights were brought to one look (``matching/matching.json`` and ``fingerprints/centring.json``).
    ground
        What lies on the ground; None: it was not mapped.
    stretches, high_injury, value
        The layers ``stretches`` (None: no worst roads are listed), ``high_injury`` and ``value_of_imagery`` (None: they
        are not told of in short).
    run_id
        Name of the run; empty: not told.
    windows, backdrop
        The layer of windows (None: the map shows no high-injury network), and pictures of the ground beneath the map.
    """

    city: str
    config: Mapping[str, Any]
    run: Mapping[str, str]
    clusters: pd.DataFrame
    segments: gpd.GeoDataFrame
    choice: pd.DataFrame
    quality: Mapping[str, Any]
    prototypes: pd.DataFrame
    thumbnails: Mapping[str, bytes]
    ledger: pd.DataFrame
    licences: Mapping[str, str]
    ratio_of: Outcome
    period: tuple[date, date] | None = None
    methods: Mapping[str, str] = field(default_factory=dict)
    places: pd.DataFrame | None = None
    junction_types: pd.DataFrame | None = None
    tests: pd.DataFrame | None = None
    collisions: gpd.GeoDataFrame | None = None
    look_alikes: pd.DataFrame | None = None
    interventions: pd.DataFrame | None = None
    tiles: pd.DataFrame | None = None
    junctions: gpd.GeoDataFrame | None = None
    junction_clusters: pd.DataFrame | None = None
    junction_prototypes: pd.DataFrame | None = None
    findings: Sequence[str] = ()
    untold: Sequence[str] = ()
    models: pd.DataFrame | None = None
    merging: pd.DataFrame | None = None
    sensitivity: pd.DataFrame | None = None
    systemic: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    flights: Mapping[str, Any] | None = None
    corrections: Sequence[Mapping[str, Any]] = ()
    ground: GroundTold | None = None
    stretches: gpd.GeoDataFrame | None = None
    high_injury: pd.DataFrame | None = None
    value: pd.DataFrame | None = None
    on_sheets: pd.DataFrame | None = None
    sheet_pictures: Mapping[str, bytes] = field(default_factory=dict)
    run_id: str = ""
    windows: gpd.GeoDataFrame | None = None
    backdrop: Sequence[Backdrop] = ()


def write_report(path: Path, data: ReportData) -> None:
    """Write the report as one HTML file that needs nothing else; the same data give the same bytes.

    Parameters
    ----------
    path
        Path of the file; one that is already there is replaced when the new one is whole.
    data
        What the report tells. Every text in it is escaped.
    """
    page = render(data)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(page, encoding="utf-8", newline="\n")
    part.replace(path)


def render(data: ReportData) -> str:
    """Make the page (see `write_report`)."""
    environment = templates(
        "geo.outputs.report",
        "templates",
        figure=lambda value, digits=3: figure(number(value), digits),
        dash=dash_of,
        shorten=lambda text: shorten(str(text), LONGEST_REASON),
        explained=explained,
    )
    segments = data.segments
    drawn = _pictures(data)
    data = replace(data, thumbnails=drawn.tiles)
    shots = shots_of(data.prototypes, segments, data.thumbnails)
    laid, axis = cards(data.clusters, segments, data.tests, shots, data.ratio_of, drawn)
    looks = {cluster: appearance for cluster, (_, appearance) in looks_of(data.clusters).items()}
    worst = worst_roads(data.stretches, segments, {card.cluster: card.title for card in laid})
    interactive = map_part(_on_map(data, worst, looks, laid))
    ground: GroundPart | None = ground_part(data.ground)
    scripts = [_own("page.js")]
    styles = ["report.css", "map/map.css", *(["ground.css"] if ground else [])]
    return environment.get_template("report.html.jinja").render(
        data=data,
        axis=axis,
        cards=laid,
        kinds=KINDS,
        map=None
        if interactive is None
        else still_map(segments, interactive.data.paints[0], [] if worst is None else worst.listed),
        interactive=interactive,
        inline=_inline,
        style=_inline("".join([*map(_own, styles), _sheet_style(laid)])),
        words=sorted(WORDS, key=lambda word: word.title.lower()),
        ground_part=ground,
        scripts=[_inline(script) for script in scripts],
        policy=_policy([*scripts, *([] if interactive is None else interactive.scripts)]),
        junction_part=_junctions(data),
        worst_roads=worst,
        short=told_in_short(data),
        settings=settings_rows(data.config),
        ledger=data.ledger.fillna({"reason": ""}).to_dict("records"),
        otherwise=otherwise(data.sensitivity),
        **_of_city(data),
        **_of_types(data, laid),
        **_of_collisions(data),
    )


def _of_city(data: ReportData) -> dict[str, Any]:
    """Say how long the network is, how much of it has a type, and what is known of it, by the template's names."""
    segments = data.segments
    return {
        "n_segments": len(segments),
        "length_km": segments["length_m"].sum() / 1000,
        "typed_km": segments.loc[segments["cluster"].notna(), "length_m"].sum() / 1000,
        "n_unseen": int(segments["cluster"].isna().sum()),
        "untyped": untyped(segments),
        "all_seen_typed": untyped(segments) == NO_IMAGERY,
        "years": _years(segments),
        "has_collisions": _has_collisions(data),
        "has_ksi": bool(segments["n_ksi"].notna().any()),
        "traffic": "" if (told := data.run.get("traffic", "not known")) == "not known" else told,
    }


def _of_types(data: ReportData, laid: Sequence[Card]) -> dict[str, Any]:
    """Say how types were found and how sure they are, by the template's names."""
    choice, quality = data.choice, data.quality
    titles = {card.cluster: card.title for card in laid}
    return {
        "typology": quality.get("typology"),
        "flights": data.flights if data.flights and len(data.flights["flights"]) > 1 else None,
        "warnings": list((quality.get("encoder") or {}).get("warnings") or ()),
        "measures": measures(quality),
        "agreement": number(quality.get("agreement_with_baseline")),
        "choice": choice.sort_values("k").to_dict("records"),
        "choice_chart": choice_chart(choice),
        "smoothed": "silhouette_smoothed" in choice and bool(choice["silhouette_smoothed"].notna().any()),
        "sureness": sureness(data.segments),
        "by_hand": by_hand(quality.get("hands")),
        "merging": [] if data.merging is None else merging_rows(data.merging, titles),
    }


def _of_collisions(data: ReportData) -> dict[str, Any]:
    """Say what was counted, compared and fitted, by the template's names."""
    slight = severity_words(data.segments)["slight"]
    return {
        "outcome": OUTCOME_NAMES[data.ratio_of],
        "has_q": bool(data.clusters["q_value"].notna().any()),
        "places": places_rows(data.places, data.junction_types),
        "cure": cure_charts(data.segments, data.ratio_of),
        "false_worst": [] if data.models is None else model_rows(data.models, ["ranks"], data.ratio_of),
        "exponents": [] if data.models is None else model_rows(data.models, ["exponent"], data.ratio_of),
        "tests": tests_rows(data.tests, slight),
        "tests_shown": TESTS_SHOWN,
        "effects": effects_rows(data.interventions),
        "systemic": systemic(data.systemic, data.segments, slight),
    }


def told_in_short(data: ReportData) -> list[Found]:
    """Say what was found, as the page begins (see `in_short`)."""
    laid, _ = cards(data.clusters, data.segments, data.tests, {}, data.ratio_of)
    return in_short(laid, data.high_injury, data.value, data.ratio_of, has_collisions=_has_collisions(data))


def _has_collisions(data: ReportData) -> bool:
    return bool(data.segments["n_collisions"].notna().any())


def _pictures(data: ReportData) -> PagePictures:
    """Draw the pictures that the page shows: of the picks, of segments on the map, and of types of junction."""
    shown = {*data.prototypes["tile_id"].dropna()}
    if data.tiles is not None:
        shown |= {*data.tiles["tile_id"]}
    if data.junction_prototypes is not None:
        shown |= {*shown_junctions(data.junction_prototypes)["tile_id"].dropna()}
    pictures = {tile: jpeg for tile, jpeg in data.thumbnails.items() if tile in shown}
    sheets = data.on_sheets, data.sheet_pictures
    return page_pictures(pictures, data.prototypes, data.tiles, data.segments, sheets)


def _junctions(data: ReportData) -> JunctionPart | None:
    """Lay out what is said of junctions; None where there are none, or nothing is told of them."""
    tables = data.junction_clusters, data.junctions, data.junction_prototypes
    if tables[0] is None or tables[1] is None or tables[2] is None or tables[1].empty:
        return None
    return junction_part(tables[0], tables[1], tables[2], data.thumbnails)


def _shown(data: ReportData, worst: WorstRoads | None) -> Shown:
    """Say of which tiles there are pictures, which of these stand on the cards, and which segments are listed."""
    columns = ["tile_id", "segment_id", "position_m"]
    tiles = pd.DataFrame(columns=columns) if data.tiles is None else data.tiles[columns]
    return Shown(
        tiles=tiles[tiles["tile_id"].isin(list(data.thumbnails))],
        pictures=data.thumbnails,
        on_page=frozenset(data.prototypes["tile_id"].dropna()),
        look_alikes=data.look_alikes,
        listed=frozenset() if worst is None else frozenset(row["segment"] for row in worst.rows),
        classes={} if data.ground is None else titles_of(data.ground.classes),
    )


def _on_map(
    data: ReportData, worst: WorstRoads | None, looks: Mapping[int, Look], laid: Sequence[Card]
) -> Layers:
    """Gather what the map is made of."""
    return Layers(
        segments=data.segments,
        collisions=data.collisions,
        windows=data.windows,
        shown=_shown(data, worst),
        rate_of=data.ratio_of,
        looks=looks,
        titles={card.cluster: card.title for card in laid},
        notes={card.cluster: f"most like {card.words.split(',')[0]}" for card in laid if card.words},
        backdrop=data.backdrop,
        severities=severity_words(data.segments),
    )


def _sheet_style(laid: Sequence[Card]) -> str:
    """Name the file of each contact sheet once; its pictures are cut from it."""
    return "".join(
        f".sheet-{card.cluster} a {{ background-image: url({card.sheet.source}); }}\n"
        for card in laid
        if card.sheet is not None
    )


def _own(name: str) -> str:
    """Read a file that belongs to this page."""
    return files("geo.outputs.report").joinpath("templates", name).read_text(encoding="utf-8")


def _inline(text: str) -> Markup:
    """Mark our own text, or JSON made safe, as what goes into the page as it is."""
    return Markup(text)  # noqa: S704


def _policy(scripts: Sequence[str]) -> str:
    """Say to the browser that nothing is fetched, and that no script runs but these."""
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii") for text in scripts]
    allowed = " ".join(f"'sha256-{one}'" for one in digests) or "'none'"
    return (
        f"default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src {allowed}; "
        "base-uri 'none'; form-action 'none'"
    )


def _years(segments: pd.DataFrame) -> str:
    """Say how many years of records the segments have."""
    years = segments["years"].dropna()
    if years.empty:
        return ""
    few, many = float(years.min()), float(years.max())
    if few == many or many < DAYS_BELOW:
        return time_words(many)
    return f"{interval(few, many, 3)} years, depending on the road"
