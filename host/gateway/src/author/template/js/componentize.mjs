// Called by `pg-logstats runbook build`, in the project's folder: node --input-type=module -e THIS OUTPUT
import { writeFile } from "node:fs/promises";
let componentize;
try {
  ({ componentize } = await import("@bytecodealliance/componentize-js"));
} catch (error) {
  console.error(`componentize-js is not there: ${error.message}`);
  process.exit(69);
}
const { component } = await componentize({
  sourcePath: "runbook.js",
  witPath: "wit",
  worldName: "runbook",
  // Every feature that would import WASI. A runbook has no use for one, and a component that imports it does not load.
  disableFeatures: ["random", "clocks", "http", "stdio", "fetch-event"],
});
await writeFile(process.argv.at(-1), component);
