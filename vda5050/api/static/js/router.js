/* What is shown, as an address that can be shared: the part after # of the URL.
 *
 *   #/fleet?state=error&q=KUKA&sort=battery&down=1     #/map?map=hall&robot=KUKA/KR_1001     #/robot/KUKA/KR_1001?tab=messages
 *
 * and in each `t=2026-11-23T12:00:00.000Z` while a moment of the past is shown. A route is { view, robot, params }; what the
 * address does not name is as it is by itself. Names are percent-encoded: a robot may be called anything.
 */

const VIEWS = ["fleet", "map", "robot"];

const listeners = new Set();
let current = parse(location.hash);

/** Read an address; one that cannot be read leads to the fleet. */
export function parse(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  const params = new URLSearchParams(query);
  const [view, ...names] = path.split("/");
  if (view === "robot" && names.length === 2) {
    try {
      return { view, robot: names.map(decodeURIComponent).join("/"), params };
    } catch {
      return { view: "fleet", robot: null, params: new URLSearchParams() };
    }
  }
  return { view: VIEWS.includes(view) && view !== "robot" ? view : "fleet", robot: null, params };
}

/** Write an address. */
export function href({ view, robot = null, params = {} }) {
  const query = new URLSearchParams(params);
  for (const [name, value] of [...query]) if (value === "" || value === "null") query.delete(name);
  if (current.params.has("t") && !query.has("t")) query.set("t", current.params.get("t"));
  const path = robot === null ? view : `${view}/${encodeKey(robot)}`;
  const text = query.toString();
  return `#/${path}${text === "" ? "" : `?${text}`}`;
}

/** Write a robot's key as a path: manufacturer/serial, each percent-encoded. */
export function encodeKey(key) {
  const slash = key.indexOf("/");
  return `${encodeURIComponent(key.slice(0, slash))}/${encodeURIComponent(key.slice(slash + 1))}`;
}

/** The route that is shown. */
export function route() {
  return current;
}

/** Go somewhere else; "back" returns. */
export function go(target) {
  location.hash = href(target);
}

/** Change parameters of this address without a step in the browser's history; null takes one away. */
export function amend(changes) {
  const params = new URLSearchParams(current.params);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") params.delete(name);
    else params.set(name, value);
  }
  current = { ...current, params };
  const text = params.toString();
  const path = current.robot === null ? current.view : `${current.view}/${encodeKey(current.robot)}`;
  history.replaceState(null, "", `#/${path}${text === "" ? "" : `?${text}`}`);
  tell();
}

/** Be told of every other route. */
export function onRoute(listener) {
  listeners.add(listener);
}

function tell() {
  for (const listener of listeners) {
    try {
      listener(current);
    } catch (error) {
      reportError(error); // one view's fault must not keep the others where they were
    }
  }
}

addEventListener("hashchange", () => {
  current = parse(location.hash);
  tell();
});
