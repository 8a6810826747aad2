"""Writes the bank of concepts of the bundled encoder from labelled scenes: ``python -m tasks.concept_bank FOLDER``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from geo.config import encoder_settings
from geo.errors import SourceError
from geo.features.registry import load_encoder
from geo.features.store import postprocessing
from geo.search.words.bank import BUNDLED, write_bank
from geo.search.words.scenes import PIXEL_M, SIDE_PX, learn
from geo.sources.digest import digest_source


def main() -> None:
    """Learn the bank, write it, and say how often it is right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a folder a class, with its scenes as JPEG (UC Merced)")
    parser.add_argument("--out", type=Path, default=BUNDLED, help="the file to write")
    asked = parser.parse_args()
    files = sorted(asked.folder.glob("*/*.jpg"))
    if not files:
        raise SourceError(
            "there is no CLASS/*.jpg", where=str(asked.folder), todo="Name the folder of the scenes."
        )
    settings = encoder_settings(name="bundled")
    encoder = load_encoder(settings, tile_m=SIDE_PX * PIXEL_M, pixel_m=PIXEL_M)
    made = {
        "emb:model.name": encoder.card.name,
        "emb:model.source": encoder.card.source,
        "emb:weights": ";".join(digest_source(file) for file in settings.files()),
        "emb:dimensions": encoder.card.dimension,
        "emb:postprocessing": postprocessing(settings),
    }
    bank = learn(files, encoder, made)
    write_bank(asked.out, bank)
    card = bank.card
    right = ", ".join(f"{share:.1%} at {pixel_m} m a pixel" for pixel_m, share in card.right.items())
    sys.stdout.write(
        f"{len(files)} scenes of {len(card.classes)} classes. Of scenes left out the likeliest class is right for "
        f"{right}; {card.sure:.1%} are sure enough for a word, {card.sure_right:.1%} of them right, and "
        f"{card.unknown_sure:.1%} of scenes of a class that was left out whole.\n{asked.out}\n"
    )


if __name__ == "__main__":
    main()
