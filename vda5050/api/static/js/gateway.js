/* What `/ready` tells of the gateway, for what the stream does not say when it is opened.
 *
 * Gives { broker: "connected" | "disconnected", detail: words for a person, aheadMs: the gateway's clock minus this
 * computer's }, or null where the gateway does not answer. The Date header has whole seconds: smaller differences are none.
 */

const TIMEOUT_MS = 5_000;
const NOTICEABLE_MS = 2_000;

/** Ask once. Never rejects. */
export async function askGateway() {
  try {
    const response = await fetch("ready", { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) });
    const { ready, detail } = (await response.json()).dependencies.broker;
    return { broker: ready ? "connected" : "disconnected", detail, aheadMs: clockLead(response.headers.get("Date")) };
  } catch {
    return null;
  }
}

function clockLead(date) {
  const lead = Date.parse(date) + 500 - Date.now();
  return Math.abs(lead) > NOTICEABLE_MS ? lead : 0;
}
