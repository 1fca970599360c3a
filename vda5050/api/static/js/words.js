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
  stopped: "E-stop",
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

// Marks that turn the direction of writing, and characters that show nothing or break the line.
const UNSEEN = /[\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\p{Cc}]/gu;

/** A robot's text without what could make it look like another one; each such character becomes a dot. */
export function plain(text) {
  return text.replace(UNSEEN, "·");
}

/** JSON for people: what `plain` would replace is escaped, which means the same and can be seen. */
export function jsonText(value) {
  const escape = (character) => `\\u${character.codePointAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(value, null, 2).replace(UNSEEN, (character) => (character === "\n" ? "\n" : escape(character)));
}

/** "1 Warning", "1 Fatal +3": how many have the gravest level, and how many others there are. */
export function errorsText(errors, level) {
  const gravest = errors.filter((error) => (error.level ?? "WARNING") === level).length;
  return `${gravest} ${sentence(level)}${errors.length > gravest ? ` +${errors.length - gravest}` : ""}`;
}

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

/** Metres with centimetres; large ones shorter. */
export function metres(value) {
  const size = Math.abs(value);
  return size < 1_000 ? value.toFixed(2) : size < 100_000 ? value.toFixed(1) : value.toExponential(1);
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
  return Math.abs(charge) < 10_000 ? `${Math.round(charge)} %` : `${charge.toExponential(0)} %`;
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
