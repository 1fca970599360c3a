/* What of a robot needs a person. Pure; the same for everyone who looks, so that one can acknowledge for all.
 *
 * Gives [{ id, kind, text, level }]: `id` names the alert among those of its robot and is made of what the robot says alone;
 * `kind` is a key of texts.js ("alert.<kind>"), `text` a robot's or the doctor's own words for it, `level` "bad" or "warn".
 */

import { isBatteryLow, isGrave, isStopped } from "../status.js";

const RECENT_MS = 15 * 60_000; // A finding that has not come again for so long is for the reports.

/** The alerts of one robot. `isBrokerUp`: without the broker all robots are silent, and the banner tells it. */
export function alertsOf(robot, { now, isBrokerUp }) {
  const { view } = robot;
  const found = [];
  if (isStopped(view)) found.push({ id: "stop", kind: "stop", text: "", level: "bad" });
  for (const { type, level, description } of view.errors ?? []) {
    if (isGrave(level)) found.push({ id: `error:${type ?? ""}`.slice(0, 400), kind: "error", text: [type, description].filter(Boolean).join(": "), level: "bad" });
  }
  if (robot.reason === "broken") found.push({ id: "broken", kind: "broken", text: "", level: "bad" });
  if (robot.reason === "stale" && robot.seenAt !== null && isBrokerUp !== false) found.push({ id: "stale", kind: "stale", text: "", level: "warn" });
  if (isBatteryLow(view) && robot.state !== "offline") found.push({ id: "battery", kind: "battery", text: `${Math.round(view.battery.charge)} %`, level: "warn" });
  for (const { rule, topic, place, message, severity, last_seen: lastSeen } of robot.findings.list.values()) {
    if (severity !== "error" || now - Date.parse(lastSeen) > RECENT_MS) continue;
    found.push({ id: `finding:${rule}:${topic}:${place}`.slice(0, 400), kind: "finding", text: message, level: "warn" });
  }
  return found;
}
