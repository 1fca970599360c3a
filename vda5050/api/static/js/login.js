/* Nobody is logged in where this page is shown: it tells the fleet's pages in other tabs, which then lead here (early.js). */

new BroadcastChannel("vda5050").postMessage(null);
