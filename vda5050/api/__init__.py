"""The Flask side: one file a concern, all of them thin.

    health      /health /ready /metrics
    robots      /robots /robots/<manufacturer>/<serial>
    stream      /stream /stream/<manufacturer>/<serial>   Server-Sent Events
    websocket   /ws                                       the same over a WebSocket
    conformance /conformance /robots/<manufacturer>/<serial_number>/conformance
    maps        /maps /maps/<map_id>/layout /maps/<map_id>/floor-plan
    validation  /validate /schemas /schemas/<version>/<topic>
    dashboard   /                                         the page
    openapi     /openapi.json /docs                       all of this described, by `operations` and `answers`
    requests    a line in the log for every request
    problems    every error as application/problem+json (RFC 9457)

and, around every request:

    proxies          who the client is, where a trusted proxy says it
    origins          which hosts we answer for, and which other sites' pages may use the API
    request_ids      a name for the request, in the answer and in the log
    security_headers what browsers must not do with an answer

Takes a `Service`, gives a Flask app. A view does no work of its own: it reads the request, asks the service, writes the
answer.
"""

from flask import Flask

from vda5050.api import (
    conformance,
    dashboard,
    health,
    maps,
    openapi,
    origins,
    problems,
    request_ids,
    requests,
    robots,
    security_headers,
    stream,
    validation,
    websocket,
)
from vda5050.api.proxies import TrustedProxies
from vda5050.service import Service

EXTENSION = "vda5050"
"""`app.extensions[EXTENSION]` is the app's `Service`."""


def create_flask_app(service: Service) -> Flask:
    """Build the WSGI application around a service; the service need not run yet."""
    app = Flask("vda5050.api", static_folder="static", template_folder="templates")
    app.extensions[EXTENSION] = service
    app.url_map.merge_slashes = False  # `//robots` is no page that has moved: it is not there
    app.wsgi_app = TrustedProxies(app.wsgi_app, service.settings.trusted_proxies)  # type: ignore[method-assign]
    request_ids.register(app)
    requests.register(app, service)
    origins.register(app, service.settings)
    app.register_blueprint(health.create_blueprint(service))
    app.register_blueprint(robots.create_blueprint(service))
    app.register_blueprint(stream.create_blueprint(service))
    app.register_blueprint(websocket.create_blueprint(service))
    app.register_blueprint(conformance.create_blueprint(service))
    app.register_blueprint(validation.create_blueprint(service))
    app.register_blueprint(maps.create_blueprint(service))
    app.register_blueprint(dashboard.create_blueprint(service))
    openapi.register(app)
    problems.register(app)
    security_headers.register(app)
    return app
