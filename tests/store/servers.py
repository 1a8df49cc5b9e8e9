"""Throw-away servers for the tests: Redis on a socket of its own, PostgreSQL with its durability on."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest


@contextmanager
def redis_server() -> Iterator[str]:
    """Yield the address of a Redis that keeps nothing on disk; skip where there is none."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("needs redis-server")
    with tempfile.TemporaryDirectory() as home:
        socket = Path(home) / "redis.sock"
        command = [program, "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", home]
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


@contextmanager
def postgresql_server() -> Iterator[str]:
    """Yield the address of an empty database; skip where PostgreSQL is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("needs PostgreSQL")
    programs = found[-1].parent
    home = Path(tempfile.mkdtemp(prefix="hxpg"))
    as_user = _owner(home)
    data = home / "data"

    def call(*command: str) -> None:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=home, preexec_fn=as_user)

    call(str(programs / "initdb"), "-D", str(data), "-U", "huaxiang", "--auth=trust", "-E", "UTF8")
    options = f"-k {home} -c listen_addresses='' -c fsync=on -c synchronous_commit=on"
    call(str(programs / "pg_ctl"), "-D", str(data), "-w", "-o", options, "-l", str(home / "log"), "start")
    try:
        yield f"postgresql://huaxiang@/postgres?host={home}"
    finally:
        with suppress(subprocess.CalledProcessError):
            call(str(programs / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(home, ignore_errors=True)


def _owner(home: Path):  # type: ignore[no-untyped-def]
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
