// Robots and masters of the npm package vda-5050-lib, which others wrote: what the doctor says of them must be true.
//
// Usage: node foreign_node_fleet.js BROKER_URL ROBOTS ROUNDS, with NODE_PATH where the package is installed.
// Each protocol version has ROBOTS robots (their serial numbers end with it) and one master for all of them. A round is
// for every robot: an order with a horizon, its update, a pause, and an order that is cancelled. At the end all but the
// first robot of each version log off; that one is cut off, so that the broker sends its last will.
"use strict";
const { AgvController, MasterController, VirtualAgvAdapter } = require("vda-5050-lib");

const [brokerUrl, robots, rounds] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const MANUFACTURER = "Siemens";
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const node = (place, released, actions = []) => ({
    nodeId: `n${place}`, sequenceId: 2 * place, released, actions,
    nodePosition: { x: 2 * place, y: 0, theta: 0, mapId: "local" },
});
const edge = (place, released) => ({
    edgeId: `e${place}`, sequenceId: 2 * place + 1, startNodeId: `n${place}`, endNodeId: `n${place + 1}`, released,
    actions: [],
});
const action = (actionType, values = {}) => ({
    actionId: `${actionType}-${Math.random().toString(36).slice(2)}`, actionType, blockingType: "HARD",
    actionParameters: Object.entries(values).map(([key, value]) => ({ key, value })),
});

class Fleet {
    constructor(vdaVersion) {
        this.vdaVersion = vdaVersion;
        this.options = { interfaceName: "uagv", transport: { brokerUrl }, vdaVersion };
        this.master = new MasterController(this.options);
        this.ids = Array.from({ length: robots }, (_, number) => (
            { manufacturer: MANUFACTURER, serialNumber: `lib-${number}-${vdaVersion}` }));
    }

    async run() {
        this.agvs = this.ids.map((id) => new AgvController(
            id, this.options, { agvAdapterType: VirtualAgvAdapter, publishVisualizationInterval: 500 },
            { initialPosition: { mapId: "local", x: 0, y: 0, theta: 0, lastNodeId: "n0" }, vehicleSpeed: 4 }));
        await Promise.all(this.agvs.map((agv) => agv.start()));
        await this.master.start();
        await sleep(1000);
        for (let round = 0; round < rounds; round++) {
            await Promise.all(this.ids.map((id) => this.round(id, round)));
        }
        await Promise.all(this.agvs.slice(1).map((agv) => agv.stop()));
        await this.master.stop();
    }

    async round(id, round) {
        await this.instantly(id, action("initPosition", { x: 0, y: 0, theta: 0, mapId: "local", lastNodeId: "n0" }));
        const orderId = `${id.serialNumber}-${round}`;
        const load = { stationType: "floor", loadType: "EPAL" };
        const first = this.assign(id, {
            orderId, orderUpdateId: 0, edges: [edge(0, true), edge(1, false)],
            nodes: [node(0, true, [action("pick", load)]), node(1, true), node(2, false)],
        });
        await sleep(700);
        await this.instantly(id, action("startPause"));
        await sleep(500);
        await this.instantly(id, action("stopPause"));
        const second = this.assign(id, {
            orderId, orderUpdateId: 1, edges: [edge(1, true), edge(2, true)],
            nodes: [node(1, true), node(2, true), node(3, true, [action("drop", load)])],
        });
        await Promise.race([Promise.all([first, second]), sleep(20000)]);
        await this.instantly(id, action("initPosition", { x: 0, y: 0, theta: 0, mapId: "local", lastNodeId: "n0" }));
        const third = this.assign(id, {
            orderId: `${orderId}-cancelled`, orderUpdateId: 0, edges: [edge(0, true), edge(1, true)],
            nodes: [node(0, true), node(1, true), node(2, true, [action("pick", load)])],
        });
        await sleep(600);
        await this.instantly(id, action("cancelOrder"));
        await Promise.race([third, sleep(5000)]);
    }

    assign(id, order) {
        return new Promise((resolve) => {
            this.master.assignOrder(id, order, {
                onOrderProcessed: (error, byCancelation) => {
                    console.log(`${order.orderId} ${order.orderUpdateId}: ${error ? error.errorType : byCancelation ? "cancelled" : "done"}`);
                    resolve();
                },
            });
        });
    }

    async instantly(id, one) {
        const actions = [{ ...one, blockingType: "NONE" }];
        const done = new Promise((resolve) => {
            const ended = (state) => ["FINISHED", "FAILED"].includes(state.actionStatus) && resolve();
            this.master.initiateInstantActions(id, { instantActions: actions }, {
                onActionStateChanged: ended,
                onActionError: (error) => { console.log(`${id.serialNumber} ${one.actionType}: ${error.errorDescription}`); resolve(); },
            });
        });
        await Promise.race([done, sleep(3000)]);
    }
}

Promise.all(["1.1.0", "2.0.0"].map((version) => new Fleet(version).run())).then(
    () => { console.log("the fleet is done"); process.exit(0); },
    (error) => { console.error(error); process.exit(1); },
);
