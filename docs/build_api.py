"""Build the pages on what the package offers to Python users: python docs/build_api.py [FOLDER]."""

import sys
from pathlib import Path

import pdoc
import pdoc.render

import roadprint

HERE = Path(__file__).resolve().parent


def build(folder: Path) -> None:
    """Write the pages.

    Parameters
    ----------
    folder
        Where they go; ``roadprint.html`` is the page itself.
    """
    # names are imported when they are asked for, and pdoc sees only what is there
    for name in roadprint.__all__:
        getattr(roadprint, name)
    pdoc.render.configure(docformat="numpy", show_source=False)
    pdoc.pdoc("roadprint", output_directory=folder)


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "api")
