/* The plain cards of a robot's page: headings, lists of facts. */

import { element } from "../dom.js";
import { t } from "../i18n.js";

/** A heading whose text is that of a key. */
export function heading(key) {
  const node = element("h2");
  node.dataset.text = key;
  return node;
}

/** Build the card of facts. */
export function buildAbout(facts) {
  const list = element("dl", "facts");
  for (const [id, value] of facts) list.append(element("dt", "", t(`fact.${id}`)), element("dd", "", value));
  return [list];
}

/** Build the card of lists. */
export function buildLists(all) {
  return all.flatMap(([id, rows]) => {
    const list = element("ul", "plain-list");
    for (const [text, note] of rows) list.append(element("li", "", element("span", "", text), element("small", "", note ?? "")));
    return [element("h2", "", t(`robot.${id}`)), list];
  });
}
