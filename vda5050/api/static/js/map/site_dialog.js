/* The dialog in which an admin gives a map its layout and floor plan: by file or dropped onto the map.
 *
 * Takes the Site; `open(mapId, file)` shows it, with a file that is taken at once. A floor plan's place is given in numbers, or by
 * two points of the image whose coordinates are known (plan_placer.js).
 */

import { button, element, setShown, setText } from "../dom.js";
import { t } from "../i18n.js";
import { PlanPlacer } from "./plan_placer.js";
import { addressOf } from "./site.js";

const IMAGES = ["image/png", "image/jpeg"];

export class SiteDialog {
  constructor(site) {
    this._site = site;
    this._mapId = null;
    this._image = null; // a file that was chosen and is not uploaded yet
    this._title = element("h2");
    this._error = element("p", "map-error");
    this._error.setAttribute("role", "alert");
    this._layout = this._newPart("layout", ".json,.lif,application/json", (file) => this._send("PUT", "layout", {}, file));
    this._plan = this._newPart("floor-plan", IMAGES.join(), (file) => this._choose(file));
    this._placer = new PlanPlacer();
    this._save = button("action", "", () => this._savePlan());
    const close = button("action", "", () => this.node.close());
    this.node = element("dialog", "map-dialog", this._title, this._layout.node, this._plan.node, this._placer.node, this._error);
    this.node.append(element("div", "map-dialog-buttons", this._save, close));
    this._words = [[close, "map.close"], [this._save, "map.site.save"]];
    this.node.addEventListener("close", () => this._placer.clear());
  }

  /** Show it for a map; a file that was dropped is taken at once. */
  open(mapId, file = null) {
    this._mapId = mapId;
    this._image = null;
    for (const [node, key] of this._words) setText(node, t(key));
    setText(this._title, t("map.site.title", { map: mapId }));
    this._say("");
    this._describe();
    if (!this.node.open) this.node.showModal();
    if (file === null) return;
    if (IMAGES.includes(file.type)) this._choose(file);
    else this._send("PUT", "layout", {}, file);
  }

  _describe() {
    const { layout, floor_plan: plan } = this._site.maps[this._mapId] ?? { layout: null, floor_plan: null };
    this._layout.show(layout, layout === null ? "" : t("map.site.facts", layout));
    this._plan.show(plan, plan === null ? "" : `${plan.width_px} × ${plan.height_px} px`);
    if (plan !== null && this._image === null) this._placer.show(addressOf(this._mapId, "floor-plan"), plan);
    setShown(this._placer.node, plan !== null || this._image !== null);
    setShown(this._save, plan?.source === "upload" || this._image !== null);
  }

  _choose(file) {
    this._image = file;
    this._placer.show(URL.createObjectURL(file), null);
    this._describe();
  }

  _savePlan() {
    const placement = this._placer.placement;
    if (placement === null) this._say(t("map.site.numbers"));
    else this._send(this._image === null ? "PATCH" : "PUT", "floor-plan", placement, this._image);
  }

  async _send(method, what, query, body = null) {
    const address = addressOf(this._mapId, what);
    for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value);
    this._say(t("map.site.sending"));
    let answer;
    try {
      answer = await fetch(address, { method, body });
    } catch {
      this._say(t("map.site.failed"));
      return;
    }
    this._say(answer.ok ? "" : await reasonOf(answer));
    if (!answer.ok) return;
    if (what === "floor-plan") this._image = null;
    await this._site.refresh();
    this._describe();
  }

  _say(text) {
    setText(this._error, text);
  }

  /** A line for one kind of file: what there is, a button to choose another one, one to delete it. */
  _newPart(what, accept, onFile) {
    const input = element("input");
    input.type = "file";
    input.accept = accept;
    const name = element("span");
    const facts = element("span", "sub");
    const remove = button("plain", "", () => this._send("DELETE", what, {}));
    input.addEventListener("change", () => {
      if (input.files.length > 0) onFile(input.files[0]);
      input.value = "";
    });
    const label = element("label", "action", name, input);
    const show = (told, text) => {
      setText(name, t(`map.site.${what}`));
      setText(remove, t("map.site.delete"));
      setText(facts, told === null ? t("map.site.nothing") : text);
      setShown(remove, told?.source === "upload");
    };
    return { node: element("div", "map-dialog-part", label, facts, remove), show };
  }
}

/** Why the gateway refused, in its own words. */
async function reasonOf(answer) {
  try {
    const { detail, problems } = await answer.json();
    return [detail, ...(problems ?? []).slice(0, 3).map(({ path, message }) => `${path}: ${message}`)].join(" ");
  } catch {
    return t("map.site.failed");
  }
}
