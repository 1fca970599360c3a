/* How a robot stands, judged from its view (RobotView in /docs). Pure: no DOM; the time comes in as an argument.
 *
 * Every robot is in exactly one of STATES, which the counts at the top add up to. What outranks what: one that cannot be
 * seen is offline whatever it said before; one that needs a person is in error; then what it does.
 * `reason` is the more exact word of it, a key of texts.js: "state.<reason>".
 */

export const STATES = ["driving", "idle", "charging", "error", "offline"];
export const LEVELS = ["WARNING", "URGENT", "CRITICAL", "FATAL"]; // 3.0; up to 2.1 the first and the last
export const LOW_BATTERY = 20; // percent; below it a robot that does not charge is told of

/** Judge one robot. `facts`: { seenAt: ms or null, staleAfterMs, now, isHeard: the broker's link held since it spoke }. */
export function judge(view, facts) {
  const link = linkOf(view, facts);
  const level = worstLevel(view.errors ?? []);
  if (link !== "online") return { state: "offline", reason: link, level };
  if (isStopped(view)) return { state: "error", reason: "stopped", level };
  if (isGrave(level)) return { state: "error", reason: "error", level };
  if (view.battery?.is_charging === true) return { state: "charging", reason: "charging", level };
  if (view.driving === true) return { state: "driving", reason: "driving", level };
  return { state: "idle", reason: view.paused === true ? "paused" : "idle", level };
}

/** "online", or why the robot cannot be seen: "offline", "broken", "hibernating", "stale". */
function linkOf(view, { seenAt, staleAfterMs, now, isHeard }) {
  if (view.connection_state === "OFFLINE") return "offline";
  if (view.connection_state === "CONNECTION_BROKEN") return "broken";
  if (view.connection_state === "HIBERNATING" && isHeard) return "hibernating";
  const isSilent = !isHeard || seenAt === null || now - seenAt > staleAfterMs;
  return isSilent ? "stale" : "online";
}

/** Tell whether an emergency stop is active. */
export function isStopped(view) {
  const stop = view.safety?.emergency_stop ?? null;
  return stop !== null && stop !== "NONE";
}

/** Tell whether an error of this level keeps the robot from going on (VDA 5050 3.0; 2.1 knows FATAL alone). */
export function isGrave(level) {
  return level === "CRITICAL" || level === "FATAL";
}

/** The gravest level, null of none; a word that the standard does not know counts for more than a warning. */
export function worstLevel(errors) {
  let worst = null;
  for (const { level } of errors) {
    const told = level ?? "WARNING";
    if (worst === null || graveness(told) > graveness(worst)) worst = told;
  }
  return worst;
}

/** Tell whether the battery needs a charger that it has not got. */
export function isBatteryLow(view) {
  const battery = view.battery;
  return battery != null && battery.charge !== null && battery.charge < LOW_BATTERY && battery.is_charging !== true;
}

/** Metres a second, or null. */
export function speedOf(view) {
  const { vx, vy } = view.velocity ?? {};
  return vx == null && vy == null ? null : Math.hypot(vx ?? 0, vy ?? 0);
}

export function graveness(level) {
  const index = LEVELS.indexOf(level);
  return index === -1 ? 0.5 : index;
}
