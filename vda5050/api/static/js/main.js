/* The page put together:
 *
 *   gateway ──> feed (in a worker for all tabs) ──> store ──> fleet, map, robot, alerts
 *               one event stream, parsed             once a frame: what changed
 *
 * Which view is shown, of which robot, with which filters and at which time is the address' part after # (router.js).
 * What the first look at the fleet does not need (later.js) is loaded when the fleet is drawn, or at once for an address that
 * needs it.
 */

import { find, setText } from "./dom.js";
import { FleetView } from "./fleet/fleet_view.js";
import { onLanguage, t, translate } from "./i18n.js";
import { onRoute, route } from "./router.js";
import { MapView } from "./map_view.js";
import { Shell } from "./shell.js";
import { Store } from "./store.js";
import { connectStream } from "./stream.js";

const LATEST_MS = 1_500; // without a fleet the rest is loaded then

const staleAfterMs = Number(document.documentElement.dataset.staleAfterS) * 1_000;
const store = new Store({ staleAfterMs });
const stream = connectStream((message) => store.take(message));
const map = new MapView(find("#map"), store);
const views = { fleet: new FleetView(find("#fleet"), store, { map }), map };
let rest = null; // of later.js: { robot, bell }
let loading = null;
new Shell(store, { search: () => views.fleet.focusSearch() });

let isEmpty = null;
let wasReady = false;
translate(document);
onRoute(show);
onLanguage(show);
store.subscribe(() => {
  const wasEmpty = isEmpty;
  isEmpty = !store.isReady || store.robots.size === 0;
  if (isEmpty !== wasEmpty || store.isReady !== wasReady) show();
  wasReady = store.isReady;
  if (store.isReady) load();
});
show();
setTimeout(load, LATEST_MS);

/** Show the view of the route; without any robot there is nothing but a hint (of shell.js), unless one is asked for. */
function show() {
  const { view, params } = route();
  if (view === "robot" || params.has("t")) load();
  for (const [name, panel] of Object.entries(views)) {
    panel.setShown(name === view && (name === "robot" ? store.isReady : isEmpty === false));
  }
  writeTitle();
}

/** Load the rest, once. A part that cannot be loaded (the network changed) is had by loading all anew. */
function load() {
  loading ??= import("./later.js").then(
    ({ createRest }) => {
      rest = createRest(store, { stream, map, staleAfterMs, onCount: writeTitle });
      views.robot = rest.robot;
      show();
    },
    () => setTimeout(() => location.reload(), 2_000),
  );
}

/** What is shown, and before it how many alerts wait, for whom has another tab open. */
function writeTitle() {
  const { view, robot } = route();
  const title = t("shell.title", { what: robot ?? t(`shell.${view}`) });
  const alerts = rest?.bell.count ?? 0;
  setText(find("title"), alerts === 0 ? title : t("shell.attention", { n: alerts, title }));
}
