"""How the figures of the report were come by, in a line each."""

from __future__ import annotations

from collections.abc import Mapping

from geo.safety.rates import OUTCOME_NAMES, Outcome

_OTHERS = {
    "Rates": "collisions placed on segments (not at junctions), over kilometres of road outside the reach of junctions "
    "and years of records",
    "Rates per vehicle-km": "AADT x 365 x length x years; counts stand on their segment, or are taken over "
    "from the nearest count on the same road in a straight line",
    "Intervals": "95 %; exact Poisson (Garwood 1936) for rates, of the counts alone: rates of types or of kinds of "
    "junctions are not to be compared by them; those of rate ratios respect that neighbouring roads "
    "resemble each other; a ratio that was not tested has none",
    "Rate ratio": "the type's rate over the rate of all other roads that have a type in the same part of town: the "
    "rest is a smooth trend of place and, where it is known on a fifth of the roads, traffic; that as counted, "
    "whatever the part of town, stands beside it",
    "Shrunk rate": "empirical Bayes towards the prediction of a negative binomial safety performance function "
    "(Hauer 1997), or towards the road class where none could be fitted; the GeoPackage says which",
    "p and q values": "p is of a score weighted by the inverse of how risk varies from road to road and among "
    "neighbours, with class and a smooth trend of place beside the type; q: a type is found or not by all its "
    "collisions, corrected for how many types there are (Benjamini and Hochberg 1995), then its severities and road "
    "users within the types that are found (Benjamini and Bogomolov 2014)",
}


def methods(clustering: str, predictions: Mapping[Outcome, str] | None = None) -> dict[str, str]:
    """Say how the figures were come by.

    Parameters
    ----------
    clustering
        Words for how types were found, see `geo.clusters.methods.kind.ClusteringKind`.
    predictions
        Outcomes whose shrunk figures are hardly more than predictions (`geo.outputs.wording.predictions_only`).
    """
    types = f"{clustering} on embeddings of the imagery alone; collisions played no part in it"
    beside = "".join(f". Of {OUTCOME_NAMES[what]} {said}" for what, said in (predictions or {}).items())
    return {"Types": types} | _OTHERS | {"Shrunk rate": _OTHERS["Shrunk rate"] + beside}
