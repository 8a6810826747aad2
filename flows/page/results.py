"""What Prefect's page shows of a run that ended well: a summary, the ledger and prototypes."""

from __future__ import annotations

import base64
import logging
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import pandas as pd
from PIL import Image
from prefect import task
from prefect.artifacts import create_image_artifact, create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.utilities.annotations import quote

from flows.page.addresses import Served, served_here
from flows.page.files import make_known
from flows.page.summary import Ended, in_a_line, in_markdown
from flows.page.telling import send, slug
from flows.server import recorded
from geo.errors import ConfigurationError
from geo.outputs.files.reading import read_layer
from geo.outputs.names import looks_of
from geo.outputs.report.parts.worst import worst_roads
from tasks.earlier import TABLES
from tasks.plan import Plan
from tasks.store.summary import Told

log = logging.getLogger("roadprint")

SIDE_PX, A_ROW = 64, 5
"""Of a prototype in the picture, and how many of a type; the page prints the picture's text too, so it is small."""
_REFUSED = ("rejected", "failed")


def message_of(plan: Plan, summary: Mapping[str, Any]) -> str:
    """Say in a line how a run ended: the message of its state."""
    types = pd.read_parquet(plan.run_folder / TABLES / "clusters.parquet", columns=["cluster"])[
        "cluster"
    ].nunique()
    stages = summary["stages"]
    unchanged = all(stage["cached"] for stage in stages)
    return in_a_line(types, stages, len(summary["warnings"]), unchanged=unchanged)


def show_results(plan: Plan, summary: Mapping[str, Any], message: str) -> None:
    """Show a summary of a run that ended well, its ledger and prototypes.

    Parameters
    ----------
    plan
        Of the run.
    summary
        What the run said at its end.
    message
        The same in a line (`message_of`).
    """
    if not recorded():
        return
    for warning in summary["warnings"]:
        log.warning(warning)
    for name in ("report", "geopackage"):
        log.info("%s: %s", name, summary[name])
    _tables(cast("Plan", quote(plan)))
    text = in_markdown(_ended(plan, summary, message))
    about = f"What was found in {plan.config.city}, and where it is."
    # the page shows what belongs to the run itself before what belongs to its tasks: this alone comes first
    send(create_markdown_artifact, text, key=f"{slug(plan.config.city)}-summary", description=about)


@task(name="tables", task_run_name="tables", cache_policy=NO_CACHE, persist_result=False)
def _tables(plan: Plan) -> None:
    """Show the ledger, and the prototypes of each type."""
    city, layers = slug(plan.config.city), plan.run_folder / TABLES
    rows = pd.read_parquet(layers / "ledger.parquet").to_dict("records")
    about = f"What became of every input of {plan.config.city}, run {plan.run_id}."
    send(create_table_artifact, rows, key=f"{city}-ledger", description=about)
    picture = prototypes(layers)
    if picture is not None:
        text = "Prototypes of each type of road, from type 1 (the first row) on."
        send(create_image_artifact, picture, key=f"{city}-prototypes", description=text)


def _ended(plan: Plan, summary: Mapping[str, Any], message: str) -> Ended:
    """Gather what the summary tells."""
    layers = plan.run_folder / TABLES
    segments, clusters, stretches, ledger = (
        read_layer(layers, name) for name in ("segments", "clusters", "stretches", "ledger")
    )
    titles = {cluster: title for cluster, (title, _) in looks_of(clusters).items()}
    worst, where = worst_roads(stretches, segments, titles), places(plan, _served(plan))
    return Ended(
        city=plan.config.city,
        run_id=plan.run_id,
        message=message,
        told=[(one.title, one.whole) for one in map(Told.model_validate, summary["in_short"] or ())],
        worst=[] if worst is None else worst.rows,
        outcome="" if worst is None else worst.outcome,
        users=() if worst is None else worst.users,
        report=where[0][2],
        warnings=summary["warnings"],
        refused=_refused(ledger),
        places=where,
    )


def _refused(ledger: pd.DataFrame) -> list[dict[str, Any]]:
    """List the entries of the ledger that were rejected, or failed."""
    refused = ledger[ledger["status"].isin(_REFUSED)].fillna({"reason": ""})
    names = [str(name) for name in refused.columns]
    return [dict(zip(names, row, strict=True)) for row in refused.itertuples(index=False)]


def _served(plan: Plan) -> Served | None:
    """Find out where results are served; None: nowhere, or nobody can say."""
    try:
        served = served_here()
    except ConfigurationError as error:
        log.warning("the page names paths alone: %s", " ".join(str(error).split()))
        return None
    return served if served is not None and make_known(plan.folder) else None


def places(plan: Plan, served: Served | None) -> list[tuple[str, str, str | None]]:
    """Say where results are: what each is, its path, and its address where a browser gets there."""
    found = []
    for what, path, end in (
        ("Report", plan.report, ""),
        ("Tables", plan.workbook, ""),
        ("GeoPackage", plan.geopackage, ""),
        ("All files of the run", plan.run_folder, "/"),
    ):
        address = None if served is None else served.link(path, plan.folder.parent)
        found.append((what, str(path), None if address is None else f"{address}{end}"))
    return found


def prototypes(layers: Path) -> str | None:
    """Lay the prototypes of all types out in one picture, a row a type.

    Parameters
    ----------
    layers
        Folder with the run's layers.

    Returns
    -------
    A ``data:`` URI; None where the run keeps no pictures.
    """
    clusters = pd.read_parquet(layers / "clusters.parquet").sort_values("cluster")
    tiles = pd.read_parquet(layers / "tiles.parquet", columns=["tile_id", "thumbnail"])
    pictures = tiles.dropna().set_index("tile_id")["thumbnail"]
    if pictures.empty:
        return None
    sheet = Image.new("RGB", (A_ROW * SIDE_PX, len(clusters) * SIDE_PX), "white")
    for row, named in enumerate(clusters["prototype_tiles"].fillna("")):
        shown = [tile for tile in named.split(";") if tile in pictures.index]
        for column, tile in enumerate(shown[:A_ROW]):
            one = Image.open(BytesIO(pictures[tile])).convert("RGB").resize((SIDE_PX - 2, SIDE_PX - 2))
            sheet.paste(one, (column * SIDE_PX, row * SIDE_PX))
    file = BytesIO()
    sheet.save(file, "JPEG", quality=70)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
