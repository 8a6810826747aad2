"""What a worker of a Dask cluster keeps for itself."""

import multiprocessing

import pytest
from distributed import Client, LocalCluster

from tasks.store.shared import _scratch

URL = "file:///shared/demo-town"


def test_the_folder_of_a_worker_serves_all_its_shards_and_goes_with_it():
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        place = client.submit(_scratch, URL, pure=False).result()
        (place / "tiles.parquet").write_bytes(b"tiles")
        assert client.submit(_scratch, URL, pure=False).result() == place
        assert (place / "tiles.parquet").exists()
    assert not place.exists()


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_the_folder_of_a_process_goes_however_it_was_started(method):
    with multiprocessing.get_context(method).Pool(1) as pool:
        place = pool.apply(_scratch, (URL,))
        assert place.exists()
        pool.close()
        pool.join()
    assert not place.exists()
