/* At most one drawing per animation frame, however many events come.
 *
 * Takes `draw(now)`, now in milliseconds as Date.now(); gives `request()`, which may be called any number of times. A
 * draw that returns true asks for the next frame itself, as long as something moves. In a hidden tab nothing is drawn.
 */

/** Make the loop; returns `request`. */
export function createFrames(draw) {
  let isRequested = false;
  function run() {
    isRequested = false;
    if (draw(Date.now())) request();
  }
  function request() {
    if (isRequested) return;
    isRequested = true;
    requestAnimationFrame(run);
  }
  return request;
}
