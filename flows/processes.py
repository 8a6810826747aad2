"""Processes that we start, and how they talk on this machine: with our own packages, and without a proxy.

Somebody else's `flows`, `tasks` or `geo` may lie in the working folder or on ``PYTHONPATH``, and Python takes the first
that it finds. What is started here finds ours. A proxy that the environment names is for what lies outside: a server
of Prefect's on this machine is asked without it.
"""

from __future__ import annotations

import errno
import os
import site
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from geo.errors import ConfigurationError

HOME = Path(__file__).resolve().parents[1]
"""The folder that our packages stand in."""
HOST = "127.0.0.1"
ON_THIS_MACHINE = (HOST, "localhost")
MOST_PORT = 65535
_NO_PROXY = ("no_proxy", "NO_PROXY")
_FOR_GDAL = {"http_proxy": "GDAL_HTTP_PROXY", "https_proxy": "GDAL_HTTPS_PROXY"}
_FOR_ALL = "all_proxy"


def listening(port: int | None, name: str = "--port") -> socket.socket:
    """Take a port on this machine.

    Parameters
    ----------
    port
        Its number; None: one that is free.
    name
        What it is called where it is asked for.

    Raises
    ------
    ConfigurationError
        When it is in use, or may not be used.
    """
    where, todo = f"{name} {port}", "Give another one, or none: one that is free is taken."
    if port is not None and not 0 <= port <= MOST_PORT:
        raise ConfigurationError("there is no such port", where=where, todo=todo)
    place = socket.socket()
    if os.name == "posix":
        # a port that was served a moment ago is free
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        place.bind((HOST, port or 0))
        place.listen()
    except OSError as error:
        place.close()
        used = error.errno == errno.EADDRINUSE
        raise ConfigurationError(
            "the port is in use" if used else f"the port cannot be used ({error.strerror})",
            where=where,
            todo=todo,
        ) from error
    return place


def ours(module: str, *arguments: str) -> list[str]:
    """Write the command that runs a module of ours as a program, whatever of that name lies elsewhere."""
    return [sys.executable, "-m", "roadprint.start", module, *arguments]


def prefects(*arguments: str) -> list[str]:
    """Write a command of Prefect's."""
    return [sys.executable, "-m", "prefect", *arguments]


def surroundings(**more: str) -> dict[str, str]:
    """Give the environment of a process that we start: that of this one, its paths whole, with `more`.

    Neither it nor what it starts looks for packages in the working folder. A checkout that is not installed is found by
    its place.
    """
    known = [
        str(Path(place).absolute()) for place in os.environ.get("PYTHONPATH", "").split(os.pathsep) if place
    ]
    if str(HOME) not in [*known, *site.getsitepackages(), site.getusersitepackages()]:
        known.append(str(HOME))
    found = {"PYTHONSAFEPATH": "1", "PYTHONPATH": os.pathsep.join(known)}
    return direct(os.environ | found | more)


def direct(environment: Mapping[str, str]) -> dict[str, str]:
    """Give an environment in which addresses on this machine are asked without a proxy, and no proxy ends a process.

    urllib, httpx, websockets and GDAL read the same variables. httpx, by which Prefect asks, ends with an error at a
    proxy that it cannot use (SOCKS needs one more package), whatever the address: such a one is left to GDAL alone,
    which fetches imagery.
    """
    proxies = {name: _either(environment, name) for name in (*_FOR_GDAL, _FOR_ALL)}
    changed = dict(environment)
    if not any(proxies.values()):
        return changed
    apart = [one.strip() for one in _either(environment, "no_proxy").split(",") if one.strip()]
    if "*" not in apart:
        apart += [address for address in ON_THIS_MACHINE if address not in apart]
    changed |= dict.fromkeys(_NO_PROXY, ",".join(apart))
    for name in {name for name, address in proxies.items() if address and not _usable(address)}:
        for spelt in (name, name.upper()):
            changed.pop(spelt, None)
        for scheme, option in _FOR_GDAL.items():
            address = proxies[scheme] or proxies[_FOR_ALL]
            if address:
                changed.setdefault(option, address)
    return changed


def _either(environment: Mapping[str, str], name: str) -> str:
    """Read a variable in small letters, which count more, or in capitals."""
    return environment.get(name) or environment.get(name.upper(), "")


def _usable(address: str) -> bool:
    """Tell whether httpx can use a proxy."""
    import httpx  # noqa: PLC0415 - few have a proxy

    try:
        proxy = httpx.Proxy(address if "://" in address else f"http://{address}")
        # nothing is asked through it
        httpx.HTTPTransport(proxy=proxy, verify=False).close()
    except (ImportError, ValueError, httpx.InvalidURL):
        return False
    return True


@contextmanager
def asking_directly() -> Iterator[None]:
    """Have this process ask addresses on this machine without a proxy; see `direct`."""
    before = dict(os.environ)
    after = direct(before)
    changed = [name for name in {*before, *after} if before.get(name) != after.get(name)]
    _set(changed, after)
    try:
        yield
    finally:
        _set(changed, before)


def _set(names: list[str], values: Mapping[str, str]) -> None:
    """Set variables of this process's environment as they are in `values`."""
    for name in names:
        if name in values:
            os.environ[name] = values[name]
        else:
            os.environ.pop(name, None)
