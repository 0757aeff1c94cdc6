// @ts-check
/** The page of the interface: the routes, listed from this server's own openapi.json. */

import { byId, make } from "./dom.js";

async function run() {
  const { paths } = await (await fetch("/openapi.json")).json();
  for (const [path, verbs] of Object.entries(paths)) {
    for (const [verb, operation] of Object.entries(/** @type {Record<string, any>} */ (verbs))) {
      const row = make("tr", "");
      row.append(make("td", "code", `${verb.toUpperCase()} ${path}`), make("td", "", operation.summary ?? ""));
      row.append(make("td", "", (operation.description ?? "").split("\n\n")[0].replaceAll("``", "")));
      byId("routes").append(row);
    }
  }
}

void run();
