"""What all answers share, and the problem that each may be instead."""

from marshmallow import INCLUDE, Schema, fields, validate


class Answer(Schema):
    """What all answers share: a further member may come with any release, and breaks nobody."""

    class Meta:
        """Marshmallow's options."""

        unknown = INCLUDE


def text(description: str, *choices: str, required: bool = True, **metadata: object) -> fields.String:
    """Describe a text, one of `choices` where there are any."""
    return fields.String(
        required=required,
        validate=validate.OneOf(choices) if choices else None,
        metadata={"description": description, **metadata},
    )


def nullable_text(description: str, *choices: str, **metadata: object) -> fields.String:
    """Describe a text that may be null."""
    return fields.String(
        required=True,
        allow_none=True,
        validate=validate.OneOf(choices) if choices else None,
        metadata={"description": description, **metadata},
    )


def time_text(description: str) -> fields.String:
    """Describe a time, ISO 8601."""
    return text(description, format="date-time")


class ProblemSchema(Answer):
    """An error (RFC 9457). `code` is for programs and stays, `detail` is for people."""

    type = text("Always about:blank: `code` tells problems apart.")
    title = text("The HTTP status in words.")
    status = fields.Integer(required=True, metadata={"description": "The HTTP status."})
    detail = text("What is wrong, for a person.")
    code = text("What is wrong, for a program.", examples=["unknown_robot", "bad_filter"])
    request_id = text("Names the request in the gateway's log; also in the header X-Request-ID.")
    parameter = text("The query parameter at fault, where one is.", required=False)
    reason = text("Why a message could not be read, where that is the problem.", required=False)
    errors = fields.Dict(metadata={"description": "What is wrong with each parameter, where several may be."})
    limit = fields.Integer(metadata={"description": "The limit that was exceeded, where one was."})
    problems = fields.List(fields.Dict(), metadata={"description": "What is wrong in a file: {path, message}."})
    dependencies = fields.Dict(metadata={"description": "What /ready found, where something required is missing."})
