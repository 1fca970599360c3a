/* The map: one for all views, brought to where it is wanted: its own view, a robot's page, below a small fleet.
 *
 * Loads map/map.js when it is first wanted. In its own view the address and the map are kept of one mind.
 */

import { element, setShown } from "./dom.js";
import { onLanguage, t } from "./i18n.js";
import { amend, go, onRoute, route } from "./router.js";

/** The one map, and its view below `root`, which is shown while the route is "map". */
export class MapView {
  constructor(root, store) {
    this._root = root;
    this._store = store;
    this._map = null;
    this._place = null;
    this._isShown = false;
    this._isLoading = false;
    onRoute(() => this._follow());
  }

  /** Show or hide the view. */
  setShown(isShown) {
    const wasShown = this._isShown;
    this._isShown = isShown;
    setShown(this._root, isShown);
    if (isShown && !wasShown) this.place(this._root, { selected: route().params.get("robot"), view: readView(route().params) });
  }

  /** Bring the map to a container. `follow`: the key of a robot to keep in the middle; `view`: what the address tells. */
  async place(container, wanted) {
    const isThere = this._map?.parentNode === container && this._wanted.follow === wanted.follow;
    this._wanted = wanted;
    this._place = container;
    if (this._map === null) await this._load();
    if (this._map === null || this._place !== container || isThere) return;
    container.replaceChildren(this._map);
    this._map.classList.toggle("is-small", container !== this._root);
    this._map.fit();
    this._map.select(wanted.selected ?? null);
    if (wanted.follow) this._map.setView({ map: null, follow: wanted.follow, zoom: NaN });
    else if (wanted.view) this._map.setView(wanted.view);
  }

  async _load() {
    if (this._isLoading) return;
    this._isLoading = true;
    try {
      const { createMap } = await import("./map/map.js");
      this._map = createMap(this._place, this._store, {
        onChoose: (robot) => this._chosen(robot),
        onOpen: (robot) => go({ view: "robot", robot }),
        onView: (view) => this._isShown && amend(view),
      });
    } catch (error) {
      console.warn(error);
      const notice = element("p", "notice", t("map.failed"));
      this._place.replaceChildren(notice);
      onLanguage(() => (notice.textContent = t("map.failed")));
    }
    this._isLoading = false;
  }

  /** In its own view a chosen robot is part of the address; elsewhere it is opened. */
  _chosen(robot) {
    if (this._isShown) amend({ robot });
    else if (robot !== null && robot !== this._wanted.selected) go({ view: "robot", robot });
  }

  /** The address was changed by hand, or by "back". */
  _follow() {
    if (this._isShown && this._map !== null && route().view === "map") this._map.select(route().params.get("robot"));
  }
}

/** What the address tells of a map's view: the map, a place in metres, how near, whom it follows. */
function readView(params) {
  const place = Object.fromEntries(["x", "y", "zoom"].map((name) => [name, Number.parseFloat(params.get(name))]));
  return { map: params.get("map"), follow: params.get("follow"), ...place };
}
