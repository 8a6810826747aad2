"""Which code made kept work: the modules that a module reaches by its imports, and the libraries that they use.

Kept work is named by both, so that it never outlives a change of either. Everything is read from the source, for a run
that changes nothing is known before anything heavy is imported.
"""

from __future__ import annotations

import hashlib
import platform
import re
import sys
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""Folder that holds the three floors."""
OURS = ("flows", "tasks", "geo")
DISTRIBUTIONS = {
    "PIL": "pillow",
    "open_clip": "open_clip_torch",
    "sklearn": "scikit-learn",
    "slugify": "python-slugify",
    "yaml": "pyyaml",
}
"""Libraries that are imported under another name than they are installed under."""
_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import[ \t]*(\([^)]*\)|[^\n#]*)|import[ \t]+([^\n#]+))", re.MULTILINE
)
_FOR_TYPES = re.compile(r"^if TYPE_CHECKING:\n(?:[ \t]+[^\n]*\n|\n)+", re.MULTILINE)
"""Imports that only those who check types read."""
_BESIDE = {".css", ".html", ".jinja", ".js", ".qgs", ".qml", ".xml"}
"""Endings of files that belong to a package and are no modules."""
_COMMENT = re.compile(r"#[^\n]*")


@cache
def closure(*modules: str) -> tuple[Path, ...]:
    """Find the files that modules are made of, with all of ours that they import, directly or not.

    Parameters
    ----------
    modules
        Names with dots, such as ``tasks.stages.network.roads``.

    Returns
    -------
    Files, sorted: modules, the ``__init__`` of the packages that they lie in, and what lies beside them and is no
    module (templates, styles).
    """
    left, found = list(modules), set[str]()
    while left:
        name = left.pop()
        if name in found:
            continue
        found.add(name)
        file = _module(name)
        if file is not None:
            left += [one for one in _imported(file) if _module(one) is not None]
        if "." in name:
            left.append(name.rpartition(".")[0])
    files = {file for name in found if (file := _module(name)) is not None}
    return tuple(sorted(files | {file for folder in {f.parent for f in files} for file in _beside(folder)}))


def libraries(*modules: str) -> dict[str, str]:
    """Tell the versions of Python and of the libraries that the closure of modules imports, by their names."""
    return dict(_libraries(*modules))


@cache
def _libraries(*modules: str) -> tuple[tuple[str, str], ...]:
    """List what `libraries` tells."""
    names = {
        one.split(".")[0] for file in closure(*modules) if file.suffix == ".py" for one in _imported(file)
    }
    known = {name: _version(name) for name in sorted(names - {*OURS, *sys.stdlib_module_names})}
    found = {"python": ".".join(platform.python_version_tuple()[:2])}
    found |= {DISTRIBUTIONS.get(name, name): version for name, version in known.items() if version}
    return tuple(found.items())


def look_again(*modules: str) -> None:
    """Forget what was read of code and libraries where a file of the closure of modules was replaced since."""
    if any(_state(file) != _bytes_digest(file)[1] for file in closure(*modules)):
        forget()


def forget() -> None:
    """Forget all that was read of code and libraries."""
    for kept in (code_digest, closure, _libraries, _module, _imported, _beside, _bytes_digest, _version):
        kept.cache_clear()


@cache
def code_digest(*modules: str) -> str:
    """Digest the closure of modules, and the versions of the libraries that it uses."""
    whole = hashlib.blake2b()
    for file in closure(*modules):
        whole.update(f"{file.relative_to(ROOT).as_posix()} {_bytes_digest(file)[0]}\n".encode())
    for name, found in sorted(libraries(*modules).items()):
        whole.update(f"{name} {found}\n".encode())
    return whole.hexdigest()


def _file(module: str) -> Path:
    """Name the file of a module or package of ours, whether it is there or not."""
    place = ROOT.joinpath(*module.split("."))
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


@cache
def _module(name: str) -> Path | None:
    """Find the file of a module or package of ours; None where there is none, or it is not ours."""
    if name.partition(".")[0] not in OURS:
        return None
    file = _file(name)
    return file if file.exists() else None


@cache
def _imported(file: Path) -> frozenset[str]:
    """Read which modules a file imports, wherever in it; names that are taken from a package may be modules of it."""
    found = set[str]()
    if not file.exists():
        return frozenset()
    text = _FOR_TYPES.sub("", file.read_text(encoding="utf-8"))
    for source, names, plain in _IMPORT.findall(text):
        if source:
            taken = [name.split()[0] for name in _listed(names)]
            found |= {source, *(f"{source}.{name}" for name in taken)}
        else:
            found |= {name.split()[0] for name in _listed(plain)}
    return frozenset(found)


def _listed(names: str) -> list[str]:
    """Split a list of imported names."""
    return [name for one in _COMMENT.sub("", names).strip("()").split(",") if (name := one.strip())]


@cache
def _beside(folder: Path) -> tuple[Path, ...]:
    """Find the files of a package that are no modules: its templates and the like, in folders that are no packages."""
    found: list[Path] = []
    for place in folder.iterdir():
        if place.is_dir():
            if place.name != "__pycache__" and not (place / "__init__.py").exists():
                found += [file for file in place.rglob("*") if file.suffix in _BESIDE]
        elif place.suffix in _BESIDE:
            found.append(place)
    return tuple(file for file in found if not file.name.startswith("."))


@cache
def _bytes_digest(file: Path) -> tuple[str, tuple[int, int] | None]:
    """Digest a file, with its state then."""
    state = _state(file)
    return hashlib.blake2b(file.read_bytes()).hexdigest(), state


def _state(file: Path) -> tuple[int, int] | None:
    """Tell size and time of change of a file; None where it is gone."""
    try:
        told = file.stat()
    except FileNotFoundError:
        return None
    return told.st_size, told.st_mtime_ns


@cache
def _version(library: str) -> str | None:
    """Look up the version of an installed library by the name that it is imported under; None: it is not installed."""
    try:
        return version(DISTRIBUTIONS.get(library, library))
    except PackageNotFoundError:
        return None


def merged(versions: Iterable[dict[str, str]]) -> dict[str, str]:
    """Bring the versions that several stages were made with together; a library that had two is told with both."""
    found: dict[str, list[str]] = {}
    for some in versions:
        for name, number in some.items():
            if number not in found.setdefault(name, []):
                found[name].append(number)
    return {name: " and ".join(numbers) for name, numbers in sorted(found.items())}
