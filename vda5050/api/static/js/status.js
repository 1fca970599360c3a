/* How a robot stands, and how many stand so. Pure: no DOM; the time comes in as an argument.
 *
 * Takes a robot of `fleet.js` with its view of `reading.js`; gives
 *   { connection: one of CONNECTIONS, activity: one of ACTIVITIES or null, isLost, level: worst error level or null }
 * `isLost`: what is shown of the robot is old, because it left, was cut off or is silent.
 */

export const STALE_AFTER_MS = 45_000; // The standard asks for a state every 30 s; the gateway's VDA5050_STALE_AFTER_S.

export const CONNECTIONS = ["online", "unannounced", "hibernating", "stale", "offline", "broken"];
export const ACTIVITIES = ["stopped", "driving", "charging", "paused", "idle"];

const SAID = {
  ONLINE: "online",
  OFFLINE: "offline",
  CONNECTIONBROKEN: "broken",
  CONNECTION_BROKEN: "broken", // 3.0
  HIBERNATING: "hibernating", // 3.0: connected, but sends no state, so silence means nothing
};
const LEVELS = ["WARNING", "URGENT", "CRITICAL", "FATAL"]; // 3.0; up to 2.1 the first and the last

/** Judge one robot. */
export function statusOf(robot, fleet, now) {
  const connection = connectionOf(robot, fleet, now);
  const isLost = connection === "stale" || connection === "offline" || connection === "broken";
  return { connection, isLost, activity: activityOf(robot.view), level: worstLevel(robot.view.errors) };
}

/** Tell whether two judgements say the same. */
export function isSameStatus(one, other) {
  return one.connection === other.connection && one.activity === other.activity && one.level === other.level;
}

/** Count a fleet: a robot that is lost counts as that only, whatever it said before. */
export function countFleet(robots) {
  const counts = { robots: 0, online: 0, driving: 0, charging: 0, idle: 0, errors: 0, stale: 0, lost: 0 };
  for (const { view, status } of robots) {
    counts.robots += 1;
    if (view.errors.length > 0) counts.errors += 1;
    if (status.connection === "stale") counts.stale += 1;
    else if (status.isLost) counts.lost += 1;
    else {
      counts.online += 1;
      if (status.activity === "driving") counts.driving += 1;
      else if (status.activity === "charging") counts.charging += 1;
      else if (status.activity !== null) counts.idle += 1;
    }
  }
  return counts;
}

function connectionOf(robot, fleet, now) {
  const said = SAID[robot.connectionState] ?? "unannounced";
  const isSilenceTold = said === "offline" || said === "broken";
  if (isSilenceTold || (said === "hibernating" && fleet.broker !== "disconnected")) return said;
  const lastSeen = fleet.lastSeen(robot);
  const isSilent = !robot.isHeard || lastSeen === null || now - lastSeen > STALE_AFTER_MS;
  return isSilent ? "stale" : said;
}

/** What the robot does, by its last state: null where it never sent a readable one. */
function activityOf(view) {
  if (view.emergencyStop !== null) return "stopped";
  if (view.driving === true) return "driving";
  if (view.battery?.isCharging === true) return "charging";
  if (view.paused === true) return "paused";
  return view.driving === false || view.operatingMode !== null ? "idle" : null;
}

/** The gravest level; one that is not known is shown as it is, graver than a warning. */
function worstLevel(errors) {
  let worst = null;
  for (const { level } of errors) {
    if (worst === null || graveness(level) > graveness(worst)) worst = level ?? "WARNING";
  }
  return worst;
}

function graveness(level) {
  const index = LEVELS.indexOf(level);
  return index === -1 && level !== null ? 0.5 : index;
}
