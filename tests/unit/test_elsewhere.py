"""Embeddings that others have computed: each trap of them on a small made file."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import rasterio
import shapely
from made_vectors import CRS, X, Y, chips, codes, write

from geo.config.sections.elsewhere import Elsewhere
from geo.errors import LayerError, SourceError
from geo.features.elsewhere.catalogue import describe
from geo.features.elsewhere.inputs import files_of, inputs_of
from geo.features.elsewhere.pool import corridor, pool
from geo.features.elsewhere.products import PRODUCTS, decode
from geo.features.elsewhere.summary import summarise

NEAR = shapely.box(X, Y, X + 400, Y + 400)


def roads():
    """A road in the west, one in the east, one across, and one beside the raster."""
    lines = [
        [(50, 100), (50, 300)],
        [(350, 100), (350, 250)],
        [(150, 200), (250, 200)],
        [(900, 0), (900, 99)],
    ]
    return corridor(shapely.linestrings([np.add(line, (X, Y)) for line in lines]), 30)


def pooled(path, product="alphaearth", shapes=None, **keys):
    settings = Elsewhere(sources=[str(path)], product=product, **keys)
    known = describe(settings, CRS, NEAR)
    return pool(roads() if shapes is None else shapes, settings, known.files, known.dimension)


def expected(values, shape):
    """Average by the ground in common, pixel by pixel: another way to the same."""
    vectors = np.square(values / 127.5) * np.sign(values)
    total = np.zeros(len(values))
    for row in range(values.shape[1]):
        for col in range(values.shape[2]):
            square = shapely.box(X + 10 * col, Y + 400 - 10 * row - 10, X + 10 * col + 10, Y + 400 - 10 * row)
            total += vectors[:, row, col] * square.intersection(shape).area
    return total / np.linalg.norm(total)


def test_a_road_has_the_mean_of_the_ground_in_its_corridor_at_length_1(tmp_path):
    values = codes()
    found = pooled(write(tmp_path / "2024.tif", values))
    for i in range(3):
        assert found.vectors[i] == pytest.approx(expected(values.astype(float), roads()[i]), abs=1e-5)
    assert np.linalg.norm(found.vectors[:3], axis=1) == pytest.approx(1)
    assert found.coverage.tolist() == [1, 1, 1, 0]
    assert np.isnan(found.vectors[3]).all()
    assert found.sources == ["2024", "2024", "2024", ""]


def test_south_up_is_read_as_it_lies(tmp_path):
    values = codes()
    up, down = (
        pooled(write(tmp_path / f"{name}.tif", values, south_up=name == "south"))
        for name in ("north", "south")
    )
    assert down.vectors == pytest.approx(up.vectors, abs=1e-6, nan_ok=True)


def test_another_crs_and_a_finer_grid_give_the_same_ground(tmp_path):
    values = codes()
    plain = pooled(write(tmp_path / "plain.tif", values))
    fine = np.repeat(np.repeat(values, 10, axis=1), 10, axis=2)
    # nearest pixels of 2 m in the next zone and in degrees
    for crs in ("EPSG:32630", "EPSG:4326"):
        from rasterio.warp import Resampling, calculate_default_transform, reproject

        place, width, height = calculate_default_transform(
            CRS, crs, 400, 400, X, Y, X + 400, Y + 400, dst_width=500, dst_height=500
        )
        turned = np.full((64, height, width), -128, np.int8)
        source = rasterio.Affine(1, 0, X, 0, -1, Y + 400)
        reproject(
            fine, turned, src_transform=source, src_crs=CRS, dst_transform=place, dst_crs=crs,
            src_nodata=-128, dst_nodata=-128, resampling=Resampling.nearest,
        )  # fmt: skip
        found = pooled(write(tmp_path / "turned.tif", turned, crs=crs, transform=place, nodata=-128))
        assert (found.vectors[:3] * plain.vectors[:3]).sum(axis=1) == pytest.approx(1, abs=1e-3)


def test_pixels_without_data_are_left_out_of_the_mean(tmp_path):
    values = codes()
    values[:, 20:, :20] = -128
    found = pooled(write(tmp_path / "gaps.tif", values))
    assert found.coverage[0] == pytest.approx(0.5)
    seen = codes()[:, :20].astype(float)
    road = shapely.intersection(roads()[0], shapely.box(X, Y + 200, X + 400, Y + 400))
    assert found.vectors[0] == pytest.approx(
        expected(np.pad(seen, ((0, 0), (0, 20), (0, 0))), road), abs=1e-5
    )


def test_the_length_is_1_after_averaging_not_before(tmp_path):
    # the road across sees two looks: the mean of unit vectors is shorter than 1
    found = pooled(write(tmp_path / "one.tif", codes()))
    assert np.linalg.norm(found.vectors[2]) == pytest.approx(1)


def test_minimum_maximum_and_deviation_are_joined_in_the_order_asked_for():
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(50, 4)).astype(np.float32)
    owner = rng.integers(0, 3, 50)
    weights = rng.uniform(1, 2, 50)
    found = summarise(owner, weights, vectors, 3, ("mean", "deviation", "min", "max"))
    for road in range(3):
        mine, share = vectors[owner == road].astype(float), weights[owner == road]
        mean = np.average(mine, axis=0, weights=share)
        spread = np.sqrt(np.average((mine - mean) ** 2, axis=0, weights=share))
        whole = np.concatenate([mean, spread, mine.min(axis=0), mine.max(axis=0)])
        assert found[road] == pytest.approx(whole / np.linalg.norm(whole), abs=1e-5)


def test_alphaearth_is_decoded_by_the_published_map():
    every = np.arange(-127, 128, dtype=np.int8)[:, None]
    assert decode(every, PRODUCTS["alphaearth"])[:, 0] == pytest.approx(
        [((v / 127.5) ** 2) * np.sign(v) if v else np.nan for v in range(-127, 128)], abs=1e-6, nan_ok=True
    )


@pytest.mark.parametrize(
    ("change", "product", "words"),
    [
        (lambda v: v.astype(np.int16), "alphaearth", "whole numbers"),
        (lambda v: v.astype(np.float32), "alphaearth", "whole numbers"),
        (lambda v: v, "other", "whole numbers"),
        (lambda v: v / np.float32(127), "alphaearth", "has length"),
        (lambda v: v[:63], "alphaearth", "63 numbers, and those of AlphaEarth"),
        (lambda v: np.tile(v, (2, 1, 1)), "tessera", "whole numbers"),
    ],
    ids=["int16", "float", "other", "halved", "a band less", "tessera"],
)
def test_codes_that_were_not_decoded_are_refused(tmp_path, change, product, words):
    path = write(tmp_path / "a.tif", change(codes()))
    with pytest.raises(LayerError, match=words):
        pooled(path, product)


def test_vectors_under_the_roads_are_looked_at_and_not_only_a_sample(tmp_path):
    values = codes().astype(np.float32)
    values = np.square(values / 127.5) * np.sign(values)
    big = np.full((64, 200, 40), 1 / 8, np.float32)
    big[:, :40] = values
    big[:, 0, 5] = 3
    path = write(tmp_path / "a.tif", big)
    settings = Elsewhere(sources=[str(path)], product="alphaearth")
    near = shapely.box(X, Y - 1500, X + 400, Y + 400)
    known = describe(settings, CRS, near)
    road = corridor(shapely.linestrings([[(X + 55, Y + 380), (X + 55, Y + 400)]]), 30)
    with pytest.raises(LayerError, match="has length"):
        pool(road, settings, known.files, 64)


def test_a_raster_that_was_decoded_already_is_taken_as_it_is(tmp_path):
    values = codes()
    decoded = (np.square(values / np.float32(127.5)) * np.sign(values)).astype(np.float32)
    one, other = pooled(write(tmp_path / "a.tif", values)), pooled(write(tmp_path / "b.tif", decoded))
    assert other.vectors == pytest.approx(one.vectors, abs=1e-6, nan_ok=True)


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ("v1/annual/2023/31N/a.tif", "v1/annual/2024/31N/b.tif", "years differ: 2023 .* and 2024"),
        ("v1/annual/2024/31N/a.tif", "v2/annual/2024/31N/b.tif", "versions differ: 1 .* and 2"),
        ("a_2023.tif", "b_2024.tif", "years differ"),
    ],
)
def test_mixed_versions_and_years_are_refused(tmp_path, first, second, words):
    for name in (first, second):
        write(tmp_path / name, codes())
    settings = Elsewhere(sources=[str(tmp_path)], product="alphaearth")
    with pytest.raises(LayerError, match=words):
        describe(settings, CRS, NEAR)


def test_versions_of_tessera_are_read_from_what_its_files_say(tmp_path):
    values = np.random.default_rng(0).normal(size=(128, 40, 40)).astype(np.float32)
    values[:, :, :3] = np.nan
    tags = {"TESSERA_DATASET_VERSION": "1.1", "TESSERA_DATASET_VARIANT": "cambridge", "TESSERA_YEAR": "2024"}
    write(tmp_path / "a.tif", values, **tags)
    settings = Elsewhere(sources=[str(tmp_path / "*.tif")], product="tessera")
    known = describe(settings, CRS, NEAR)
    assert (known.year, known.version, known.dimension) == ("2024", "1.1 cambridge", 128)
    write(tmp_path / "b.tif", values, **tags | {"TESSERA_DATASET_VERSION": "v1"})
    with pytest.raises(LayerError, match="versions differ"):
        describe(settings, CRS, NEAR)
    asked = Elsewhere(sources=[str(tmp_path / "a.tif")], product="tessera", year=2023)
    with pytest.raises(LayerError, match=r"year asked for is 2023, and a.tif is of 2024"):
        describe(asked, CRS, NEAR)


def test_tesseras_codes_times_their_scales_are_its_geotiff(tmp_path):
    rng = np.random.default_rng(2)
    whole = rng.integers(-127, 128, (40, 40, 128)).astype(np.int8)
    scales = rng.uniform(0.01, 0.1, (40, 40)).astype(np.float32)
    scales[:, :3] = np.nan
    folder = tmp_path / "v1" / "2024"
    folder.mkdir(parents=True)
    np.save(folder / "grid_3.05_51.45.npy", whole)
    np.save(folder / "grid_3.05_51.45_scales.npy", scales)
    write(folder / "grid_3.05_51.45.tiff", np.ones((1, 40, 40), np.uint8))
    tif = write(tmp_path / "one.tif", np.moveaxis(whole * scales[..., None], -1, 0).astype(np.float32))
    arrays, raster = pooled(folder, "tessera"), pooled(tif, "tessera")
    assert arrays.vectors == pytest.approx(raster.vectors, abs=1e-6, nan_ok=True)
    assert files_of([str(folder)]) == [str(folder / "grid_3.05_51.45.npy")]
    assert len(inputs_of([str(folder)])) == 3
    (folder / "grid_3.05_51.45_scales.npy").unlink()
    with pytest.raises(LayerError, match=r"scales .* is not beside it"):
        pooled(folder, "tessera")


def test_ground_that_two_files_show_counts_once_and_each_fills_the_others_gaps(tmp_path):
    values = codes()
    whole = pooled(write(tmp_path / "whole" / "a.tif", values))
    north, south = values.copy(), values.copy()
    north[:, 25:] = -128
    south[:, :15] = -128
    write(tmp_path / "two" / "north.tif", north)
    write(tmp_path / "two" / "south.tif", south)
    both = pooled(tmp_path / "two")
    assert both.coverage.tolist() == [1, 1, 1, 0]
    assert both.vectors == pytest.approx(whole.vectors, abs=1e-5, nan_ok=True)
    assert both.sources[0] == "north;south"


def test_files_that_show_nothing_of_the_city_are_told_and_none_at_all_is_refused(tmp_path):
    write(tmp_path / "here.tif", codes())
    there = write(tmp_path / "there.tif", codes(), transform=rasterio.Affine(10, 0, X + 9000, 0, -10, Y))
    known = describe(Elsewhere(sources=[str(tmp_path)], product="alphaearth"), CRS, NEAR)
    assert [(one.status, one.count) for one in known.entries] == [("done", 1), ("skipped", 1)]
    with pytest.raises(LayerError, match="not one of 1 files of embeddings shows a road"):
        describe(Elsewhere(sources=[str(there)], product="alphaearth"), CRS, NEAR)


@pytest.mark.parametrize("name", ["a.tif", "a.parquet", "none.tif"])
def test_a_file_that_is_cut_short_or_not_there_is_refused_in_one_message(tmp_path, name):
    if name == "a.tif":
        write(tmp_path / name, codes())
    elif name == "a.parquet":
        chips().to_parquet(tmp_path / name)
    if name != "none.tif":
        whole = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError, match="cannot be read"):
        pooled(tmp_path / name)


def test_chips_are_weighted_by_the_ground_in_common(tmp_path):
    chips().to_crs(4326).to_parquet(tmp_path / "a.parquet")
    found = pooled(tmp_path / "a.parquet", "clay")
    # from y = 100 to 300 in the first column: half in the second row, half in the third
    wanted = np.array([-0.5, 1.75, 1.0])
    assert found.vectors[0] == pytest.approx(wanted / np.linalg.norm(wanted), abs=1e-3)
    assert found.coverage == pytest.approx([1, 1, 1, 0], abs=1e-3)


def test_vectors_may_be_lists_of_one_length_a_struct_or_columns_of_numbers(tmp_path):
    frame = chips()
    stacked = np.stack(frame["embeddings"]).astype(np.float32)
    fixed = pa.FixedSizeListArray.from_arrays(pa.array(stacked.ravel()), 3)
    struct = pa.StructArray.from_arrays([pa.array(stacked[:, i]) for i in range(3)], ["x", "y", "z"])
    frame.drop(columns="embeddings").to_parquet(tmp_path / "plain.parquet")
    plain = pq.read_table(tmp_path / "plain.parquet")
    forms = {
        "fixed": plain.append_column("vector", fixed),
        "struct": plain.append_column("embedding", struct),
        "large": plain.append_column("embedding", fixed.cast(pa.large_list(pa.float32()))),
        "columns": plain.append_column("A00", pa.array(stacked[:, 0]))
        .append_column("A01", pa.array(stacked[:, 1]))
        .append_column("A02", pa.array(stacked[:, 2])),
    }
    frame.to_parquet(tmp_path / "list.parquet")
    usual = pooled(tmp_path / "list.parquet", "clay").vectors
    for name, table in forms.items():
        pq.write_table(table, tmp_path / f"{name}.parquet", row_group_size=5)
        found = pooled(tmp_path / f"{name}.parquet", "clay").vectors
        assert found == pytest.approx(usual, abs=1e-6, nan_ok=True), name


def test_wkb_without_metadata_is_longitude_and_latitude(tmp_path):
    frame = chips().to_crs(4326)
    frame.to_parquet(tmp_path / "a.parquet")
    plain = pd.DataFrame(frame.drop(columns="geometry")).assign(geometry=frame.geometry.to_wkb())
    plain.to_parquet(tmp_path / "b.parquet")
    one, other = (pooled(tmp_path / name, "major_tom") for name in ("a.parquet", "b.parquet"))
    assert other.vectors == pytest.approx(one.vectors, nan_ok=True)


def test_points_need_the_side_of_a_chip(tmp_path):
    frame = chips()
    frame.to_parquet(tmp_path / "a.parquet")
    frame.assign(geometry=frame.centroid).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(LayerError, match="but the middle of each chip"):
        pooled(tmp_path / "b.parquet", "clay")
    found = pooled(tmp_path / "b.parquet", "clay", chip_m=100)
    assert found.vectors == pytest.approx(pooled(tmp_path / "a.parquet", "clay").vectors, nan_ok=True)


def test_chips_without_a_vector_or_with_nan_are_gaps_that_are_told(tmp_path):
    frame = chips()
    odd = {1: None, 2: [np.nan, 1.0, 1.0]}
    frame["embeddings"] = [odd.get(i, vector) for i, vector in enumerate(frame["embeddings"])]
    frame.to_parquet(tmp_path / "a.parquet")
    known = describe(Elsewhere(sources=[str(tmp_path / "a.parquet")], product="clay"), CRS, NEAR)
    assert [(one.item, one.status, one.count) for one in known.entries][-1] == ("chips", "skipped", 2)
    assert pooled(tmp_path / "a.parquet", "clay").coverage.tolist() == [0, 1, 1, 0]
    frame.assign(embeddings=None).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(LayerError, match="vector"):
        pooled(tmp_path / "b.parquet", "clay")


def test_vectors_of_several_lengths_or_codes_are_refused(tmp_path):
    frame = chips()
    frame["embeddings"] = [*frame["embeddings"][:15], [1.0, 2.0]]
    frame.to_parquet(tmp_path / "a.parquet")
    with pytest.raises(LayerError, match="from 2 to 3 numbers"):
        pooled(tmp_path / "a.parquet", "clay")
    chips(embeddings=[[12, -7, 99]] * 16).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(LayerError, match="whole numbers"):
        pooled(tmp_path / "b.parquet", "clay")


def test_chips_of_two_years_or_models_are_refused_and_one_year_may_be_taken(tmp_path):
    again = chips(embeddings=[[9.5, 9.5, 9.5]] * 16, datetime="2023-06-01T00:00:00Z")
    both = pd.concat([chips(datetime="2024-06-01T00:00:00Z"), again], ignore_index=True)
    both.to_parquet(tmp_path / "a.parquet")
    with pytest.raises(LayerError, match=r"years differ: 2023 .* and 2024"):
        pooled(tmp_path / "a.parquet", "clay")
    chips().to_parquet(tmp_path / "b.parquet")
    found = pooled(tmp_path / "a.parquet", "clay", year=2024)
    assert found.vectors == pytest.approx(pooled(tmp_path / "b.parquet", "clay").vectors, nan_ok=True)
    chips(model_version=["1.5", "1.0"] * 8).to_parquet(tmp_path / "c.parquet")
    with pytest.raises(LayerError, match=r"versions differ: 1 .* and 1.5"):
        pooled(tmp_path / "c.parquet", "clay")


def test_the_version_of_a_model_is_read_from_the_files_metadata(tmp_path):
    chips().to_parquet(tmp_path / "a.parquet")
    table = pq.read_table(tmp_path / "a.parquet")
    told = {b"emb": json.dumps({"model": {"version": "2"}}).encode()}
    pq.write_table(table.replace_schema_metadata(table.schema.metadata | told), tmp_path / "a.parquet")
    settings = Elsewhere(sources=[str(tmp_path / "a.parquet")], product="other")
    assert describe(settings, CRS, NEAR).version == "2"


def test_chips_larger_than_streets_are_told(tmp_path):
    chips(side=3000).to_parquet(tmp_path / "a.parquet")
    known = describe(Elsewhere(sources=[str(tmp_path / "a.parquet")], product="major_tom"), CRS, NEAR)
    assert any("3,000 m of ground" in one for one in known.warnings)
