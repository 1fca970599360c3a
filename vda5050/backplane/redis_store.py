"""The steps of `store` in Redis: where everything lies, and a script for each change.

    {vda5050}:lease      the token of the worker that may append; expires unless it is renewed
    {vda5050}:head       hash: epoch, offset of the newest entry, holder (who may append), position (stream id), seq
    {vda5050}:stream     stream: e epoch, f offset of the first entry, b the batch (see `batches`)
    {vda5050}:state      hash: the last message of each robot and topic, the link; as of head's offset
    {vda5050}:findings   hash: the doctor's findings as they were last told; as of head's offset
    {vda5050}:workers    sorted set: the workers that are there, by when they last asked for the lease
    {vda5050}:successor  the token of the worker that is about to take the lease over, after "ready " once it can

One hash tag, so that all lies in one slot of a cluster. A stream id is `<offset of the newest entry>-<seq>`: ids rise,
also where a batch has no entry. Every change asks in the same script whether the writer holds the lease and stands
where the head stands: a worker that was stopped and wakes up changes nothing.

Raises StoreError where Redis is away or refuses.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import redis

from vda5050.backplane.store import READY, Append, Appended, Head, Held, Item, Lease, Loaded, StoreError

_PREFIX = "{vda5050}:"
_LEASE, _HEAD, _STREAM, _STATE, _FINDINGS, _WORKERS, _SUCCESSOR = (
    _PREFIX + name for name in ("lease", "head", "stream", "state", "findings", "workers", "successor")
)
_PAGE = 100
_SEED_PAGE = 500

_HOLD = """
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
redis.call('ZADD', KEYS[3], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now - ARGV[2])
local workers = redis.call('ZCARD', KEYS[3])
local lease = redis.call('GET', KEYS[1])
if lease and lease ~= ARGV[1] then return {'other', workers, now} end
local h = redis.call('HMGET', KEYS[2], 'epoch', 'offset', 'holder', 'position')
if not lease and h[3] ~= ARGV[1] and now > tonumber(ARGV[3]) then return {'late', workers, now} end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {lease and 'kept' or 'taken', workers, now, h[1], h[2], h[3], h[4]}
"""

_BEGIN = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
local known = redis.call('HGET', KEYS[2], 'offset')
if not known then redis.call('DEL', KEYS[3]) end
local offset = string.format('%.0f', math.max(tonumber(known or '0'), tonumber(ARGV[3])))
local position = offset .. '-' .. redis.call('HINCRBY', KEYS[2], 'seq', 1)
redis.call('XTRIM', KEYS[3], 'MAXLEN', 0)
redis.call('XADD', KEYS[3], position, 'e', ARGV[2], 'f', string.format('%.0f', offset + 1), 'b', ARGV[4])
redis.call('HSET', KEYS[2], 'epoch', ARGV[2], 'offset', offset, 'holder', ARGV[1], 'position', position)
return {ARGV[2], offset, ARGV[1], position}
"""

_SEED = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
for i = 2, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
return 1
"""

_APPEND = """
local lease = redis.call('GET', KEYS[1])
if not lease then return 'expired' end
if lease ~= ARGV[1] then return 'fenced' end
local h = redis.call('HMGET', KEYS[2], 'epoch', 'offset', 'holder')
if h[1] ~= ARGV[2] or h[3] ~= ARGV[1] then return 'fenced' end
local offset, first, last = tonumber(h[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if last >= first and offset == last then return 'done' end
if offset ~= first - 1 then return 'fenced' end
local position = ARGV[4] .. '-' .. redis.call('HINCRBY', KEYS[2], 'seq', 1)
redis.call('XADD', KEYS[3], position, 'e', ARGV[2], 'f', ARGV[3], 'b', ARGV[6])
redis.call('XTRIM', KEYS[3], 'MINID', '~', ARGV[5])
redis.call('HSET', KEYS[2], 'offset', ARGV[4], 'position', position)
local at = 11
for key = 4, 5 do
  for i = 1, tonumber(ARGV[5 + key]) do
    redis.call('HSET', KEYS[key], ARGV[at], ARGV[at + 1])
    at = at + 2
  end
end
for i = at, #ARGV do redis.call('HDEL', KEYS[5], ARGV[i]) end
if ARGV[7] ~= '' then
  redis.call('SET', KEYS[1], ARGV[7], 'PX', ARGV[8])
  redis.call('HSET', KEYS[2], 'holder', ARGV[7])
else
  redis.call('PEXPIRE', KEYS[1], ARGV[8])
end
return 'done'
"""

_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
redis.call('ZREM', KEYS[2], ARGV[1])
return 1
"""


class RedisStore:
    """The steps in Redis. `writer` and `reader` make redis-py clients; the second's waits longer for an answer."""

    def __init__(self, writer: Callable[[], Any], reader: Callable[[], Any]) -> None:
        self._writer = _Guarded(writer)
        self._reader = _Guarded(reader)

    def hold(self, token: str, *, ttl_ms: int, until_ms: int) -> Held:
        keys = (_LEASE, _HEAD, _WORKERS)
        lease, workers, now_ms, *head = self._writer.run("eval", _HOLD, len(keys), *keys, token, ttl_ms, until_ms)
        return Held(Lease(lease.decode()), _head(head), workers - 1, now_ms)

    def begin(self, token: str, *, epoch: str, floor: int, body: bytes) -> Head | None:
        return _head(self._writer.run("eval", _BEGIN, 3, _LEASE, _HEAD, _STREAM, token, epoch, floor, body))

    def seed(self, token: str, *, state: Mapping[bytes, bytes], findings: Mapping[bytes, bytes]) -> bool:
        for key, members in ((_STATE, state), (_FINDINGS, findings)):
            pairs = list(members.items())
            for start in range(0, len(pairs), _SEED_PAGE):
                flat = [part for pair in pairs[start : start + _SEED_PAGE] for part in pair]
                if not self._writer.run("eval", _SEED, 2, _LEASE, key, token, *flat):
                    return False
        return True

    def append(self, token: str, append: Append, *, ttl_ms: int) -> Appended:
        keys = (_LEASE, _HEAD, _STREAM, _STATE, _FINDINGS)
        numbers = (append.epoch, append.first, append.last, append.keep_from)
        counts = (len(append.state), len(append.findings))
        members = [part for members in (append.state, append.findings) for pair in members.items() for part in pair]
        answer = self._writer.run(
            "eval", _APPEND, len(keys), *keys, token, *numbers, append.body, append.successor, ttl_ms, *counts,
            *members, *append.forgotten,
        )  # fmt: skip
        return Appended(answer.decode())

    def release(self, token: str) -> None:
        self._writer.run("eval", _RELEASE, 2, _LEASE, _WORKERS, token)

    def claim(self, token: str, *, ttl_ms: int) -> bool:
        return bool(self._writer.run("set", _SUCCESSOR, token, nx=True, px=ttl_ms))

    def ready(self, token: str, *, ttl_ms: int) -> None:
        self._writer.run("set", _SUCCESSOR, READY + token, px=ttl_ms)

    def call_for_successor(self) -> None:
        self._writer.run("delete", _SUCCESSOR)

    def successor(self) -> str | None:
        value = self._writer.run("get", _SUCCESSOR)
        return None if value is None else value.decode()

    def head(self) -> Head | None:
        return _head(self._reader.run("hmget", _HEAD, "epoch", "offset", "holder", "position"))

    def load(self) -> Loaded | None:
        head, state, findings = self._reader.together(
            ("hmget", _HEAD, "epoch", "offset", "holder", "position"), ("hgetall", _STATE), ("hgetall", _FINDINGS)
        )
        found = _head(head)
        return None if found is None else Loaded(found, _members(state), _members(findings))

    def past(self, upto: str) -> Iterator[Item]:
        start = "-"
        while page := self._reader.run("xrange", _STREAM, start, upto, count=_PAGE):
            yield from map(_item, page)
            start = "(" + page[-1][0].decode()

    def read(self, after: str, *, block_ms: int) -> list[Item]:
        answer = self._reader.run("xread", {_STREAM: after}, count=_PAGE, block=block_ms)
        return [_item(entry) for _stream, entries in answer or () for entry in entries]


class _Guarded:
    """A client, made when first used, whose failures are StoreErrors."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._client: Any = None

    def run(self, command: str, *arguments: object, **options: object) -> Any:
        with self._failures_told() as client:
            return getattr(client, command)(*arguments, **options)

    def together(self, *commands: tuple[str, ...]) -> list[Any]:
        """Run commands in one transaction."""
        with self._failures_told() as client, client.pipeline(transaction=True) as pipe:
            for command, *arguments in commands:
                getattr(pipe, command)(*arguments)
            answers: list[Any] = pipe.execute()
            return answers

    @contextmanager
    def _failures_told(self) -> Iterator[Any]:
        try:
            if self._client is None:
                self._client = self._make()
            yield self._client
        except (redis.RedisError, OSError) as error:
            raise StoreError(f"{type(error).__name__}: {error}") from error


def _head(answer: Any) -> Head | None:
    if not answer or answer[0] is None:
        return None
    epoch, offset, holder, position = (part.decode() for part in answer)
    return Head(epoch, int(offset), holder, position)


def _members(answer: Any) -> dict[bytes, bytes]:
    """Read a hash, which a cluster's transaction gives as it comes from the wire."""
    return answer if isinstance(answer, dict) else dict(zip(answer[::2], answer[1::2], strict=True))


def _item(entry: Any) -> Item:
    position, fields = entry
    return Item(position.decode(), fields[b"e"].decode(), int(fields[b"f"]), fields[b"b"])
