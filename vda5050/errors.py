"""Every error that this package raises on purpose.

One root; a child exists because somebody catches it; each keeps the facts it was raised for, so that the log line, the
metric and the answer to a client are made from them and not from parsing text.
"""


class Vda5050Error(Exception):
    """Root of the package's errors."""


class SettingsError(Vda5050Error):
    """The environment holds settings that cannot be used.

    `problems` lists one sentence per setting, each naming the variable.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class RejectedMessage(Vda5050Error):  # noqa: N818 - the message was rejected; nothing of ours went wrong
    """A message from the broker cannot be used.

    `reason` is the stable word that labels the metric (see `ingest`), `detail` says more to a person and never holds
    the payload.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class FilterError(Vda5050Error):
    """A client asked for a filter that cannot be used. `parameter` is the query parameter at fault."""

    def __init__(self, parameter: str, problem: str) -> None:
        super().__init__(f"{parameter}: {problem}")
        self.parameter = parameter
        self.problem = problem


class TooManyStreams(Vda5050Error):  # noqa: N818 - reads as the claim it is
    """The worker, or one client of it, has as many streams as it may (`is_of_client`), or of `what` else.

    `limit` is that number, `retry_after_s` when to ask again.
    """

    def __init__(self, limit: int, retry_after_s: int, *, what: str = "streams", is_of_client: bool = False) -> None:
        of_client = " for this client" if is_of_client else ""
        super().__init__(f"{limit} {what} are open{of_client}, which is the limit")
        self.limit = limit
        self.retry_after_s = retry_after_s
        self.is_of_client = is_of_client


class TooManyRequests(Vda5050Error):  # noqa: N818 - reads as the claim it is
    """A client asked more than `limit` times. `retry_after_s`: when to ask again."""

    def __init__(self, limit: int, retry_after_s: int, *, what: str = "requests in a minute") -> None:
        super().__init__(f"{limit} {what} are the limit")
        self.limit = limit
        self.retry_after_s = retry_after_s


class TooManyFailedLogins(TooManyRequests):
    """An address came with too many keys that were none: `limit` in `minutes`."""

    def __init__(self, limit: int, minutes: int, retry_after_s: int) -> None:
        super().__init__(limit, retry_after_s, what=f"failed logins in {minutes} minutes")


class DatabaseUnavailable(Vda5050Error):  # noqa: N818 - reads as the claim it is
    """The database cannot be used now. `reason` is for a person and holds no secret."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class DatabaseTooNew(DatabaseUnavailable):
    """A newer gateway has changed the database's schema. `found` is its version, `known` the newest one known here."""

    def __init__(self, found: str, known: str) -> None:
        super().__init__(
            f"its schema is of version {found}, made by a newer gateway; this one knows {known}: upgrade the gateway"
        )
        self.found = found
        self.known = known


class Stopping(Vda5050Error):  # noqa: N818 - reads as the claim it is
    """This process ends and takes no more streams. `retry_after_s`: when another may be there."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("this gateway is being stopped")
        self.retry_after_s = retry_after_s
