/**
 * Swaps directories for links to other ones and back, in a tight loop in a process of its own: what whoever may write to
 * a tree can do while a backup or a restore is at work on it.
 */
import { spawn } from "node:child_process";

const PROGRAM = `
  const fs = require("node:fs");
  const pairs = JSON.parse(process.argv[1]);
  let swaps = 0, going = true;
  process.on("message", () => { going = false; });
  const quietly = (work) => { try { work(); } catch {} };
  function round() {
    for (let times = 0; times < 50; times++) {
      for (const [directory, target, extra] of pairs) {
        quietly(() => fs.renameSync(directory, directory + ".aside"));
        if (extra && times === 0) quietly(() => fs.writeFileSync(directory + ".aside/" + extra, extra));
        quietly(() => fs.symlinkSync(target, directory));
        swaps++;
        quietly(() => fs.unlinkSync(directory));
        quietly(() => fs.renameSync(directory + ".aside", directory));
      }
    }
    if (going) setTimeout(round, 1);
    else process.send(swaps, () => process.exit(0));
  }
  process.send("ready");
  round();
`;

export interface Swapper {
  /** Ends it, with every directory in its place; gives how often it swapped. */
  stop(): Promise<number>;
}

/** @param pairs each a directory, what a link in its place leads to, and a file to put into the directory now and then */
export async function startSwapper(
  pairs: [directory: string, target: string, extra?: string][],
): Promise<Swapper> {
  const child = spawn(process.execPath, ["-e", PROGRAM, JSON.stringify(pairs)], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const end = () => child.kill("SIGKILL");
  process.once("exit", end);
  await new Promise((resolve) => child.once("message", resolve));
  return {
    stop: () =>
      new Promise((resolve) => {
        child.once("message", (swaps: number) => {
          process.off("exit", end);
          resolve(swaps);
        });
        child.send("stop");
      }),
  };
}
