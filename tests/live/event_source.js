// The npm package eventsource, as a program uses it: prints a JSON line for each time it is open, and for each event.
//
// Usage: node event_source.js URL ENCODING, with NODE_PATH where the package is installed. Runs until it is killed.
"use strict";
const { EventSource } = require("eventsource");

const [url, encoding] = process.argv.slice(2);
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

const source = new EventSource(url, {
    fetch: async (input, init) => {
        const response = await fetch(input, { ...init, headers: { ...init.headers, "Accept-Encoding": encoding } });
        say({ opened: response.headers.get("content-encoding") });
        return response;
    },
});
source.onmessage = ({ lastEventId, data }) => say({ id: lastEventId, ...JSON.parse(data) });
