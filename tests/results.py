"""What lies in the folder of a city's runs."""

import pandas as pd


def latest(folder):
    """The folder of the newest run."""
    return (folder / "latest").resolve()


def table(folder, name):
    """A layer of the newest run."""
    return pd.read_parquet(latest(folder) / "layers" / f"{name}.parquet")
