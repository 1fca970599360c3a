/* The columns of the fleet's table: what each is called, sorts by, is searched by and shows.
 *
 * `make(cell)` builds a cell's inside once and gives a function that writes a robot into it: it is called for rows on the
 * screen only, and writes only what differs (see dom.js).
 */

import { element, icon, setAttribute, setData, setIcon, setShown, setText } from "../dom.js";
import { plural, t } from "../i18n.js";
import { href } from "../router.js";
import { graveness, isBatteryLow, LOW_BATTERY, speedOf, STATES } from "../status.js";
import { ageText, measure, NOTHING, percent, progressOf, word } from "../words.js";

const RANK = ["error", "offline", "driving", "charging", "idle"];

/** In the order they are shown. `sort` gives what is compared: a text, a number, or null, which comes last. */
export const COLUMNS = [
  { id: "state", sort: (robot) => RANK.indexOf(robot.state), make: stateCell },
  { id: "robot", sort: (robot) => robot.key, make: robotCell },
  { id: "mode", sort: (robot) => robot.view.operating_mode, make: modeCell },
  { id: "battery", sort: (robot) => robot.view.battery?.charge ?? null, make: batteryCell },
  { id: "order", sort: (robot) => robot.view.order?.order_id || null, make: orderCell },
  { id: "map", sort: (robot) => robot.view.position?.map_id ?? null, make: mapCell },
  { id: "errors", sort: errorRank, make: errorCell },
  { id: "findings", sort: (robot) => -(robot.findings.error * 1e6 + robot.findings.warning * 1e3 + robot.findings.info), make: findingCell },
  { id: "version", sort: (robot) => robot.view.version, make: versionCell },
  { id: "seen", sort: (robot) => (robot.seenAt === null ? null : -robot.seenAt), make: seenCell },
];

/** All that the search looks at, in lower case. */
export function searchText(robot) {
  const { view } = robot;
  return [
    robot.key,
    view.position?.map_id,
    word("mode", view.operating_mode),
    view.order?.order_id,
    view.version,
    t(`state.${robot.reason}`),
    ...(view.errors ?? []).flatMap(({ type, level }) => [type, level]),
    ...[...robot.findings.list.values()].map(({ rule }) => rule),
  ]
    .filter((part) => part != null)
    .join("\n")
    .toLowerCase();
}

function errorRank(robot) {
  return robot.level === null ? 0 : -(graveness(robot.level) + 1) * 100 - (robot.view.errors?.length ?? 0);
}

function stateCell(cell) {
  const picture = icon("idle");
  const text = element("span", "text");
  cell.append(element("span", "state", picture, text));
  return (robot) => {
    setData(cell.firstChild, "state", robot.state);
    setIcon(picture, STATES.includes(robot.reason) || robot.reason === "paused" ? robot.reason : robot.state);
    setText(text, t(`state.${robot.reason}`));
  };
}

function robotCell(cell) {
  const link = element("a", "serial");
  const make = element("small", "make");
  link.tabIndex = -1;
  cell.append(link, make);
  return (robot) => {
    setText(link, robot.serial);
    setText(make, robot.manufacturer);
    setAttribute(link, "href", href({ view: "robot", robot: robot.key }));
  };
}

function modeCell(cell) {
  const mode = element("span");
  const speed = element("small");
  cell.append(mode, speed);
  return ({ view }) => {
    setText(mode, word("mode", view.operating_mode));
    const metres = view.driving === true ? speedOf(view) : null;
    setText(speed, metres === null ? "" : measure(metres, "m/s", 1));
    setData(cell, "odd", view.operating_mode !== null && view.operating_mode !== "AUTOMATIC" ? "" : null);
  };
}

function batteryCell(cell) {
  const text = element("span", "number");
  const bolt = icon("charging");
  const fill = element("span", "fill");
  cell.append(element("span", "charge", text, bolt), element("span", "gauge", fill));
  return ({ view }) => {
    const charge = view.battery?.charge ?? null;
    setText(text, percent(charge));
    setShown(bolt, view.battery?.is_charging === true);
    setShown(fill.parentNode, charge !== null);
    const share = `${Math.round(Math.min(100, Math.max(0, charge ?? 0)))}%`;
    if (fill.style.width !== share) fill.style.width = share;
    setData(cell, "level", isBatteryLow(view) ? (charge < LOW_BATTERY / 2 ? "bad" : "warn") : null);
  };
}

function orderCell(cell) {
  const id = element("span", "id");
  const rest = element("small");
  const fill = element("span", "fill");
  const gauge = element("span", "gauge", fill);
  cell.append(id, element("span", "way", gauge, rest));
  return ({ view }) => {
    const progress = progressOf(view.order);
    setText(id, progress === null ? NOTHING : view.order.order_id);
    setShown(gauge, progress?.fraction != null);
    setText(rest, progress?.left == null ? "" : progress.left === 0 ? t("order.arrived") : plural("order.left", progress.left));
    const share = `${Math.round((progress?.fraction ?? 0) * 100)}%`;
    if (fill.style.width !== share) fill.style.width = share;
    setData(cell, "none", progress === null ? "" : null);
  };
}

function mapCell(cell) {
  const text = element("span");
  cell.append(text);
  return ({ view }) => setText(text, view.position?.map_id ?? NOTHING);
}

function errorCell(cell) {
  const picture = icon("error");
  const text = element("span", "text");
  const type = element("small");
  cell.append(element("span", "level", picture, text), type);
  return ({ view, level }) => {
    const errors = view.errors ?? [];
    setShown(picture, level !== null);
    setIcon(picture, level === "WARNING" ? "warning" : "error");
    setData(cell, "level", level === null ? null : level === "WARNING" ? "warn" : "bad");
    const worst = errors.find((error) => (error.level ?? "WARNING") === level);
    setText(text, level === null ? NOTHING : word("level", level) + (errors.length > 1 ? ` +${errors.length - 1}` : ""));
    setText(type, worst?.type ?? "");
  };
}

function findingCell(cell) {
  const text = element("span", "text");
  cell.append(text);
  return ({ findings }) => {
    const { error, warning, info } = findings;
    setText(text, error + warning + info === 0 ? NOTHING : error > 0 ? plural("findings.error", error) : warning > 0 ? plural("findings.warning", warning) : plural("findings.info", info));
    setData(cell, "level", error > 0 ? "bad" : warning > 0 ? "warn" : null);
  };
}

function versionCell(cell) {
  const text = element("span", "number");
  cell.append(text);
  return ({ view }) => setText(text, view.version ?? NOTHING);
}

function seenCell(cell) {
  const text = element("span", "number");
  cell.append(text);
  return ({ seenAt }, now) => setText(text, ageText(seenAt === null ? null : now - seenAt));
}
