"""A PostgreSQL of Debian's, in a folder of the test, on 127.0.0.1."""

import os
import pwd
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

USER = "postgres"


def programs() -> Path | None:
    """Find the folder of initdb and pg_ctl; None where PostgreSQL is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda p: int(p.parts[-3]))
    return found[-1].parent if found else None


@contextmanager
def postgres(port: int):
    """Start a database of its own; gives its address for Prefect."""
    # it refuses to be root's, and root's folders are closed to its user
    folder = Path("/var/tmp") / f"roadprint-postgres-{os.getpid()}-{port}"  # noqa: S108 - removed below
    folder.mkdir(mode=0o700)
    user = None
    if os.geteuid() == 0:
        user = USER
        os.chown(folder, pwd.getpwnam(USER).pw_uid, pwd.getpwnam(USER).pw_gid)
    bin_ = programs()

    def call(program, *arguments):
        command = [str(bin_ / program), *arguments]
        done = subprocess.run(
            command, user=user, cwd=folder, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    data = str(folder / "data")
    try:
        call("initdb", "-D", data, "-U", "prefect", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
        # its messages go to a file: pg_ctl would wait for the end of a pipe
        call("pg_ctl", "-D", data, "-o", options, "-l", str(folder / "log"), "-w", "start")
        try:
            yield f"postgresql+asyncpg://prefect@127.0.0.1:{port}/postgres"
        finally:
            call("pg_ctl", "-D", data, "-m", "fast", "-w", "stop")
    finally:
        shutil.rmtree(folder)
