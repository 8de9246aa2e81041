"""All that stands between the service and who asks it."""

from __future__ import annotations

import logging

from fastapi import FastAPI

from app.access.guard import OpenPaths, RequireKey
from app.access.headers import SecureHeaders
from app.access.keys import KeyRing
from app.access.openapi import declare_keys
from app.access.sites import AdmitSites
from app.settings import Settings
from app.v2.answers import HEADER_LENGTH

logger = logging.getLogger(__name__)

_HEALTH = ("/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready")
# Browsers cannot show a key when they go to a page; what pages ask for then needs one.
_PAGES = ("/", "/docs", "/openapi.json")
_FILES_OF_PAGES = ("/page/", "/docs/")


def protect(app: FastAPI, settings: Settings) -> None:
    """Ask for keys, admit pages of other sites, and add security headers, as the settings have it.

    Middleware that is added later sees what is refused here.
    """
    if settings.api_keys:
        metrics = ("/metrics",) if settings.open_metrics else ()
        open_paths = OpenPaths(frozenset(_HEALTH + _PAGES + metrics), _FILES_OF_PAGES)
        app.add_middleware(RequireKey, keys=KeyRing(settings.api_keys), open_paths=open_paths)
        declare_keys(app, open_paths)
    if settings.cors_origins:
        app.add_middleware(  # around the keys: browsers ask without one whether they may ask
            AdmitSites,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "X-API-Key", "X-Request-ID", HEADER_LENGTH],
            expose_headers=["Retry-After", "WWW-Authenticate", "X-Request-ID", HEADER_LENGTH],
        )
    app.add_middleware(SecureHeaders)


def log_who_may_ask(settings: Settings) -> None:
    """Say in the log whether the service is open, and to which sites."""
    if settings.api_keys:
        logger.info("closed: requests need a key; accepted keys: %d", len(settings.api_keys))
    else:
        logger.warning("open: whoever reaches the port may ask; ALEXNET_API_KEYS closes it")
    for origin in settings.cors_origins:
        logger.info("pages of %s may ask", origin)
