"""Names of bands whose wavelengths are known."""

from __future__ import annotations

from collections.abc import Sequence

Band = tuple[float, float]
"""Middle of what a band sees, and how wide that is (both nanometres)."""

SENTINEL2: dict[str, Band] = {
    "B1": (443, 20),
    "B2": (490, 65),
    "B3": (560, 35),
    "B4": (665, 30),
    "B5": (705, 15),
    "B6": (740, 15),
    "B7": (783, 20),
    "B8": (842, 115),
    "B8A": (865, 20),
    "B9": (945, 20),
    "B10": (1375, 30),
    "B11": (1610, 90),
    "B12": (2190, 180),
}
"""ESA, Sentinel-2 User Handbook, table 1."""
LANDSAT8: dict[str, Band] = {
    "B1": (443, 16),
    "B2": (482, 60),
    "B3": (561.5, 57),
    "B4": (654.5, 37),
    "B5": (865, 28),
    "B6": (1608.5, 85),
    "B7": (2200.5, 187),
    "B9": (1373.5, 21),
}
"""USGS, Landsat 8 Data Users Handbook, table of OLI bands: from the ends of each."""
PLAIN = {"blue": "B2", "green": "B3", "red": "B4", "nir": "B8"}
"""Colours are taken for those of Sentinel-2, which networks of any bands were trained on."""
KNOWN = {
    **{name: SENTINEL2[band] for name, band in PLAIN.items()},
    **{f"sentinel2:{name}": band for name, band in SENTINEL2.items()},
    **{f"landsat8:{name}": band for name, band in LANDSAT8.items()},
}
CROMA_BANDS = tuple(f"sentinel2:{name}" for name in SENTINEL2 if name != "B10")


def known_bands(names: Sequence[str]) -> list[Band]:
    """Look up the wavelengths of bands by their names.

    Raises
    ------
    ValueError
        Naming those that are not known. A bare B5 is one: it is 705 nm of Sentinel-2 and 865 nm of Landsat 8.

    Examples
    --------
    >>> known_bands(["red", "sentinel2:B8A", "landsat8:B5"])
    [(665, 30), (865, 20), (865, 28)]
    """
    unknown = [name for name in names if name not in KNOWN]
    if unknown:
        raise ValueError(
            f"no wavelength is known of {', '.join(unknown)}: red, green, blue, nir, sentinel2:B1 to sentinel2:B12 and "
            "landsat8:B1 to landsat8:B9 have one; for others give wavelengths"
        )
    return [KNOWN[name] for name in names]
