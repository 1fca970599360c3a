"""Payload <-> stored bytes: zstandard with a dictionary trained on the fleet's own messages of a topic.

Takes payloads by topic, gives what is stored together with the dictionary's id, and the exact bytes back. A message of
2 kB is too short to be compressed by itself: most of what it repeats is in other messages. Measured in
docs/adr/0009-history.md.

A dictionary is stored before the first message that needs it, and never changed. The first of a topic is trained when
FIRST_SAMPLES messages were seen; another one is taken into use when, tried on messages that neither knows, it saves
at least WORTH. Tried after every tenfold of messages, at the latest every RETRY_EVERY: a fleet that speaks differently
after a software update gets a new dictionary, one that does not keeps its own.

Frames are written without zstandard's magic number and dictionary id, which the row knows, and with its checksum, by
which damage is noticed. What was written before there was one is judged as at the door instead.

`Codec` belongs to one native thread; compressing and training let other threads run.
"""

import random
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import zstandard

from vda5050.errors import RejectedMessage, Vda5050Error
from vda5050.payloads import parse_payload

NO_DICTIONARY = 0
DICTIONARY_BYTES = 65_536
FIRST_SAMPLES = 300
MAX_SAMPLES = 1_500
TRIALS = 200
WORTH = 0.1
RETRY_EVERY = 1_000_000
_LEVEL = 3
"""Level 9 saves another tenth and costs eight times as much."""
_FORMAT = zstandard.FORMAT_ZSTD1_MAGICLESS
_PARAMETERS = zstandard.ZstdCompressionParameters.from_level(
    _LEVEL, format=_FORMAT, write_content_size=1, write_dict_id=0, write_checksum=1
)


class UndecodableMessage(Vda5050Error):  # noqa: N818 - reads as the claim it is
    """Stored bytes cannot be read: they are damaged, or their dictionary is."""


class Encoded(NamedTuple):
    """What is stored of a payload."""

    data: bytes
    dictionary_id: int


class Candidate(NamedTuple):
    """A dictionary that is worth being used, and has no id yet."""

    topic: str
    content: bytes


class Decoder:
    """Reads what `Codec` wrote; `dictionaries` holds the content of each by id and may grow from outside."""

    def __init__(self, dictionaries: Mapping[int, bytes]) -> None:
        self._dictionaries = dictionaries
        self._decompressors: dict[int, zstandard.ZstdDecompressor] = {}

    def decode(self, encoded: Encoded) -> bytes:
        """Give the payload. Raises UndecodableMessage; KeyError where the dictionary is not known."""
        decompressor = self._decompressor(encoded.dictionary_id)
        try:
            payload: bytes = decompressor.decompress(encoded.data)
            if not zstandard.get_frame_parameters(encoded.data, format=_FORMAT).has_checksum:
                parse_payload(payload)
        except (zstandard.ZstdError, RejectedMessage, MemoryError) as error:  # a damaged length may be any
            raise UndecodableMessage(str(error) or type(error).__name__) from error
        return payload

    def _decompressor(self, dictionary_id: int) -> zstandard.ZstdDecompressor:
        known = self._decompressors.get(dictionary_id)
        if known is None:
            content = None if dictionary_id == NO_DICTIONARY else _dictionary(self._dictionaries[dictionary_id])
            known = zstandard.ZstdDecompressor(dict_data=content, format=_FORMAT)
            self._decompressors[dictionary_id] = known
        return known


class Codec:
    """Compresses what one writer stores, and finds out when a topic deserves another dictionary.

    `use` a dictionary that is stored; `candidates` gives those that should be.
    """

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._topics: dict[str, _TopicCodec] = {}

    def use(self, topic: str, dictionary_id: int, content: bytes) -> None:
        """Compress the topic's messages with this dictionary from now on."""
        self._of(topic).use(dictionary_id, content)

    def encode(self, topic: str, payloads: Sequence[bytes]) -> list[Encoded]:
        """Compress payloads of one topic, each by itself; each is 1 byte long or more."""
        return self._of(topic).encode(payloads)

    @property
    def is_trial_due(self) -> bool:
        """Tell whether `candidates` would try anything."""
        return any(codec.is_trial_due for codec in self._topics.values())

    def candidates(self) -> list[Candidate]:
        """Train and try where it is time to; gives what is worth being stored and used. Takes 0.1 s a topic."""
        found = []
        for topic, codec in self._topics.items():
            if content := codec.better_dictionary():
                found.append(Candidate(topic, content))
        return found

    def _of(self, topic: str) -> "_TopicCodec":
        codec = self._topics.get(topic)
        if codec is None:
            codec = self._topics[topic] = _TopicCodec(self._dice)
        return codec


class _TopicCodec:
    """One topic's compressor, and a random sample of what it was given since the last trial."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._compressor = zstandard.ZstdCompressor(compression_params=_PARAMETERS)
        self._dictionary_id = NO_DICTIONARY
        self._samples: list[bytes] = []
        self._seen = 0
        self._total_seen = 0
        self._due_at = FIRST_SAMPLES

    def use(self, dictionary_id: int, content: bytes) -> None:
        self._compressor = zstandard.ZstdCompressor(dict_data=_dictionary(content), compression_params=_PARAMETERS)
        self._dictionary_id = dictionary_id

    def encode(self, payloads: Sequence[bytes]) -> list[Encoded]:
        self._keep_some(payloads)
        compressed = self._compressor.multi_compress_to_buffer(list(payloads), threads=0)  # one release of the GIL
        return [Encoded(compressed[place].tobytes(), self._dictionary_id) for place in range(len(compressed))]

    @property
    def is_trial_due(self) -> bool:
        return self._total_seen >= self._due_at

    def better_dictionary(self) -> bytes | None:
        if not self.is_trial_due:
            return None
        self._due_at = min(self._due_at * 10, self._due_at + RETRY_EVERY)
        samples, self._samples, self._seen = self._samples, [], 0
        self._dice.shuffle(samples)
        split = min(TRIALS, len(samples) // 4)
        trials, samples = samples[:split], samples[split:]
        try:
            content: bytes = zstandard.train_dictionary(DICTIONARY_BYTES, [*samples]).as_bytes()
        except zstandard.ZstdError:  # too few or too short to be learnt from
            return None
        candidate = zstandard.ZstdCompressor(dict_data=_dictionary(content), compression_params=_PARAMETERS)
        size = sum(len(candidate.compress(payload)) for payload in trials)
        present_size = sum(len(self._compressor.compress(payload)) for payload in trials)
        return content if size < present_size * (1 - WORTH) else None

    def _keep_some(self, payloads: Sequence[bytes]) -> None:
        """Keep MAX_SAMPLES of all since the last trial, each as likely as any other."""
        for payload in payloads:
            self._seen += 1
            if len(self._samples) < MAX_SAMPLES:
                self._samples.append(payload)
            elif (place := int(self._dice.random() * self._seen)) < MAX_SAMPLES:
                self._samples[place] = payload
        self._total_seen += len(payloads)


def _dictionary(content: bytes) -> zstandard.ZstdCompressionDict:
    return zstandard.ZstdCompressionDict(content)
