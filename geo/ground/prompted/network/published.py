"""Which promptable networks there are by name, and where their weights belong on this machine.

No package holds these weights, and roadprint fetches none of them: a message says which file is missing, whose it is,
how large it is, what its digest is and where to put it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from geo.errors import EncoderError

_BLOCK = 1 << 22
_MEGABYTE = 1e6


@dataclass(frozen=True, slots=True)
class Published:
    """Weights that were published.

    Attributes
    ----------
    name
        As ``ground.sam`` names them.
    file
        The file's name, as published.
    project
        Who publishes it, and under which name of the model.
    size
        Bytes.
    sha256
        Digest of the file.
    licence
        Of the weights.
    """

    name: str
    file: str
    project: str
    size: int
    sha256: str
    licence: str = "Apache-2.0"

    @property
    def place(self) -> Path:
        """Where the file belongs: beside the checkpoints that torch keeps."""
        from geo.features.encoders.hub import checkpoints

        return checkpoints() / self.file


PUBLISHED = {
    one.name: one
    for one in (
        Published(
            "mobile_sam",
            "mobile_sam.pt",
            "the project MobileSAM of Chaoning Zhang and others, model vit_t",
            40_728_226,
            "6dbb90523a35330fedd7f1d3dfc66f995213d81b29a5ca8108dbcdd4e37d6c2f",
        ),
        Published(
            "sam",
            "sam_vit_b_01ec64.pth",
            "the project segment-anything of Meta (facebookresearch), model vit_b",
            375_042_383,
            "ec2df62732614e57411cdcf32a23ffdf28910380d03139ee0f4fcbe91eb8c912",
        ),
        Published(
            "sam2.1",
            "sam2.1_hiera_tiny.pt",
            "the project sam2 of Meta (facebookresearch), model sam2.1_hiera_tiny",
            156_008_466,
            "7402e0d864fa82708a20fbd15bc84245c2f26dff0eb43a4b5b93452deb34be69",
        ),
    )
}
"""The names, and what is known of the file of each: sizes and digests are those that other projects check them by
(micro-sam, and the release notes of the models)."""


def missing(one: Published) -> EncoderError:
    """Say which file to get, and where to put it."""
    return EncoderError(
        f"its weights are in no package and not on this machine: {one.file}, {one.size / _MEGABYTE:.1f} MB, licence "
        f"{one.licence}, of {one.project}",
        where=f"ground.sam {one.name}",
        todo=f"Get {one.file} (SHA-256 {one.sha256}) from its project and put it into the folder {one.place.parent}; "
        "or name a file or folder of weights in ground.sam; or choose ground.method: unsupervised, which needs none.",
    )


def refuse_other(one: Published, place: Path) -> None:
    """Refuse a file that is not the published one, by its size, then by its digest.

    Raises
    ------
    EncoderError
        When it is another; a shorter one is called truncated.
    """
    size = place.stat().st_size
    wrong = None
    if size < one.size:
        wrong = f"it is truncated: {size} of {one.size} bytes are there"
    elif size > one.size or _digest(place) != one.sha256:
        wrong = f"it is not the published {one.file} ({one.size} bytes, SHA-256 {one.sha256})"
    if wrong is not None:
        raise EncoderError(
            wrong,
            where=f"ground.sam {one.name}, {place}",
            todo=f"Get {one.file} again; or, if these weights are meant, name the file in ground.sam by its path.",
        )


def _digest(place: Path) -> str:
    """Digest a file without holding it."""
    found = hashlib.sha256()
    with place.open("rb") as stream:
        while block := stream.read(_BLOCK):
            found.update(block)
    return found.hexdigest()
