/* Numbers, times and states in words for people. Pure.
 *
 * Takes values of `reading.js` and `status.js`, null where nothing is known; gives text, NOTHING for null.
 */

export const NOTHING = "–";

const CONNECTION_WORDS = {
  online: "Online",
  unannounced: "Unannounced",
  hibernating: "Hibernating",
  stale: "Stale",
  offline: "Offline",
  broken: "Connection broken",
};
const ACTIVITY_WORDS = {
  stopped: "Emergency stop",
  driving: "Driving",
  charging: "Charging",
  paused: "Paused",
  idle: "Idle",
};
const UNITS = [
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
];

/** "Connection broken" */
export const connectionWord = (connection) => CONNECTION_WORDS[connection];

/** "Driving" */
export const activityWord = (activity) => ACTIVITY_WORDS[activity] ?? NOTHING;

/** Why a robot has this connection state, for a tooltip. */
export function connectionReason(connection, age) {
  switch (connection) {
    case "unannounced":
      return "It sends messages, but never said ONLINE.";
    case "hibernating":
      return "It said HIBERNATING: connected, but sends no state until it wakes.";
    case "stale":
      return age === NOTHING ? "It was not heard yet, only announced." : `Nothing was heard of it for ${age}.`;
    case "offline":
      return "It said OFFLINE and left.";
    case "broken":
      return "The broker reports that the connection to it broke.";
    default:
      return "It said ONLINE and was heard lately.";
  }
}

/** A span of time as a person says it: "now", "12 s", "3 min", "2 h 5 min". */
export function ageText(ms) {
  if (ms === null) return NOTHING;
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 2) return "now";
  if (seconds < 60) return `${seconds} s`;
  const index = UNITS.findIndex(([, size]) => seconds >= size);
  const [unit, size] = UNITS[index];
  const rest = UNITS[index + 1];
  const more = rest === undefined ? 0 : Math.floor((seconds % size) / rest[1]);
  return `${Math.floor(seconds / size)} ${unit}${more > 0 ? ` ${more} ${rest[0]}` : ""}`;
}

/** Metres with centimetres; very large ones short. */
export function metres(value) {
  return Math.abs(value) < 100_000 ? value.toFixed(2) : value.toExponential(2);
}

/** An angle in degrees between -180 and 180. */
export function degrees(theta) {
  if (theta === null) return "";
  const turned = Math.atan2(Math.sin(theta), Math.cos(theta));
  return `${Math.round((turned * 180) / Math.PI) + 0}°`;
}

/** "87 %", as the robot says it, be it 219. */
export function percent(charge) {
  if (charge === null) return NOTHING;
  return Math.abs(charge) < 10_000 ? `${Math.round(charge)} %` : `${charge.toExponential(1)} %`;
}

/** "0.8 m/s" */
export function speedText(speed) {
  return speed < 1000 ? `${speed.toFixed(1)} m/s` : `${speed.toExponential(1)} m/s`;
}

/** "3 nodes", "1 node" */
export function plural(count, word) {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

/** "AUTOMATIC" -> "Automatic", "TEACH_IN" -> "Teach in" */
export function sentence(word) {
  const lower = word.toLowerCase().replaceAll("_", " ");
  return lower.charAt(0).toUpperCase() + lower.slice(1);
}

/** The time of day: "14:03:22" */
export function clockText(ms) {
  return new Date(ms).toLocaleTimeString([], { hour12: false });
}

/** "812 B", "3.4 kB" */
export function sizeText(bytes) {
  return bytes < 1000 ? `${bytes} B` : `${(bytes / 1000).toFixed(1)} kB`;
}
