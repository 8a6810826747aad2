"""What is made once for all processes of a test session: a town, and runs of it."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock
from real_data import DATA

TOP = Path(__file__).parents[1]


@dataclass(frozen=True)
class Shared:
    """A folder that all processes of a session have.

    What lies in it lies side by side, copies as well: a relative path from a run to its town holds in each copy.
    """

    folder: Path

    def once(self, name, make):
        """Have a folder filled by the first who asks; the others wait for that, and find it as it was made."""
        place, whole = self.folder / name, self._whole(name)
        with FileLock(self.folder / f".{name}.lock"):
            if not whole.exists():
                shutil.rmtree(place, ignore_errors=True)
                place.mkdir()
                make(place)
                whole.write_text(_listing(place))
        return place

    def said(self, name, *arguments):
        """Have the command line called as a user does; gives what it said at its end."""

        def make(out):
            command = [sys.executable, "-m", "flows.cli", *arguments, "--out", out, "--json"]
            places = {"PREFECT_HOME": str(out / "prefect"), "ROADPRINT_DATA": str(DATA.resolve())}
            run = subprocess.run(
                command, capture_output=True, text=True, check=False, cwd=TOP, env=os.environ | places
            )
            assert run.returncode == 0, run.stderr
            (out / "said.json").write_text(run.stdout)

        return json.loads((self.once(name, make) / "said.json").read_text())

    def new(self, name):
        """Make an empty folder."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))

    def copy(self, made):
        """Copy a folder, for those who change what is in it."""
        return shutil.copytree(made, self.new(made.name), symlinks=True, dirs_exist_ok=True)

    def changed(self):
        """List what was made once and is not as it was made."""
        names = [path.name[1:].removesuffix("-whole") for path in self.folder.glob(".*-whole")]
        return [name for name in names if self._whole(name).read_text() != _listing(self.folder / name)]

    def _whole(self, name):
        return self.folder / f".{name}-whole"


def shared_folder(tmp_path_factory):
    """Give the folder of the session, which pytest-xdist's processes have below one of their own."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "shared"
    folder.mkdir(exist_ok=True)
    return Shared(folder)


def _listing(folder):
    """List all files with their sizes and times of change."""
    found = [(path.relative_to(folder).as_posix(), path.lstat()) for path in sorted(folder.rglob("*"))]
    return "\n".join(f"{name} {seen.st_size} {seen.st_mtime_ns}" for name, seen in found)
