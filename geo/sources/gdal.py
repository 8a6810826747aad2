"""What GDAL says that an opened raster consists of."""

from __future__ import annotations

import warnings
from pathlib import Path

import pyogrio
import rasterio
from pyogrio.errors import DataLayerError, DataSourceError
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from geo.addresses import is_url

_NO_RASTER = "not recognized as"
_INDEX = "GTI"


def files_of_raster(path: Path) -> list[str] | None:
    """List the files on this machine that GDAL takes a raster to consist of, whether they are there or not, sorted.

    Of an index of tiles (GTI), whose files GDAL does not list, whatever its columns of text hold.

    Returns
    -------
    The files; none where it is no raster; None where GDAL cannot tell for now.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(path) as raster:
                found, driver = set(raster.files), raster.driver
        if driver == _INDEX:
            table = pyogrio.read_dataframe(path, read_geometry=False)
            found |= {
                str(path.parent / text) for name in table for text in table[name] if isinstance(text, str)
            }
    except (RasterioError, DataSourceError, DataLayerError) as error:
        return [] if _NO_RASTER in str(error) else None
    return sorted(file for file in found if not is_url(file))
