"""Whether knowing what roads look like tells where collisions will be, beyond knowing their class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from geo.counting import doing, step
from geo.safety.picture.crossvalidation import (
    Predictors,
    blocks_of,
    components,
    folds_of,
    poisson_deviance,
    predict_folds,
)
from geo.safety.rates import LEVEL

MIN_EVENTS, MIN_BLOCKS = 50, 10
"""With fewer events or blocks nothing is compared: the intervals would be guesses."""
GRIDS = 8
"""Grids of blocks, each beginning elsewhere and dealt to folds anew: where one happens to lie decides too much."""
RESAMPLES = 500
"""Of each grid's blocks."""
VISIBLE = 0.0005
"""A lower limit below this would be printed as 0.0 %, and counts as nothing."""
NOTHING, CLASS = "nothing", "class"
CLUSTER, EMBEDDINGS, BANDS = "class and cluster", "class and embeddings", "class and band statistics"
GROUND, CLUSTER_AND_GROUND = "class and ground", "class, cluster and ground"
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class ImageryValue:
    """What the picture adds.

    Attributes
    ----------
    table
        How well each model predicts, one row a model (`value_of_imagery`).
    sentence
        What it says, in one line, without its full stop.
    """

    table: pd.DataFrame
    sentence: str


def value_of_imagery(
    segments: pd.DataFrame,
    embeddings: Floats | None = None,
    bands: Floats | None = None,
    ground: Floats | None = None,
    *,
    block_m: float,
    seed: int,
) -> ImageryValue:
    """Compare models of counts by how well they predict parts of the city that they have not seen.

    The city is cut into square blocks, the blocks are dealt to `FOLDS` folds of about equal events, and each fold is
    predicted by models fitted to the others (Roberts et al. 2017, Ecography 40:913-929: neighbours are alike, and
    with random folds every model would look better than it is). All models are Poisson regressions with exposure as
    offset and a normal prior on the coefficients (ridge; le Cessie and van Houwelingen 1992, Applied Statistics
    41:191-201), weak for road class; for what the picture adds it is chosen by the same folds among the blocks fitted
    to, and can leave nothing of it. So a picture that says nothing costs little. Embeddings enter by their principal
    components.

    They are scored by the Poisson deviance, although counts vary more than that: it ranks predictions of a mean
    rightly whatever the distribution about it (Gneiting 2011, JASA 106:746-762), fits by it find the mean even so
    (Gourieroux, Monfort and Trognon 1984, Econometrica 52:681-700), and it needs no k, which differs from model to
    model.

    Where a grid of blocks begins, and which blocks make a fold, is nobody's choice, and shares differ by it. So all is
    done on `GRIDS` grids: a share is the mean over them, and its interval is of the resampled blocks of all grids
    together, the same for all models (paired). The variance of these is the mean over grids of the variance among a
    grid's resamples and of the squared distance of its share from the mean: what repeated splitting of a sample is to
    be told with (Chernozhukov et al. 2018, Econometrics Journal 21:C1-C68, definition 3.3). They hold for these
    segments and fits, and do not contain the chance of fitting to another sample.

    Parameters
    ----------
    segments
        ``count, counted_m, years, road_class, cluster, x, y`` (a point of the segment, metres), by ``segment_id``. Only
        segments with a cluster and a known count take part; clusters were found without looking at collisions.
    embeddings, bands
        One row a segment, in the order of `segments`; rows with null take no part, in any model. None: no such model.
    ground
        Shares of ground beside each, as terms without nulls (`geo.safety.picture.terms.ground_terms`), in the same
        order; they enter alone and beside the cluster. None: no such models.
    block_m
        Side of a block (metres); above the distance over which neighbouring segments are alike.
    seed
        Seed of the folds and of the resampling: the same one gives the same figures.

    Returns
    -------
    ``model, n_segments, n_events, n_blocks`` (of the grid that has fewest), ``block_m, penalty`` (median over folds and
    grids), ``deviance`` (out of sample, per segment), ``explained`` (share of the deviance of ``nothing``) and
    ``explained_beyond_class`` (of that of ``class``), each with ``_low`` and ``_high``, ``n_grids``, ``grid_spread``
    (standard deviation of ``explained_beyond_class`` over grids) and ``reason`` why there is nothing, if so.
    """
    columns = {EMBEDDINGS: embeddings, BANDS: bands}
    sides = {
        name: np.asarray(values, dtype=np.float64) for name, values in columns.items() if values is not None
    }
    part = _usable(segments, sides)
    order = np.flatnonzero(part)[np.argsort(segments.index[part])]
    frame = segments.iloc[order]
    sides = {name: values[order] for name, values in sides.items()}
    grids = [blocks_of(frame, block_m, shift_of(number)) for number in range(GRIDS)]
    y = frame["count"].to_numpy(dtype=np.float64)
    names = [NOTHING, CLASS, CLUSTER, *sides, *(() if ground is None else (GROUND, CLUSTER_AND_GROUND))]
    facts = {
        "model": names,
        "n_segments": len(y),
        "n_events": int(y.sum()),
        "n_blocks": min(len(np.unique(blocks)) for blocks in grids),
        "block_m": block_m,
    }
    reason = next((why for blocks in grids if (why := _too_little(y, blocks)) is not None), None)
    if reason is not None:
        unknown = dict.fromkeys(["penalty", "deviance", *_SHARES, "grid_spread"], np.nan)
        return ImageryValue(
            pd.DataFrame(facts).assign(**unknown, n_grids=GRIDS, reason=reason),
            f"Whether the picture adds anything cannot be told here: {reason}",
        )
    length = frame["counted_m"].to_numpy(dtype=np.float64) / 1000 * frame["years"].to_numpy(dtype=np.float64)
    base = _indicators(frame["road_class"].astype(object).fillna("unknown").astype(str))
    # the fits are small: threads would wait for each other longer than they compute
    with threadpool_limits(limits=1):
        clusters = _indicators(frame["cluster"].astype(str))
        models = {
            NOTHING: Predictors(),
            CLASS: Predictors(base),
            CLUSTER: Predictors(base, clusters),
        } | {name: Predictors(base, components(values)) for name, values in sides.items()}
        if ground is not None:
            models[GROUND] = Predictors(base, ground[order])
            models[CLUSTER_AND_GROUND] = Predictors(base, np.column_stack([clusters, ground[order]]))
        doing("models in parts of town", GRIDS * len(models))
        sums, penalties = zip(
            *(
                _deviances(y, length, models, blocks, folds_of(blocks, y, [seed, number]))
                for number, blocks in enumerate(grids)
            ),
            strict=True,
        )
    table = pd.DataFrame(facts).assign(
        penalty=np.median(penalties, axis=0),
        deviance=np.mean([of_grid.sum() / len(y) for of_grid in sums], axis=0),
    )
    table = table.join(_compare(sums, seed)).assign(n_grids=GRIDS, reason=None)
    return ImageryValue(table, sentence_of(table))


def shift_of(number: int) -> tuple[float, float]:
    """Say where a grid begins (shares of a side): together they lie on a lattice, spread over a block."""
    return number / GRIDS, 3 * number % GRIDS / GRIDS


def _deviances(
    y: Floats, length: Floats, models: Mapping[str, Predictors], blocks: Ints, folds: Ints
) -> tuple[pd.DataFrame, list[float]]:
    """Add up the deviance of each block (rows) under each model (columns), and tell the models' penalties."""
    sums, penalties = {}, []
    for name, model in models.items():
        predicted, penalty = predict_folds(y, length, model, folds)
        sums[name] = np.bincount(blocks, weights=poisson_deviance(y, predicted))
        penalties.append(penalty)
        step()
    return pd.DataFrame(sums), penalties


def _usable(segments: pd.DataFrame, sides: dict[str, Floats]) -> NDArray[np.bool_]:
    numbers = segments[["count", "counted_m", "years", "x", "y"]].astype("Float64")
    values = numbers.to_numpy(dtype=np.float64, na_value=np.nan)
    part = np.isfinite(values).all(axis=1) & (values[:, 1] * values[:, 2] > 0)
    part &= segments["cluster"].notna().to_numpy()
    for rows in sides.values():
        part &= np.isfinite(rows).all(axis=1)
    return np.asarray(part, dtype=np.bool_)


def _too_little(y: Floats, blocks: Ints) -> str | None:
    if not len(y):
        return "no segment has imagery, exposure and a count"
    if y.sum() < MIN_EVENTS:
        return f"{y.sum():.0f} collisions on segments with imagery, fewer than {MIN_EVENTS}"
    of_blocks = int((np.bincount(blocks, weights=y) > 0).sum())
    if of_blocks < MIN_BLOCKS:
        return f"{of_blocks} blocks with collisions, fewer than {MIN_BLOCKS}"
    return None


_SHARES = [
    f"{name}{limit}" for name in ("explained", "explained_beyond_class") for limit in ("", "_low", "_high")
]


def _indicators(values: pd.Series) -> Floats:
    return np.asarray(pd.get_dummies(values).to_numpy(dtype=np.float64))


def _compare(sums: Sequence[pd.DataFrame], seed: int) -> pd.DataFrame:
    """Shares of deviance explained, with intervals over the resampled blocks of all grids.

    Parameters
    ----------
    sums
        Of each grid: deviance of each block (rows) under each model (columns).
    """
    rng = np.random.default_rng([seed, 1])
    drawn = []
    for of_grid in sums:
        n = len(of_grid)
        often = rng.multinomial(n, np.full(n, 1 / n), size=RESAMPLES)
        drawn.append(pd.DataFrame(often @ of_grid.to_numpy(), columns=of_grid.columns))
    resampled, whole = pd.concat(drawn), pd.DataFrame([of_grid.sum() for of_grid in sums])
    table = pd.DataFrame(index=range(len(whole.columns)))
    for column, of in (("explained", NOTHING), ("explained_beyond_class", CLASS)):
        share, found = (1 - each.div(each[of], axis=0) for each in (resampled, whole))
        table[column] = found.mean().to_numpy()
        table[f"{column}_low"] = share.quantile((1 - LEVEL) / 2).to_numpy()
        table[f"{column}_high"] = share.quantile((1 + LEVEL) / 2).to_numpy()
    return table.assign(grid_spread=found.std().to_numpy())


def sentence_of(table: pd.DataFrame, what: str = "the picture", knowing: str = "what roads look like") -> str:
    """Say what the picture adds beyond road class, in one line, without its full stop.

    Parameters
    ----------
    table
        Rows of `value_of_imagery` that were compared (``reason`` is null).
    what, knowing
        What adds something, or nothing, and what is known then.
    """
    words = {
        CLUSTER: "the type",
        EMBEDDINGS: "the embeddings",
        BANDS: "the band statistics",
        GROUND: "the ground beside roads",
        CLUSTER_AND_GROUND: "the type and the ground beside roads",
    }
    rows = table[table["model"].isin(words)].set_index("model")
    said = {name: (words[str(name)], _percent(row)) for name, row in rows.iterrows()}
    seen = rows["explained_beyond_class_low"] > VISIBLE
    better, rest = ([said[name] for name in rows.index[which]] for which in (seen, ~seen))
    beyond = "out-of-sample deviance beyond road class"
    if not better:
        return f"{what[:1].upper()}{what[1:]} adds nothing that can be seen here: of {beyond} it explains {_list(rest)}"
    tail = f"; nothing that can be seen: {_list(rest)}" if rest else ""
    return f"Of {beyond}, knowing {knowing} explains {_list(better)}{tail}"


def _percent(row: pd.Series) -> str:
    # adding 0.0 turns a minus zero into zero
    value, low, high = (
        round(100 * row[f"explained_beyond_class{limit}"], 1) + 0.0 for limit in ("", "_low", "_high")
    )
    return f"{value} % ({low} to {high})"


def _list(said: list[tuple[str, str]]) -> str:
    return ", ".join(f"{figure} with {name}" for name, figure in said)
