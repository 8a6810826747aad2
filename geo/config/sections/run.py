"""The section of a city's file that says where the work is done; nothing in it changes a result."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from geo.config.section import Section


class Run(Section):
    """Where shards are encoded."""

    runner: Literal["threads", "dask"] = Field(
        default="threads", description="threads: in this process; dask: on the workers of a Dask cluster."
    )
    scheduler: str | None = Field(
        default=None,
        pattern=r"^(tcp|tls|ws|wss)://[^\s]+$",
        description="Address of the cluster's scheduler, such as tcp://10.0.0.5:8786; null: a cluster of processes is "
        "started here, one a core, for the time of the run.",
    )
    shared: str | None = Field(
        default=None,
        description="Folder, or a URL that fsspec knows (s3://, gs://, sftp://, file://), by which workers get tables "
        "and hand shards back; null: they see the folder of results under the same path.",
    )
