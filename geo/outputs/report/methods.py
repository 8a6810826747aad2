"""How the figures of the report were come by, in a line each."""

from __future__ import annotations

_OTHERS = {
    "Rates": "collisions placed on segments (not at junctions), over kilometres of road and years of records",
    "Rates per vehicle-km": "AADT x 365 x length x years; counts stand on their segment, or are taken over "
    "from the nearest count on the same road in a straight line",
    "Intervals": "95 %; exact Poisson (Garwood 1936) for rates; those of rate ratios hold the ratios that moved maps "
    "of the types do not reject, so that they respect that neighbouring roads resemble each other; where a type was "
    "not tested, exact conditional (Clopper-Pearson), which takes collisions as independent",
    "Rate ratio": "the type's rate over the rate of all other roads that have a type",
    "Shrunk rate": "empirical Bayes towards the prediction of a negative binomial safety performance function "
    "(Hauer 1997), or towards the road class where none could be fitted; the GeoPackage says which",
    "p and q values": "the whole map of types is turned, mirrored and shifted at random; p is how often it then "
    "differs as much; q corrects for all comparisons made (Benjamini and Hochberg 1995)",
}


def methods(clustering: str) -> dict[str, str]:
    """Say how the figures were come by.

    Parameters
    ----------
    clustering
        Words for how types were found, see `geo.clusters.methods.kind.ClusteringKind`.
    """
    types = f"{clustering} on embeddings of the imagery alone; collisions played no part in it"
    return {"Types": types} | _OTHERS
