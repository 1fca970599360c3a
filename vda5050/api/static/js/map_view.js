/* The map's view: mounts map/map.js when it is first shown, and keeps the address and the map of one mind. */

import { element, setShown } from "./dom.js";
import { t } from "./i18n.js";
import { amend, go, onRoute, route } from "./router.js";

/** The view below `root`, which is shown while the route is "map". */
export class MapView {
  constructor(root, store) {
    this._root = root;
    this._store = store;
    this._map = null;
    this._isMounting = false;
    onRoute(() => this._follow());
  }

  /** Show or hide the view. */
  setShown(isShown) {
    setShown(this._root, isShown);
    this._isShown = isShown;
    if (isShown) this._mount();
    this._follow();
  }

  async _mount() {
    if (this._map !== null || this._isMounting) return;
    this._isMounting = true;
    try {
      const { createMap } = await import("./map/map.js");
      this._root.replaceChildren();
      this._map = createMap(this._root, this._store, {
        selected: route().params.get("robot"),
        view: readView(route().params),
        onChoose: (robot) => amend({ robot }),
        onOpen: (robot) => go({ view: "robot", robot }),
        onView: (view) => this._isShown && amend(view),
      });
    } catch (error) {
      console.warn(error);
      this._root.replaceChildren(element("p", "notice", t("map.failed")));
    }
    this._isMounting = false;
  }

  /** The address was changed by hand, or led here from elsewhere. */
  _follow() {
    if (!this._isShown || this._map === null || route().view !== "map") return;
    this._map.select(route().params.get("robot"));
  }
}

/** What the address tells of a map's view: the map, a place in metres, how near, whom it follows. */
function readView(params) {
  const place = Object.fromEntries(["x", "y", "zoom"].map((name) => [name, Number.parseFloat(params.get(name))]));
  return { map: params.get("map"), follow: params.get("follow"), ...place };
}
