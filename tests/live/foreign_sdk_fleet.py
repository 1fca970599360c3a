"""Robots and a master of PyPI's vda5050-sdk (2.1.0), which others wrote: what the doctor says of them must be true.

Run by an interpreter that has `vda5050-sdk[mqtt]` and `aiomqtt<3`: foreign_sdk_fleet.py BROKER_URL ROBOTS ROUNDS. A
round is for every robot: an order with a horizon, its extension, a pause, and an order that is cancelled.
"""

import asyncio
import importlib
import os
import sys
from typing import Any

# The package is called as this project is. This file runs as a script (with -P), so the installed one is found; for
# the project's checks, which see their own, it is taken without its types.
sdk: Any = importlib.import_module("vda5050")
OrderExecutor: Any = importlib.import_module("vda5050.client.agv.executor").OrderExecutor

MANUFACTURER = "Sdk"
LOGGING_OFF_S = 5.0
"""The package's disconnect hangs now and then (seen with 0.2.0 and aiomqtt 2.5); a robot that does is cut off."""


async def drive(broker_url: str, serial_number: str, is_over: asyncio.Event) -> None:
    """Be a robot until `is_over`."""
    config = sdk.VehicleConfig(
        broker_url=broker_url, manufacturer=MANUFACTURER, serial_number=serial_number, state_interval=5
    )
    async with sdk.VehicleClient(config) as vehicle:
        vehicle.update_position(x=0.0, y=0.0, theta=0.0, map_id="M1")
        executor = OrderExecutor(vehicle.publisher, node_delay=0.4, action_delay=0.3)
        running: set[asyncio.Future[Any]] = set()

        async def start(order: Any) -> None:
            running.add(asyncio.ensure_future(executor.run(order)))

        async def stop(message: Any) -> None:
            if any(action.action_type == "cancelOrder" for action in message.actions):
                for task in running:
                    task.cancel()

        vehicle.on_order(start)
        vehicle.on_instant_actions(stop)
        await vehicle.publish_state()
        await is_over.wait()


def new_order(order_id: str, serial_number: str) -> Any:
    """Begin an order at n0; n2 is not released."""
    pick = sdk.Action(
        action_id=f"pick-{order_id}",
        action_type="pick",
        blocking_type=sdk.BlockingType.HARD,
        action_parameters=[{"key": "loadType", "value": "EPAL"}],
    )
    builder = sdk.OrderBuilder(order_id=order_id, manufacturer=MANUFACTURER, serial_number=serial_number)
    builder.add_node("n0", x=0.0, y=0.0, theta=0.0, map_id="M1")
    builder.add_edge("n0", "n1").add_node("n1", x=1.0, y=0.0, theta=0.0, map_id="M1", actions=[pick])
    return builder.add_edge("n1", "n2", released=False).add_node(
        "n2", x=2.0, y=0.0, theta=0.0, map_id="M1", released=False
    )


async def command(master: Any, serial_number: str, rounds: int) -> None:
    """Send one robot through its rounds."""
    target = f"{MANUFACTURER}/{serial_number}"
    for number in range(rounds):
        order = new_order(f"{serial_number}-{number}", serial_number).build()
        await master.dispatch(order, target=target)
        await asyncio.sleep(2.5)
        extension = sdk.OrderBuilder.from_order(order)
        extension.add_edge("n1", "n2").add_node("n2", x=2.0, y=0.0, theta=0.0, map_id="M1")
        await master.dispatch(extension.build(), target=target)
        await asyncio.sleep(1.5)
        await master.pause(target)
        await asyncio.sleep(0.5)
        await master.resume(target)
        await master.init_position(target, x=0.0, y=0.0, theta=0.0, map_id="M1", last_node_id="n0")
        await asyncio.sleep(0.5)
        last = new_order(f"{serial_number}-{number}-cancelled", serial_number).build()
        await master.dispatch(last, target=target)
        await asyncio.sleep(0.3)
        await master.cancel_order(target)
        await asyncio.sleep(1.5)
        await master.request_state(target)


async def main(broker_url: str, robots: int, rounds: int) -> None:
    """Run the fleet."""
    is_over = asyncio.Event()
    serial_numbers = [f"sdk-{number}" for number in range(robots)]
    drivers = [asyncio.ensure_future(drive(broker_url, name, is_over)) for name in serial_numbers]
    await asyncio.sleep(1.0)
    master = sdk.MasterClient(sdk.MasterConfig(broker_url=broker_url))
    await master.connect()
    await asyncio.sleep(0.5)
    await asyncio.gather(*(command(master, name, rounds) for name in serial_numbers))
    is_over.set()
    await asyncio.wait(drivers, timeout=LOGGING_OFF_S)
    sys.stdout.write("the fleet is done\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
