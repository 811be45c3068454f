/** A child worker: loads the app as the host does, and runs the activities it is sent. */
import { setTimeout as sleep } from "node:timers/promises";
import { endApp, loadApp } from "../app/load-app.ts";
import { captureConsole } from "../log/capture-console.ts";
import { outliveReaders } from "../log/closed-output.ts";
import { messageOf } from "../start-up-error.ts";
import type { FromChild, ToChild } from "./child-messages.ts";
import type { InvocationName } from "./current-invocation.ts";
import { invokeFunction } from "./invoke-function.ts";

/** How long the app gets to end, in milliseconds. */
const GRACE = 3_000;

const [directory = process.cwd()] = process.argv.slice(2);

function tell(message: FromChild): void {
  process.send?.(message);
}

function log(level: string, message: string, where?: InvocationName): void {
  tell({ kind: "log", level, message, ...(where ? { where } : {}) });
}

outliveReaders();
// The host handles the terminal's Ctrl-C.
process.on("SIGINT", () => undefined);

let end: () => Promise<unknown> = () => Promise.resolve();
// The host is gone, or wants this process to end: there is nobody left to answer.
process.on("disconnect", () => void end().finally(() => process.exit(0)));

captureConsole(log);
try {
  const app = await loadApp(directory, (level, _category, message) => log(level, message));
  end = () => Promise.race([endApp(app), sleep(GRACE)]);
  process.on("message", ({ invoke }: ToChild) => {
    void invokeFunction(app, invoke, log).then((result) =>
      tell({ kind: "done", invocationId: invoke.invocationId, result }),
    );
  });
  tell({ kind: "ready" });
} catch (error) {
  tell({ kind: "failed", message: messageOf(error) });
  process.exit(1);
}
