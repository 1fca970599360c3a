/* What the map says in words: names of maps, what is under the pointer. */

import { t } from "../i18n.js";

/** A map's name for people; a robot that names no map is on one of its own. */
export function nameOf(mapId) {
  return mapId ?? t("map.none");
}

/** What the tip beside a robot says. */
export function tipOf(robot) {
  return `${robot.key} · ${t(`state.${robot.reason}`)}`;
}
