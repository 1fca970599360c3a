"""The Flask side: one file a concern, all of them thin.

    health      /health /ready /metrics
    robots      /robots /robots/<manufacturer>/<serial>
    history     /history
    replay      /replay
    export      /history/export /robots/<manufacturer>/<serial_number>/timeline
    stream      /stream /stream/<manufacturer>/<serial>   Server-Sent Events
    websocket   /ws                                       the same over a WebSocket
    conformance /conformance /robots/<manufacturer>/<serial_number>/conformance
    alerts      /alerts/acknowledgements                  who has seen to which alert
    maps        /maps /maps/<map_id>/layout /maps/<map_id>/floor-plan
    validation  /validate /schemas /schemas/<version>/<topic>
    dashboard   /                                         the page
    assets      /static                                   its files, without comments, compressed
    openapi     /openapi.json /docs                       all of this described, by `operations` and `answers`
    login       /login /logout /session                   a cookie for a key, for browsers
    requests    a line in the log for every request
    replies     what several routes answer
    problems    every error as application/problem+json (RFC 9457); `refusals` those of gunicorn

and, around every request:

    proxies          who the client is, where a trusted proxy says it
    origins          which hosts we answer for, and which other sites' pages may use the API
    auth             who asks, and may it; `access` says which role a route needs, `sessions` is the cookie
    rate_limits      how much one of the `clients` may ask, counted in `counters`
    bodies           how long and how large a request's body may be
    request_ids      a name for the request, in the answer and in the log
    security_headers what browsers must not do with an answer

Takes a `Service`, gives a Flask app. A view does no work of its own: it reads the request, asks the service, writes the
answer.
"""

from flask import Flask

from vda5050.api import (
    alerts,
    assets,
    auth,
    bodies,
    conformance,
    dashboard,
    export,
    health,
    history,
    keys_command,
    login,
    maps,
    openapi,
    origins,
    problems,
    rate_limits,
    replay,
    requests,
    robots,
    stream,
    validation,
    websocket,
)
from vda5050.api.origins import OwnPagesOnly
from vda5050.api.proxies import TrustedProxies
from vda5050.api.request_ids import RequestIds
from vda5050.api.security_headers import SecurityHeaders
from vda5050.api.sessions import Sessions
from vda5050.service import Service

EXTENSION = "vda5050"
"""`app.extensions[EXTENSION]` is the app's `Service`."""


def create_flask_app(service: Service) -> Flask:
    """Build the WSGI application around a service; the service need not run yet."""
    app = Flask("vda5050.api", static_folder="static", template_folder="templates")
    settings = service.settings
    app.extensions[EXTENSION] = service
    app.url_map.merge_slashes = False  # `//robots` is no page that has moved: it is not there
    requests.register(app, service)
    origins.register_cors(app, settings.allowed_origins)
    sessions = Sessions(service.keys)
    auth.register(app, service, sessions)
    rate_limits.register(app, settings, service.metrics)
    auth.register_refusal(app)
    bodies.register(app, max_body_bytes=settings.max_payload_bytes, timeout_s=settings.body_timeout_s)
    app.register_blueprint(health.create_blueprint(service))
    app.register_blueprint(robots.create_blueprint(service))
    app.register_blueprint(history.create_blueprint(service))
    app.register_blueprint(replay.create_blueprint(service))
    app.register_blueprint(export.create_blueprint(service))
    app.register_blueprint(stream.create_blueprint(service))
    app.register_blueprint(websocket.create_blueprint(service))
    app.register_blueprint(conformance.create_blueprint(service))
    app.register_blueprint(alerts.create_blueprint(service))
    app.register_blueprint(validation.create_blueprint(service))
    app.register_blueprint(maps.create_blueprint(service))
    app.register_blueprint(login.create_blueprint(service, sessions))
    app.register_blueprint(dashboard.create_blueprint(service))
    assets.register(app)
    openapi.register(app)
    problems.register(app)
    _guard(app, service)
    app.cli.add_command(keys_command.create_group(settings))
    return app


def _guard(app: Flask, service: Service) -> None:
    """Put around the app what every request passes, the last one first; hooks of Flask's would cost much more."""
    settings = service.settings
    guarded = OwnPagesOnly(app.wsgi_app, settings, service.metrics)
    named = SecurityHeaders(RequestIds(guarded))
    app.wsgi_app = TrustedProxies(named, settings.trusted_proxies)  # type: ignore[method-assign]
