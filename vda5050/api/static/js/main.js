/* The page put together:
 *
 *   stream -> fleet -> overview -> list, map, detail, summary
 *             (reduces) (reads, judges)  (draw, once a frame, what changed)
 *
 * The order inside a frame: take the changes, hand them to the panels, let each draw.
 */

import { Detail } from "./detail.js";
import { find, setText } from "./dom.js";
import { Fleet } from "./fleet.js";
import { createFrames } from "./frames.js";
import { askGateway } from "./gateway.js";
import { RobotList } from "./list.js";
import { FleetMap } from "./map.js";
import { Overview } from "./overview.js";
import { Stream } from "./stream.js";
import { Summary } from "./summary.js";

const TICK_MS = 1_000;
const SMALL_FLEET = 6; // robots; the list leaves room for the map above it
const WIDE_MAP = 2; // width by height

const fleet = new Fleet();
const overview = new Overview(fleet);
const lastSeen = (robot) => fleet.lastSeen(robot);
const requestDraw = createFrames(draw);
const summary = new Summary();
const list = new RobotList(find("#list"), { lastSeen, onOpen: open, requestDraw });
const map = new FleetMap(find("#map"), { onChoose: choose, requestDraw });
const detail = new Detail(find("#detail"), { lastSeen, onClose: close });
let openKey = null;
let isTickDue = true;

const stream = new Stream("stream", {
  onEvent(event) {
    fleet.apply(event, Date.now());
    requestDraw();
  },
  onLink(state) {
    summary.setLink(state, Date.now());
    if (state === "live") learnOfGateway();
    requestDraw();
  },
});
stream.start();
setInterval(() => {
  isTickDue = true;
  requestDraw();
}, TICK_MS);

function draw(now) {
  const { isReplaced, changed } = overview.refresh(now);
  if (isReplaced) {
    list.clear();
    map.clear();
  }
  list.show(changed);
  for (const robot of changed) map.show(robot, now);
  if (isTickDue) tick(now);
  const opened = fleet.robots.get(openKey);
  if (opened !== undefined && changed.includes(opened)) detail.note(opened);
  summary.draw(overview.counts, fleet, now);
  showSize();
  const isMoreDue = [list.draw(now), detail.draw(now), map.draw(now)];
  return isMoreDue.includes(true);
}

/** Once a second: what only time changes. */
function tick(now) {
  isTickDue = false;
  const changed = overview.tick(now);
  list.show(changed);
  list.tick(now);
  for (const robot of changed) map.show(robot, now);
  map.tick();
  detail.tick(now);
}

/** Ask for what the stream says only when it changes; a status that came meanwhile is newer than the answer. */
async function learnOfGateway() {
  const before = fleet.brokerSince;
  const answer = await askGateway();
  if (answer === null) return;
  fleet.gatewayAheadMs = answer.aheadMs;
  fleet.brokerDetail = answer.detail;
  if (fleet.brokerSince === before) fleet.setBroker(answer.broker, null);
  isTickDue = true;
  requestDraw();
}

function open(key) {
  const robot = fleet.robots.get(key);
  if (robot === undefined) return;
  if (key === openKey) {
    close();
    return;
  }
  openKey = key;
  document.body.classList.add("has-detail");
  list.setOpen(key);
  map.select(key);
  detail.open(robot, { isFocused: matchMedia("(max-width: 1099px)").matches });
  requestDraw();
}

/** A robot chosen on the map: its row is brought into view as well. */
function choose(key) {
  open(key);
  list.reveal(key);
}

function close() {
  const key = openKey;
  openKey = null;
  document.body.classList.remove("has-detail");
  list.setOpen(null);
  map.select(null);
  detail.close();
  list.focus(key);
}

/** Fit the page to the fleet's size and shape; between a reset and its snapshot all stays as it is. */
function showSize() {
  const count = fleet.robots.size;
  find("#waiting").hidden = fleet.hasSnapshot || count > 0;
  find("#empty").hidden = !fleet.hasSnapshot || count > 0;
  if (fleet.hasSnapshot) {
    const isSmall = count <= SMALL_FLEET;
    document.body.classList.toggle("is-empty", count === 0);
    document.body.classList.toggle("is-small", isSmall);
    document.body.classList.toggle("is-stacked", isSmall || map.aspect > WIDE_MAP);
  }
  setText(find("#gateway-detail"), fleet.brokerDetail === "" ? "" : `The gateway is ${fleet.brokerDetail}.`);
}
