"""Which groups there are, and which of them want a robot's messages of a topic.

Asked for every message, so the answer is remembered for each robot and topic and patched when a group comes or goes.
Bounded by the robots there are, times their topics, and by the groups, of which each has a client.
"""

from collections.abc import Callable, Iterator

from vda5050.broadcast.filters import Filter
from vda5050.broadcast.group import Group
from vda5050.frames import FINDING, STATUS
from vda5050.topics import TOPICS


class Routes:
    """The groups by filter. `make` builds one that is not there yet."""

    def __init__(self, make: Callable[[Filter], Group]) -> None:
        self._make = make
        self._groups: dict[Filter, Group] = {}
        self._routes: dict[tuple[str, str], tuple[Group, ...]] = {}

    def __len__(self) -> int:
        return len(self._groups)

    def __iter__(self) -> Iterator[Group]:
        return iter(list(self._groups.values()))

    def __getitem__(self, filter_: Filter) -> Group:
        return self._groups[filter_]

    def to(self, robot: str, topic: str) -> tuple[Group, ...]:
        """Give the groups that want frames of this robot and topic."""
        key = (robot, topic)
        groups = self._routes.get(key)
        if groups is None:
            groups = self._routes[key] = tuple(group for group in self._groups.values() if group.wants(robot, topic))
        return groups

    def group(self, filter_: Filter) -> Group:
        """Give the group of a filter, made where there is none."""
        group = self._groups.get(filter_)
        if group is None:
            group = self._groups[filter_] = self._make(filter_)
            for key, groups in self._touched_by(filter_):
                if group.wants(*key):
                    self._routes[key] = (*groups, group)
        return group

    def drop(self, group: Group) -> None:
        """Forget a group whose last client has left."""
        del self._groups[group.filter]
        for key, groups in self._touched_by(group.filter):
            if group in groups:
                self._routes[key] = tuple(other for other in groups if other is not group)
        group.close()

    def _touched_by(self, filter_: Filter) -> list[tuple[tuple[str, str], tuple[Group, ...]]]:
        """Give the remembered routes that a filter may be on: a few where it names one robot, else all."""
        if filter_.one is None:
            return list(self._routes.items())
        keys = [("", STATUS), *((filter_.one, topic) for topic in (*TOPICS, FINDING))]
        return [(key, self._routes[key]) for key in keys if key in self._routes]
