"""What stands if choices were made otherwise: where it is kept, and how it is made from the stages of other runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from geo.config import CityConfig
from geo.ledger import Entry
from tasks.store.code import code_digest, libraries
from tasks.store.document import digest
from tasks.store.stage import SUMMARY, read_summary, unfinished, write_account
from tasks.tables import SENSITIVITY

if TYPE_CHECKING:
    from geo.sensitivity.findings import Seen
    from geo.sensitivity.variants import Variant
    from tasks.plan import Plan

STAGES_OF_VARIANT = (
    "roads",
    "tiles",
    "collisions",
    "exposure",
    "matching",
    "features",
    "fingerprints",
    "clusters",
    "safety",
    "inference",
    "concentration",
)
"""The stages that findings are read from, and those that these read: of a variant, no other is made."""
NAME = "sensitivity"
CSV = f"{NAME}.csv"


def sensitivity_folder(stages: Path, config: CityConfig, keys: Mapping[str, str]) -> Path:
    """Name the folder of the table that holds for a run.

    Parameters
    ----------
    stages
        Folder of the stages of the city.
    config
        The city's configuration.
    keys
        Digests of the run's stages.
    """
    asked = config.sensitivity.model_dump(mode="json")
    read = {name: keys[name] for name in STAGES_OF_VARIANT}
    return stages / f"{NAME}-{digest(NAME, asked, read, code_digest(__name__))}"


def kept(folder: Path) -> bool:
    """Tell whether a table is there, as it was left."""
    return folder.exists() and read_summary(folder) is not None


def missing(plans: Sequence[Plan]) -> list[str]:
    """Name the stages that are to be made for plans, one for each folder that is not there."""
    folders = {plan.stage_folder(name): name for plan in plans for name in STAGES_OF_VARIANT}
    return [name for folder, name in folders.items() if not (folder / SUMMARY).exists()]


def look(plan: Plan) -> Seen:
    """Read what findings are read from."""
    from geo.sensitivity.findings import Seen  # noqa: PLC0415 - a run that changes nothing needs no science

    roads = gpd.read_parquet(plan.stage_folder("roads") / "segments.parquet")
    types, found = (
        pd.read_parquet(plan.stage_folder(name) / "segments.parquet").set_index("segment_id")
        for name in ("clusters", "safety")
    )
    segments = roads[["segment_id", "geometry"]].join(types["cluster"], on="segment_id")
    return Seen(
        segments.join(found["rank"], on="segment_id"),
        pd.read_parquet(plan.stage_folder("inference") / "tests.parquet"),
        pd.read_parquet(plan.stage_folder("inference") / "value_of_imagery.parquet"),
        pd.read_parquet(plan.stage_folder("concentration") / "high_injury.parquet"),
    )


def chosen_k(plan: Plan) -> int:
    """Read how many types a run has."""
    choice = pd.read_parquet(plan.stage_folder("clusters") / "choice.parquet")
    return int(choice.loc[choice["chosen"], "k"].iloc[0])


def rows_of(
    found: pd.DataFrame, told: pd.DataFrame, changed: str, setting: str, kinds: Sequence[str]
) -> pd.DataFrame:
    """Lay out how findings of some kinds fare in one variant, as rows of the layer."""
    told = told[found.loc[told.index, "kind"].isin(kinds)]
    base = found.rename(columns={name: f"base_{name}" for name in ("estimate", "low", "high", "q_value")})
    rows = base.loc[told.index].join(told).assign(changed=changed, setting=setting)
    return rows.reindex(columns=[column.name for column in SENSITIVITY.columns])


def failed(found: pd.DataFrame, variant: Variant, why: str) -> pd.DataFrame:
    """Lay out a variant that cannot be run: nothing is known of any finding."""
    from geo.sensitivity.findings import UNKNOWN  # noqa: PLC0415 - as above
    from geo.sensitivity.told import FAILED  # noqa: PLC0415

    told = pd.DataFrame({"state": UNKNOWN, "reason": f"{FAILED}{why}"}, index=found.index)
    return rows_of(found, told, variant.changed, variant.setting, variant.reaches)


def keep(folder: Path, parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Write the table, whole or not at all, and give it back."""
    table = pd.concat([part for part in parts if len(part)] or list(parts[:1]), ignore_index=True)
    table = table.sort_values("finding", kind="stable", ignore_index=True)
    text = [column.name for column in SENSITIVITY.columns if column.kind == "text"]
    whole = [column.name for column in SENSITIVITY.columns if column.kind == "integer"]
    table = table.astype(dict.fromkeys(whole, "Int64"))
    table[text] = table[text].astype(object).where(table[text].notna() & (table[text] != ""), None)
    real = [column.name for column in SENSITIVITY.columns if column.kind == "real"]
    table[real] = table[real].astype("float64")
    with unfinished(folder) as work:
        SENSITIVITY.write(table, work)
        table.to_csv(work / CSV, index=False)
        entries = [Entry("findings", "done", "", table["finding"].nunique())]
        files = [work / f"{NAME}.parquet", work / CSV]
        write_account(work / SUMMARY, entries, files, libraries(__name__))
    return table


def load_sensitivity(plan: Plan) -> pd.DataFrame:
    """Read the table that holds for a run; one without rows where there is none."""
    if plan.sensitivity is None:
        return pd.DataFrame(columns=[column.name for column in SENSITIVITY.columns])
    return SENSITIVITY.read(plan.sensitivity)
