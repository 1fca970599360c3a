"""Who is connected: each stream ends at its own time, who is stuck is cut, all are sent away one after the other."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from tests.unit.builders import Chain, Client
from vda5050.broadcast import presence as module
from vda5050.broadcast.parcel import Parcel
from vda5050.broadcast.presence import Presence
from vda5050.broadcast.subscription import Subscription
from vda5050.frames import Wire, encode_heartbeat


def presence_of(chain: Chain) -> Presence:
    """Give the chain's presence."""
    return chain.broadcaster._presence  # noqa: SLF001 - what it does is seen at the clients, but time is let pass here


def let_beats_pass(chain: Chain, clients: list[Client], count: int) -> None:
    """Let each stream's second come `count` times."""
    for _ in range(count):
        for client in clients:
            subscription = client.subscription
            presence_of(chain)._beat(subscription, Parcel.of(encode_heartbeat(subscription.wire)))  # noqa: SLF001


def beats_of_life(chain: Chain, client: Client) -> int:
    """Count a reading client's heartbeats until it is sent away."""
    for beats in range(1, 1_000):
        let_beats_pass(chain, [client], 1)
        client.take()
        if client.has_ended:
            return beats
    raise AssertionError("it is never sent away")


def test_lifetime_is_jittered() -> None:
    """Streams that began together end one by one, at 0.75 to 1.25 of the setting, each with a time to come back."""
    chain = Chain(heartbeat_s=10, max_stream_lifetime_s=1_000)
    clients = [chain.subscribe(wire=list(Wire)[number % 3]) for number in range(30)]

    lives = [beats_of_life(chain, client) for client in clients]
    assert min(lives) >= 75
    assert max(lives) <= 125
    assert len(set(lives)) > 10
    assert [len(client.retries_ms) for client in clients] == [2, 2, 0] * 10
    chain.close()


def test_no_lifetime() -> None:
    """With 0 a stream is never sent away."""
    chain = Chain(max_stream_lifetime_s=0)
    client = chain.subscribe()
    for _ in range(2_000):
        let_beats_pass(chain, [client], 1)
        client.take()

    assert not client.has_ended
    chain.close()


def cut_counter(client: Client) -> list[str]:
    """Let the client's connection be one that can be cut; give what notes it."""
    cuts: list[str] = []
    client.subscription.cut = lambda: cuts.append("cut")
    return cuts


def test_writer_that_is_stuck_is_cut_off() -> None:
    """A client whose greenlet does not come back from a write for PEER_TIMEOUT_S is cut, and counted."""
    chain = Chain(heartbeat_s=15, peer_timeout_s=60)
    client = chain.subscribe()
    cuts = cut_counter(client)
    client.chunk()  # is now being written
    let_beats_pass(chain, [client], 4)
    before = list(cuts)
    let_beats_pass(chain, [client], 1)

    assert (before, cuts) == ([], ["cut"])
    assert chain.metric("streams_cut_total") == 1
    chain.close()


@pytest.mark.parametrize("what", ["idle", "slow"])
def test_writer_that_comes_back_is_not_cut_off(what: str) -> None:
    """A client that waits for news, or takes a long time for each write but takes it, is let be."""
    chain = Chain(heartbeat_s=15, peer_timeout_s=60)
    client = chain.subscribe()
    cuts = cut_counter(client)
    for _ in range(50):
        if what == "idle":
            client.take()
        else:
            client.chunk()
        let_beats_pass(chain, [client], 4)

    assert cuts == []
    chain.close()


def test_heartbeat_that_fails_stops_nobody(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A stream whose heartbeat fails is told in the log; all others get theirs, then and later."""
    chain = Chain(heartbeat_s=1)
    clients = [chain.subscribe() for _ in range(3)]
    for client in clients:
        client.take()
    beat = Presence._beat  # noqa: SLF001 - there is no other way to make it fail

    def fail_for_one(of: Presence, subscription: Subscription, heartbeat: Parcel) -> None:
        if subscription is clients[1].subscription:
            raise RuntimeError("a fault")
        beat(of, subscription, heartbeat)

    seconds = iter([1, 1])
    monkeypatch.setattr(Presence, "_beat", fail_for_one)
    monkeypatch.setattr(module, "gevent", SimpleNamespace(sleep=lambda _: next(seconds)))
    with pytest.raises(StopIteration):
        presence_of(chain).beat_for_ever()
    for client in clients:
        client.take()

    assert [client.reader.comments for client in clients] == [2, 0, 2]
    assert [record.exc_info is not None for record in caplog.records] == [True, True]
    chain.close()


class Recorder:
    """In the place of `gevent.sleep`: lets time pass, and notes how many streams have ended at each moment."""

    def __init__(self, chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ended: list[tuple[float, int]] = []
        self.also: Callable[[], None] = lambda: None
        self._chain = chain
        monkeypatch.setattr(module, "gevent", SimpleNamespace(sleep=self._sleep))

    def _sleep(self, seconds: float) -> None:
        here: list[Subscription] = list(presence_of(self._chain))
        self.ended.append((self._chain.clock(), sum(subscription.has_ended for subscription in here)))
        self.also()
        self._chain.clock.advance(seconds)


def test_all_are_sent_away_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """1,000 streams end evenly over the time given; each is told to come back after the time given, all differently."""
    chain = Chain()
    clients = [chain.subscribe() for _ in range(1_000)]
    recorder = Recorder(chain, monkeypatch)
    began_at = chain.clock()

    presence_of(chain).send_all_away(3.0, back_after_s=5.0)

    for at, ended in recorder.ended:
        assert abs(ended - 1_000 * (at - began_at) / 3.0) < 60
    assert recorder.ended[-1][1] == 1_000
    assert 2.8 < chain.clock() - began_at < 3.2
    for client in clients:
        client.take()
        assert client.has_ended
    waits = [client.retries_ms[1] for client in clients]
    assert min(waits) >= 2_000 + module.RETRY_MS[0]  # those who were ended last
    assert max(waits) <= 5_000 + module.RETRY_MS[1]
    assert len(set(waits)) > 500
    chain.close()


def test_who_comes_meanwhile_is_sent_away_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that others take over from still admits who was on the way, and ends that stream as well."""
    chain = Chain()
    for _ in range(100):
        chain.subscribe()
    recorder = Recorder(chain, monkeypatch)
    late: list[Client] = []

    def arrive() -> None:
        if len(recorder.ended) == 40:
            late.append(chain.subscribe())

    recorder.also = arrive
    presence_of(chain).send_all_away(3.0, back_after_s=0.0)

    late[0].take()
    assert late[0].has_ended
    chain.close()


def test_nobody_to_send_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without streams there is nothing to wait for."""
    chain = Chain()
    Recorder(chain, monkeypatch)
    began_at = chain.clock()

    presence_of(chain).send_all_away(3.0, back_after_s=5.0)

    assert chain.clock() == began_at


def test_who_does_not_take_the_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the end of a drain, who still has not left after the patience given is cut; those who left are not."""
    chain = Chain()
    stuck, leaving = chain.subscribe(), chain.subscribe()
    cuts = [cut_counter(stuck), cut_counter(leaving)]
    Recorder(chain, monkeypatch)
    began_at = chain.clock()

    def pass_time(seconds: float) -> None:
        chain.clock.advance(seconds)
        chain.broadcaster.unsubscribe(leaving.subscription)

    monkeypatch.setattr("vda5050.broadcast.broadcaster.gevent", SimpleNamespace(sleep=pass_time))
    chain.broadcaster.drain(0.0, back_after_s=0.0, patience_s=1.0)

    assert cuts == [["cut"], []]
    assert 1.0 <= chain.clock() - began_at < 1.3
    chain.close()
