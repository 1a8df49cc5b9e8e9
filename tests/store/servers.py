"""Throw-away servers for the tests: Redis on a socket of its own, PostgreSQL with its durability on."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest


@contextmanager
def redis_server(*options: str) -> Iterator[str]:
    """Yield the address of a Redis that keeps nothing on disk unless told to; skip where there is none."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("needs redis-server")
    with tempfile.TemporaryDirectory() as home:
        socket = Path(home) / "redis.sock"
        command = [program, "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", home, *options]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            for _ in range(200):
                if socket.exists():
                    break
                time.sleep(0.02)
            yield f"unix://{socket}"
        finally:
            process.terminate()
            process.wait(timeout=10)


@dataclass(frozen=True)
class PostgreSQL:
    """A server with a folder of its own; it can be stopped and started again."""

    programs: Path
    home: Path
    become: Callable[[], None] | None
    settings: Sequence[str] = ()

    @property
    def url(self) -> str:
        """The address of its database."""
        return f"postgresql://huaxiang@/postgres?host={self.home}"

    def create(self) -> None:
        """Make an empty database."""
        folder = str(self.home / "data")
        self.call("initdb", "-D", folder, "-U", "huaxiang", "--auth=trust", "-E", "UTF8")

    def start(self) -> None:
        """Start, with everything on that a power cut asks for."""
        options = f"-k {self.home} -c listen_addresses='' -c fsync=on -c synchronous_commit=on"
        options += "".join(f" -c {setting}" for setting in self.settings)
        log = str(self.home / "log")
        self.call("pg_ctl", "-D", str(self.home / "data"), "-w", "-o", options, "-l", log, "start")

    def stop(self, mode: str = "immediate") -> None:
        """Stop: immediate is as if it had been killed."""
        self.call("pg_ctl", "-D", str(self.home / "data"), "-m", mode, "stop")

    def call(self, program: str, *arguments: str) -> None:
        """Run one of its programs as its owner."""
        command = [str(self.programs / program), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self.home, preexec_fn=self.become)


@contextmanager
def postgresql(*settings: str) -> Iterator[PostgreSQL]:
    """Yield a running server with an empty database; skip where PostgreSQL is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("needs PostgreSQL")
    home = Path(tempfile.mkdtemp(prefix="hxpg"))
    server = PostgreSQL(found[-1].parent, home, _owner(home), settings)
    server.create()
    server.start()
    try:
        yield server
    finally:
        with suppress(subprocess.CalledProcessError):
            server.stop()
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def postgresql_server(*settings: str) -> Iterator[str]:
    """Yield the address of an empty database; skip where PostgreSQL is not installed.

    Parameters
    ----------
    settings
        Of the server, as "wal_recycle=off".
    """
    with postgresql(*settings) as server:
        yield server.url


def _owner(home: Path) -> Callable[[], None] | None:
    """Give the folder to an unprivileged user, as PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return None
    user = pwd.getpwnam("postgres" if _exists("postgres") else "nobody")
    os.chown(home, user.pw_uid, user.pw_gid)

    def become() -> None:
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)

    return become


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
