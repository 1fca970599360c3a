/* The order: how far it is, what comes next, and the actions with their states. */

import { element, icon } from "../dom.js";
import { plural, t } from "../i18n.js";
import { measure, number, progressOf, word } from "../words.js";

const MOST_STOPS = 7;
const ACTION_ICONS = { RUNNING: "play", FINISHED: "check", FAILED: "error", PAUSED: "paused", RETRIABLE: "warning" };

/** What the card is made of: it is built anew when this differs. */
export function orderOf({ order }) {
  return order == null || (!order.order_id && !order.last_node_id) ? null : order;
}

/** Build the order's card. */
export function buildOrder(order) {
  const progress = progressOf(order);
  if (progress === null) return [element("p", "sub", order.last_node_id ? t("order.noneAt", { node: order.last_node_id }) : t("order.none"))];
  const head = element("div", "order-head", element("strong", "id", order.order_id));
  if (order.order_update_id !== null) head.append(element("span", "sub", t("order.update", { n: order.order_update_id })));
  const nodes = [head];
  if (order.description !== null) nodes.push(element("p", "", order.description));
  if (progress.fraction !== null) nodes.push(gauge(progress.fraction), element("p", "sub", passed(order.progress)));
  nodes.push(stops(order));
  const notes = [
    order.distance_since_last_node === null ? null : t("order.since", { distance: measure(order.distance_since_last_node, "m", 1) }),
    order.new_base_request === true ? t("order.wantsBase") : null,
    order.horizon_node_count > 0 ? plural("order.horizon", order.horizon_node_count) : null,
  ].filter((note) => note !== null);
  if (notes.length > 0) nodes.push(element("p", "sub", notes.join(" · ")));
  return nodes;
}

function passed({ passed_nodes: done, all_nodes: all }) {
  return t("order.passed", { done: number(done), all: number(all) });
}

function gauge(fraction) {
  const fill = element("span", "fill");
  fill.style.width = `${Math.round(Math.max(0, Math.min(1, fraction)) * 100)}%`;
  return element("span", "gauge", fill);
}

/** The way as a line of stops: the node reached last, then those to come; filled ones may be driven to. */
function stops(order) {
  const list = element("ol", "stops");
  if (order.last_node_id) list.append(element("li", "reached", element("span", "", order.last_node_id)));
  const nodes = order.nodes ?? [];
  for (const node of nodes.slice(0, MOST_STOPS)) {
    const stop = element("li", node.released === false ? "horizon" : "base", element("span", "", node.node_id ?? "?"));
    const actions = (node.actions ?? []).map(({ action_type: type }) => type).filter(Boolean);
    if (actions.length > 0) stop.append(element("small", "", actions.join(", ")));
    list.append(stop);
  }
  if (nodes.length > MOST_STOPS) list.append(element("li", "more", element("span", "", `+${nodes.length - MOST_STOPS}`)));
  return list;
}

/** What the actions' card is made of; the order's own first, as the robot lists them. */
export function actionsOf({ actions }) {
  return actions == null || actions.length === 0 ? null : actions;
}

/** Build the actions' card. */
export function buildActions(actions) {
  const list = element("ul", "actions");
  for (const action of actions) {
    const status = element("span", "status", icon(ACTION_ICONS[action.status] ?? "idle"), word("action", action.status));
    status.dataset.status = action.status ?? "";
    const what = element("div", "", element("strong", "", action.action_type ?? action.action_id ?? "?"));
    const notes = [action.kind === null ? null : word("kind", action.kind.toUpperCase()), action.description, action.result];
    const note = notes.filter(Boolean).join(" · ");
    if (note !== "") what.append(element("small", "", note));
    list.append(element("li", "", what, status));
  }
  return [list];
}
