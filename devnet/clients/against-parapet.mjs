// Starts a `parapet dev` of its own on a free port, runs every check against it, and stops it.
//   node against-parapet.mjs PATH_TO_PARAPET [options of run.mjs]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const START_MS_MAX = 30_000;
const [program, ...options] = process.argv.slice(2);
if (!program) {
  console.error("usage: node against-parapet.mjs PATH_TO_PARAPET [options of run.mjs]");
  process.exit(2);
}
const parapet = resolve(program);
const node = spawn(parapet, ["dev", "--port", "0", "--json", "--log", "error"], { stdio: ["ignore", "pipe", "inherit"] });
node.on("error", (error) => {
  console.error(`${parapet} cannot be started: ${error.message}`);
  process.exit(2);
});
const deadline = setTimeout(() => {
  console.error(`${parapet} printed nothing for ${START_MS_MAX / 1000} s`);
  node.kill("SIGKILL");
  process.exit(2);
}, START_MS_MAX);
const [line] = await once(createInterface({ input: node.stdout }), "line");
clearTimeout(deadline);
const { http } = JSON.parse(line);
const run = fileURLToPath(new URL("run.mjs", import.meta.url));
const checks = spawn(process.execPath, [run, "--rpc-url", http, "--parapet", parapet, ...options], { stdio: "inherit" });
const [code] = await once(checks, "exit");
node.kill("SIGINT");
const [stopped] = await once(node, "exit");
if (stopped !== 0) console.error(`the node stopped with exit code ${stopped}`);
process.exit(code === 0 && stopped === 0 ? 0 : 1);
