// Makes plugin.wasm of plugin.js.

import { writeFile } from "node:fs/promises";

import { componentize } from "@bytecodealliance/componentize-js";

const { component } = await componentize({
  sourcePath: "plugin.js",
  witPath: "wit",
  worldName: "sql-runner",
  // placet gives a plugin no clock, no random numbers, no output and no network.
  disableFeatures: ["clocks", "fetch-event", "http", "random", "stdio"],
});
await writeFile("plugin.wasm", component);
console.log(`plugin.wasm, ${component.length} bytes`);
