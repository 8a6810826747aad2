"""A raster's gaps that GDAL does not know of, written as a mask: for the picture of all imagery.

Borders that are read as without data, and transparency that GDAL does not heed, would hide what lies under them in a
GIS, though they do not in a run.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import jinja2
import numpy as np
import rasterio
from affine import Affine
from rasterio.enums import MaskFlags, Resampling

from geo.imagery.traits.collars import Collar
from geo.imagery.traits.colours import Light, alpha_bands

FOLDER = "imagery-gaps"
"""Beside the picture of all imagery, what it needs of rasters with gaps."""
MASK_PX = 2048
"""Longer side of a mask (pixels): a picture that is looked at needs no more."""


def unheeded(raster: rasterio.DatasetReader, light: Light) -> list[int]:
    """List the bands of transparency that GDAL does not take for a mask, and that are not read as light."""
    if MaskFlags.all_valid not in raster.mask_flag_enums[light.bands[0] - 1]:
        return []
    return [band for band in alpha_bands(raster) if band not in light.bands]


def write_masked(
    folder: Path,
    name: str,
    raster: rasterio.DatasetReader,
    light: Light,
    collars: Sequence[Collar],
    source: str,
) -> Path:
    """Write a virtual raster of the light of a raster with its gaps as a mask.

    Parameters
    ----------
    folder
        Folder that it is written to.
    name
        Name of its files, without ending.
    raster, light
        An open raster, and what is read of it.
    collars
        Borders that are read as without data.
    source
        Path of the raster from the folder where the virtual raster will lie, or an absolute one.

    Returns
    -------
    The virtual raster.
    """
    ratio = max(1.0, max(raster.shape) / MASK_PX)
    height, width = (max(1, round(side / ratio)) for side in raster.shape)
    small = {"resampling": Resampling.nearest}
    raw = raster.read(list(light.bands), out_shape=(len(light.bands), height, width), **small)
    valid = raster.read_masks(light.bands[0], out_shape=(height, width), **small) > 0
    for band in unheeded(raster, light):
        valid &= raster.read(band, out_shape=(height, width), **small) > 0
    to_raster = Affine.scale(raster.width / width, raster.height / height)
    for collar in collars:
        valid &= ~collar.covers(light.expand(raw), light.bands, to_raster)
    profile = {
        "driver": "GTiff",
        "width": width,
        "height": height,
        "count": 1,
        "dtype": "uint8",
        "compress": "deflate",
    }
    place = {"crs": raster.crs, "transform": raster.transform @ to_raster}
    with rasterio.open(folder / f"{name}.tif", "w", **profile, **place) as mask:
        mask.write(np.where(valid, 255, 0).astype(np.uint8), 1)
    written = folder / f"{name}.vrt"
    text = _TEMPLATE.render(
        width=raster.width,
        height=raster.height,
        geotransform=raster.transform.to_gdal(),
        bands=light.bands,
        dtype=_GDAL_DTYPES[light.dtype.name],
        palette=light.table is not None,
        source=source,
        relative=int(not Path(source).is_absolute()),
        mask={"path": f"{name}.tif", "width": width, "height": height},
    )
    written.write_text(text, encoding="utf-8")
    return written


_GDAL_DTYPES = {
    "uint8": "Byte",
    "int8": "Int8",
    "uint16": "UInt16",
    "int16": "Int16",
    "uint32": "UInt32",
    "int32": "Int32",
    "uint64": "UInt64",
    "int64": "Int64",
    "float32": "Float32",
    "float64": "Float64",
}
# https://gdal.org/drivers/raster/vrt.html
_TEMPLATE = jinja2.Environment(
    autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
).from_string("""\
<VRTDataset rasterXSize="{{ width }}" rasterYSize="{{ height }}">
 <GeoTransform>{{ geotransform | join(", ") }}</GeoTransform>
 {% for band in bands %}
 <VRTRasterBand dataType="{{ dtype }}" band="{{ loop.index }}">
  <ComplexSource>
   <SourceFilename relativeToVRT="{{ relative }}">{{ source }}</SourceFilename>
   <SourceBand>{{ band }}</SourceBand>
   {% if palette %}
   <ColorTableComponent>{{ loop.index }}</ColorTableComponent>
   {% endif %}
  </ComplexSource>
 </VRTRasterBand>
 {% endfor %}
 <MaskBand>
  <VRTRasterBand dataType="Byte">
   <SimpleSource>
    <SourceFilename relativeToVRT="1">{{ mask.path }}</SourceFilename>
    <SourceBand>1</SourceBand>
    <SrcRect xOff="0" yOff="0" xSize="{{ mask.width }}" ySize="{{ mask.height }}"/>
    <DstRect xOff="0" yOff="0" xSize="{{ width }}" ySize="{{ height }}"/>
   </SimpleSource>
  </VRTRasterBand>
 </MaskBand>
</VRTDataset>
""")
