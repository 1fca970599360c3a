"""Greenlets that run for as long as the process does: each has a name, and its death is told."""

from collections.abc import Callable

import gevent

from vda5050.logs import get_logger

log = get_logger(__name__)


def start(run: Callable[[], None], *, name: str) -> "gevent.Greenlet[..., None]":
    """Run it in a greenlet of its own. An exception that ends it is logged as critical, with the name and the stack."""
    greenlet = gevent.Greenlet(run)
    greenlet.name = name
    greenlet.link_exception(_log_death)
    greenlet.start()
    return greenlet


def _log_death(dead: "gevent.Greenlet[..., None]") -> None:
    log.critical("a greenlet died", greenlet=dead.name, exc_info=dead.exception)
