"""The version of the gateway, as `/openapi.json` and the metrics tell it."""

VERSION = "1.0.0"
