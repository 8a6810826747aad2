"""One picture of all local imagery: a GDAL virtual raster that refers to the files where they are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import jinja2
import numpy as np
import rasterio
from affine import Affine
from pyproj import CRS
from rasterio.errors import RasterioError

from geo.addresses import is_url
from geo.config import Imagery
from geo.imagery.band_set import BandSet
from geo.imagery.catalogue import open_raster
from geo.imagery.preference import drawn_last_first
from geo.imagery.traits.collars import Collar, dropped, from_text
from geo.imagery.traits.colours import alpha_bands, light_of
from geo.imagery.traits.gaps import FOLDER as GAPS
from geo.imagery.traits.gaps import unheeded, write_masked
from geo.imagery.traits.unusable import UnusableError

PLAIN = frozenset({1, 2, 3})
"""Bands of a plain picture, none of which a raster calls transparency, where they are named."""
QUICK_PX = 100_000_000
"""So many pixels are drawn within a few seconds even where no smaller copies (overviews) of them exist."""


@dataclass(frozen=True, slots=True)
class MosaicPlan:
    """Rasters of one CRS that make up one picture.

    Attributes
    ----------
    file
        Name of the virtual raster's file.
    crs
        CRS that the rasters share.
    images
        Rows of the catalogue, one a raster; of those that show the same ground, the one that is seen last.
    """

    file: str
    crs: CRS
    images: gpd.GeoDataFrame

    def centres(self, most: int) -> list[tuple[float, float]]:
        """Give the middles of some of the rasters (x and y in `crs`), spread over all of them."""
        rows = self.images.iloc[np.unique(np.linspace(0, len(self.images) - 1, most).round().astype(int))]
        return [
            Affine(*t) @ (width / 2, height / 2)
            for t, width, height in zip(rows["transform"], rows["width"], rows["height"], strict=True)
        ]

    @property
    def quick(self) -> bool:
        """Whether the whole picture is drawn quickly: it is small, or its first raster has overviews."""
        if int((self.images["width"] * self.images["height"]).sum()) <= QUICK_PX:
            return True
        with open_raster(str(self.images["path"].iloc[0])) as raster:
            return bool(raster.overviews(1))


def plan_mosaics(images: gpd.GeoDataFrame) -> Iterator[MosaicPlan]:
    """Group the local rasters of a catalogue by CRS; those that are turned against their CRS are left out.

    Parameters
    ----------
    images
        The catalogue of the city's rasters (``images`` in docs/stages.md), one row a raster.
    """
    upright = [t[1] == t[3] == 0 and t[0] > 0 > t[4] for t in images["transform"]]
    local = images[np.array(upright, dtype=bool) & ~images["path"].map(is_url).to_numpy(dtype=bool)]
    for number, (crs, mine) in enumerate(local.groupby("crs", sort=True)):
        name = f"imagery{f'-{number + 1}' if number else ''}.vrt"
        yield MosaicPlan(name, CRS.from_user_input(crs), drawn_last_first(mine))


def write_mosaic(folder: Path, plan: MosaicPlan, imagery: Imagery, *, seen_from: Path) -> None:
    """Write a virtual raster: red, green and blue as pictures show them, and what is not covered transparent.

    Parameters
    ----------
    folder
        Folder that the virtual raster is written to.
    plan
        The rasters that make up the picture.
    imagery
        The section ``imagery`` of the city's file: bands and scale.
    seen_from
        Folder where it will lie in the end: it refers to the rasters by paths relative to that.
    """
    seen = BandSet.pictured(imagery)
    transforms = [Affine(*t) for t in plan.images["transform"]]
    bounds = np.array(
        [rasterio.transform.array_bounds(h, w, t) for t, w, h in zip(transforms, *_sizes(plan), strict=True)]
    )
    (west, south), (east, north) = bounds[:, :2].min(axis=0).tolist(), bounds[:, 2:].max(axis=0).tolist()
    pixel = float(min(t.a for t in transforms)), float(min(-t.e for t in transforms))
    collars = plan.images["collar"] if "collar" in plan.images else [""] * len(plan.images)
    shown = [
        _read_as(
            str(path),
            seen,
            _Gaps(
                folder,
                seen_from,
                f"{Path(plan.file).stem}-{number}",
                dropped(from_text(collar), imagery.collars),
            ),
        )
        for number, (path, collar) in enumerate(zip(plan.images["path"], collars, strict=True), start=1)
    ]
    sources = [
        {
            "width": int(width),
            "height": int(height),
            "x": (left - west) / pixel[0],
            "y": (north - top) / pixel[1],
            "across": (right - left) / pixel[0],
            "down": (top - bottom) / pixel[1],
            **one,
        }
        for one, width, height, (left, bottom, right, top) in zip(
            shown, *_sizes(plan), bounds.tolist(), strict=True
        )
    ]
    low, high = imagery.scale or (0.0, 255.0)
    ratio = 255 / (high - low)
    text = _TEMPLATE.render(
        crs=plan.crs.to_wkt("WKT1_GDAL"),
        width=round((east - west) / pixel[0]),
        height=round((north - south) / pixel[1]),
        geotransform=(west, pixel[0], 0.0, north, 0.0, -pixel[1]),
        sources=sources,
        scale=None if imagery.scale is None else (-low * ratio, ratio),
    )
    (folder / plan.file).write_text(text, encoding="utf-8")


@dataclass(frozen=True, slots=True)
class _Gaps:
    """Where what is known of the gaps of a raster is written, under which name, and its borders without data."""

    folder: Path
    seen_from: Path
    name: str
    collars: tuple[Collar, ...]


def _read_as(path: str, seen: BandSet, gaps: _Gaps) -> dict[str, object]:
    """Say what is shown of a raster: where it lies, which bands, as colours of a palette or not, and whether by a mask.

    A band of light that it calls transparency says nothing of gaps.
    """
    plain = {
        "path": _relative(path, gaps.seen_from),
        "bands": seen.bands or tuple(sorted(PLAIN)),
        "palette": False,
        "masked": True,
    }
    if seen.light == PLAIN and not gaps.collars:
        return plain
    try:
        with open_raster(path) as raster:
            light = light_of(raster, seen.bands)
            masked = seen.light.isdisjoint(alpha_bands(raster))
            if gaps.collars or (masked and unheeded(raster, light)):
                folder = gaps.folder / GAPS
                folder.mkdir(exist_ok=True)
                _, source = _relative(path, gaps.seen_from / GAPS)
                made = write_masked(folder, gaps.name, raster, light, gaps.collars, source)
                return plain | {"path": (1, f"{GAPS}/{made.name}"), "bands": (1, 2, 3)}
    except (RasterioError, UnusableError):
        # whoever looks at the picture finds that it is gone
        return plain
    return plain | {"bands": light.bands, "palette": light.table is not None, "masked": masked}


def _sizes(plan: MosaicPlan) -> tuple[list[int], list[int]]:
    return plan.images["width"].tolist(), plan.images["height"].tolist()


def _relative(path: str, folder: Path) -> tuple[int, str]:
    """Give a path from the folder, and whether it is relative: between two Windows drives it cannot be."""
    try:
        return 1, Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:
        return 0, path


# https://gdal.org/drivers/raster/vrt.html: the format, of which "mask,1" is what a source says of its own gaps
_TEMPLATE = jinja2.Environment(
    autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
).from_string("""\
{% macro place(s) %}
   <SourceFilename relativeToVRT="{{ s.path[0] }}">{{ s.path[1] }}</SourceFilename>
   <SrcRect xOff="0" yOff="0" xSize="{{ s.width }}" ySize="{{ s.height }}"/>
   <DstRect xOff="{{ s.x }}" yOff="{{ s.y }}" xSize="{{ s.across }}" ySize="{{ s.down }}"/>
{% endmacro %}
<VRTDataset rasterXSize="{{ width }}" rasterYSize="{{ height }}">
 <SRS dataAxisToSRSAxisMapping="1,2">{{ crs }}</SRS>
 <GeoTransform>{{ geotransform | join(", ") }}</GeoTransform>
 {% for colour in ["Red", "Green", "Blue"] %}
 {% set number = loop.index0 %}
 <VRTRasterBand dataType="Byte" band="{{ loop.index }}">
  <ColorInterp>{{ colour }}</ColorInterp>
  {% for s in sources %}
  <ComplexSource>
{{ place(s) }}
   <SourceBand>{{ s.bands[number] }}</SourceBand>
   {% if s.palette %}
   <ColorTableComponent>{{ number + 1 }}</ColorTableComponent>
   {% endif %}
   {% if scale %}<ScaleOffset>{{ scale[0] }}</ScaleOffset><ScaleRatio>{{ scale[1] }}</ScaleRatio>{% endif %}
   {% if s.masked %}
   <UseMaskBand>true</UseMaskBand>
   {% endif %}
  </ComplexSource>
  {% endfor %}
 </VRTRasterBand>
 {% endfor %}
 <VRTRasterBand dataType="Byte" band="4">
  <ColorInterp>Alpha</ColorInterp>
  {% for s in sources %}
  <ComplexSource>
{{ place(s) }}
   {% if s.masked %}
   <SourceBand>mask,1</SourceBand>
   <UseMaskBand>true</UseMaskBand>
   {% else %}
   <SourceBand>1</SourceBand>
   <ScaleOffset>255</ScaleOffset><ScaleRatio>0</ScaleRatio>
   {% endif %}
  </ComplexSource>
  {% endfor %}
 </VRTRasterBand>
</VRTDataset>
""")
