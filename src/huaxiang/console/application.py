"""The service with its console: what `huaxiang serve` runs."""

from __future__ import annotations

from fastapi import FastAPI

from huaxiang.console.pages import attach
from huaxiang.serve.process import Process, let_requests_go_first, told_process
from huaxiang.serve.service import Service
from huaxiang.serve.start import open_app


def make_app() -> FastAPI:
    """Return the application of one worker, as the environment describes it."""
    return let_requests_go_first(with_console(told_process()))


def with_console(process: Process) -> FastAPI:
    """Return the API of a process and its console as one application."""
    app = open_app(process)
    service: Service = app.state.service
    attach(app, service)
    return app
