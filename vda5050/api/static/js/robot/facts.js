/* A robot's view in words people use: lists of facts [label, value, note] for the cards. No DOM.
 *
 * Every member of the robot view (docs: RobotView) is somewhere: here, in order.js, in troubles.js, or on the map.
 */

import { t } from "../i18n.js";
import { isStopped, speedOf } from "../status.js";
import { dateText, degrees, measure, NOTHING, number, percent, word } from "../words.js";

/** The figures at the top: [id, value, note, level]. */
export function headFigures(view) {
  const { battery, velocity, position } = view;
  const speed = speedOf(view);
  const turning = velocity?.omega == null || Math.abs(velocity.omega) < 0.01 ? "" : `${measure(velocity.omega, "rad/s", 2)}`;
  const place = position == null ? NOTHING : `${number(position.x, 2)} / ${measure(position.y, "m", 2)}`;
  return [
    ["battery", percent(battery?.charge), batteryNote(battery), null],
    ["speed", measure(speed, "m/s", 2), turning, null],
    ["mode", word("mode", view.operating_mode), view.paused === true ? t("state.paused") : "", null],
    ["position", place, position == null ? "" : `${position.map_id ?? NOTHING} · ${degrees(position.theta)}`, position?.is_localized === false ? "warn" : null],
    ["safety", ...safety(view)],
  ];
}

function batteryNote(battery) {
  if (battery == null) return "";
  const parts = [
    battery.is_charging === true ? t("state.charging") : null,
    battery.range === null ? null : measure(battery.range, "m"),
    battery.voltage === null ? null : measure(battery.voltage, "V", 1),
  ];
  return parts.filter((part) => part !== null).join(" · ");
}

function safety(view) {
  if (view.safety == null) return [NOTHING, "", null];
  if (isStopped(view)) return [t("state.stopped"), word("stop", view.safety.emergency_stop), "bad"];
  if (view.safety.field_violation === true) return [t("fact.field"), t("fact.noStop"), "warn"];
  return [t("fact.clear"), t("fact.noStop"), null];
}

/** What the robot is, and how it is linked. */
export function aboutFacts(view) {
  const { factsheet, dimensions, connection, battery, position } = view;
  return [
    ["connection", view.connection_state === null ? NOTHING : word("connection", view.connection_state)],
    ["connectionRetained", connection?.is_retained === true ? t("fact.yes") : null],
    ["version", view.version === null ? null : `${view.version} (${t(`versionSource.${view.version_source}`)})`],
    ["lastSeen", view.last_seen === null ? null : dateText(Date.parse(view.last_seen))],
    ["localization", position == null ? null : localization(position)],
    ["current", battery?.current == null ? null : measure(battery.current, "A", 1)],
    ["health", battery?.health == null ? null : percent(battery.health)],
    ["series", factsheet?.series ?? null],
    ["description", factsheet?.description ?? null],
    ["class", factsheet?.robot_class == null ? null : word("class", factsheet.robot_class)],
    ["kinematic", factsheet?.kinematic == null ? null : word("kinematic", factsheet.kinematic)],
    ["size", size(dimensions)],
    ["maxSpeed", dimensions?.max_speed == null ? null : measure(dimensions.max_speed, "m/s", 1)],
    ["maxLoad", factsheet?.max_load_mass == null ? null : measure(factsheet.max_load_mass, "kg")],
    ["localizes", factsheet?.localization_types?.join(", ") || null],
    ["navigates", factsheet?.navigation_types?.join(", ") || null],
  ].filter(([, value]) => value !== null);
}

function localization({ is_localized: isLocalized, localization_score: score, deviation_range: deviation }) {
  const parts = [
    isLocalized === null ? null : t(isLocalized ? "fact.localized" : "fact.lost"),
    score === null ? null : percent(score * 100),
    deviation === null ? null : `±\u00a0${measure(deviation, "m", 2)}`,
  ];
  return parts.filter((part) => part !== null).join(" · ") || null;
}

function size(dimensions) {
  if (dimensions == null) return null;
  const sides = [dimensions.length, dimensions.width, dimensions.height];
  return sides.every((side) => side === null) ? null : `${sides.map((side) => number(side, 2)).join(" × ")} m`;
}

/** Lists: what it carries, tells, holds and asks for: each [id, rows of [text, note]]; null where it does not say. */
export function lists(view) {
  return [
    ["loads", view.loads?.map((load) => [load.load_id || load.load_type || t("fact.unknownLoad"), loadNote(load)]) ?? null],
    ["information", view.information?.map((told) => [told.type ?? NOTHING, told.description ?? references(told)]) ?? null],
    ["maps", view.maps?.map((map) => [map.map_id ?? NOTHING, [map.map_version, enabled(map.status), map.description].filter(Boolean).join(" · ")]) ?? null],
    ["zones", view.zones?.map((set) => [set.zone_set_id ?? NOTHING, zoneNote(set)]) ?? null],
    ["requests", view.requests?.map((asked) => [`${word("request", asked.type)} · ${asked.zone_id ?? asked.edge_id ?? asked.request_id ?? ""}`, word("requestStatus", asked.status)]) ?? null],
  ].filter(([, rows]) => rows !== null && rows.length > 0);
}

function loadNote({ load_type: type, load_position: position, weight }) {
  return [type, position, weight === null ? null : measure(weight, "kg")].filter(Boolean).join(" · ");
}

function enabled(status) {
  return status === null ? null : word("mapStatus", status);
}

function zoneNote(set) {
  const count = set.zones === null ? null : t("fact.zones", { n: set.zones.length });
  return [set.map_id, enabled(set.status), count, set.description].filter(Boolean).join(" · ");
}

/** "nodeId N7, actionId 12" */
export function references(told) {
  return (told.references ?? []).map(({ key, value }) => `${key ?? ""} ${value ?? ""}`.trim()).join(", ");
}
