"""Any number of workers on any number of machines that show one stream, through Redis.

One worker holds the lease and takes messages in; it appends what happens to a stream in Redis, and every worker, itself
included, applies what it reads there. So ids are the same everywhere, and a client may resume anywhere. docs/adr/0010
tells why, docs/scale.md what it costs.

    batches     entries <-> bytes
    store       what the workers share, and the atomic steps that change it
    redis_store the steps in Redis
    connection  redis-py's clients
    writer      what the ingesting worker has still to append
    follower    reads the stream into the worker's replica
    hand_over   what makes a planned change of the ingesting worker lose and double nothing
    roles       what a worker can be, and what it is told from outside
    node        one worker's part: who ingests, and how that changes
    leaving     how a worker that ends hands over
    backplane   the greenlets that keep a node going
"""

from vda5050.backplane.backplane import Backplane
from vda5050.backplane.hand_over import Intake

__all__ = ["Backplane", "Intake"]
