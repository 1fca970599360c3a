/* What the first look at the fleet does not need: a robot's page, the time bar, the bell. */

import { Bell } from "./alerts/bell.js";
import { find } from "./dom.js";
import { translate } from "./i18n.js";
import { RobotView } from "./robot/robot_view.js";
import { Traces } from "./robot/traces.js";
import { TimeBar } from "./time/time_bar.js";

/** Build them on a store. Gives { robot, bell }; `onCount()` hears of another number of alerts. */
export function createRest(store, { stream, map, staleAfterMs, onCount }) {
  const traces = new Traces();
  for (const robot of store.live.robots.values()) traces.note(robot, Date.now() + store.aheadMs);
  store.subscribe(({ live }) => {
    for (const robot of live.changed) traces.note(robot, Date.now() + store.aheadMs);
  });
  const robot = new RobotView(find("#robot"), store, { stream, traces, map, onJump });
  const timeBar = new TimeBar(find("#time"), store, { staleAfterMs, onChange: () => robot.forget() });
  const bell = new Bell(store, { onJump, onCount });
  translate(find("#robot"));
  return { robot, bell };

  /** How to show a moment of the past, where there is a history. */
  function onJump() {
    return timeBar.isThere ? (at, key) => timeBar.jump(at, key) : null;
  }
}
