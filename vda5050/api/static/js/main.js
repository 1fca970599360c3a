/* The page put together:
 *
 *   gateway ──> feed (in a worker for all tabs) ──> store ──> fleet, map, robot, alerts
 *               one event stream, parsed             once a frame: what changed
 *
 * Which view is shown, of which robot, with which filters and at which time is the address' part after # (router.js).
 */

import { Bell } from "./alerts/bell.js";
import { find, setText } from "./dom.js";
import { FleetView } from "./fleet/fleet_view.js";
import { onLanguage, t, translate } from "./i18n.js";
import { onRoute, route } from "./router.js";
import { MapView } from "./map_view.js";
import { RobotView } from "./robot/robot_view.js";
import { Traces } from "./robot/traces.js";
import { Shell } from "./shell.js";
import { Store } from "./store.js";
import { connectStream } from "./stream.js";
import { TimeBar } from "./time/time_bar.js";

const staleAfterMs = Number(document.documentElement.dataset.staleAfterS) * 1_000;
const store = new Store({ staleAfterMs });
const stream = connectStream((message) => store.take(message));
const traces = new Traces();
const map = new MapView(find("#map"), store);
const views = {
  fleet: new FleetView(find("#fleet"), store, { map }),
  map,
  robot: new RobotView(find("#robot"), store, { stream, traces, map, onJump }),
};
const timeBar = new TimeBar(find("#time"), store, { staleAfterMs, onChange: () => views.robot.forget() });
const bell = new Bell(store, { onJump, onCount: writeTitle });
new Shell(store, { search: () => views.fleet.focusSearch() });

let isEmpty = null;
translate(document);
onRoute(show);
onLanguage(show);
store.subscribe(({ live }) => {
  for (const robot of live.changed) traces.note(robot, Date.now() + store.aheadMs);
  const wasEmpty = isEmpty;
  isEmpty = !store.isReady || store.robots.size === 0;
  if (isEmpty !== wasEmpty) show();
});
show();

/** Show the view of the route; without any robot there is nothing but a hint (of shell.js), unless one is asked for. */
function show() {
  const { view } = route();
  for (const [name, panel] of Object.entries(views)) {
    panel.setShown(name === view && (name === "robot" ? store.isReady : isEmpty === false));
  }
  writeTitle();
}

/** What is shown, and before it how many alerts wait, for whom has another tab open. */
function writeTitle() {
  const { view, robot } = route();
  const title = t("shell.title", { what: robot ?? t(`shell.${view}`) });
  setText(find("title"), bell.count === 0 ? title : t("shell.attention", { n: bell.count, title }));
}

/** How to show a moment of the past, where there is a history. */
function onJump() {
  return timeBar.isThere ? (at, robot) => timeBar.jump(at, robot) : null;
}
