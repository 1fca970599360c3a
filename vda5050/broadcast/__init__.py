"""From one numbered frame to every client that wants it: filters, batches, queues, replay.

Takes frames in order from `replica`, gives each client a `Subscription` whose bytes are ready for its wire. The parts,
in the order of the flow:

    filters       what a client asked for, as a value that equal requests share
    group         all clients of one filter: gathers frames into batches
    batch         frames that are flushed together, encoded once for each wire
    batch_log     the latest batches of all groups, for whoever arrives
    routes        which groups want a robot's messages
    parcel        bytes that are written whole
    delivery      a parcel to the sockets of all who wait for it
    subscription  one client's bounded gevent queue
    places        how many streams there may be, in all and of one client
    pace          how long updates are gathered
    flushing      has each group hand out what it gathered, at the pace
    ring          numbers frames and holds the latest for clients that come back
    openings      what a client begins with: a snapshot, or what it has missed
    broadcaster   routes frames to groups, admits clients and lets them go
    presence      who is there: heartbeats, lifetimes, who is cut off
    accounts      what streams are and take, for the metrics and the log
    peer          notices when a client has gone

The promise to a client: after a snapshot or a resume, exactly the frames after it that match the filter, in order, each
once; or `reset` and a new snapshot. At most once beyond what is held for replay, never a silent gap.
"""

from vda5050.broadcast.broadcaster import Broadcaster
from vda5050.broadcast.delivery import Delivery, SocketWriter
from vda5050.broadcast.filters import EVERYTHING, Filter
from vda5050.broadcast.pace import Pace
from vda5050.broadcast.parcel import Parcel
from vda5050.broadcast.peer import Peer, has_left, set_tcp_options
from vda5050.broadcast.places import Places
from vda5050.broadcast.subscription import StreamEnded, Subscription

__all__ = [
    "EVERYTHING",
    "Broadcaster",
    "Delivery",
    "Filter",
    "Pace",
    "Parcel",
    "Peer",
    "Places",
    "SocketWriter",
    "StreamEnded",
    "Subscription",
    "has_left",
    "set_tcp_options",
]
