// The local host, running a package from its folder as it would run the checkout.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const main = path.resolve(import.meta.dirname, "../../dist/local/main.js");

export interface PackagedHost {
  url: string;
  stop(): Promise<void>;
}

/** Starts the host on free ports, with its state under `work`; rejects with what it printed if it ends. */
export async function startPackagedHost(
  app: string,
  work: string,
  env: NodeJS.ProcessEnv,
): Promise<PackagedHost> {
  const ready = path.join(work, "ready.json");
  const options = { port: "0", app, state: path.join(work, "state"), "ready-file": ready };
  const args = Object.entries({ ...options, "azurite-port": await freePort() }).flatMap(([k, v]) => [
    `--${k}`,
    v,
  ]);
  const host = spawn(process.execPath, [main, ...args], {
    cwd: app,
    env: { PATH: process.env.PATH, HOME: work, AzureWebJobsStorage: "UseDevelopmentStorage=true", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  for (const stream of [host.stdout, host.stderr]) stream.on("data", (chunk) => (printed += chunk));
  const deadline = Date.now() + 45_000;
  while (!existsSync(ready)) {
    if (host.exitCode !== null || Date.now() > deadline) {
      await stop(host);
      throw new Error(`The local host did not start from the package:\n${printed}`);
    }
    await sleep(50);
  }
  const { url } = JSON.parse(readFileSync(ready, "utf8")) as { url: string };
  return { url, stop: () => stop(host) };
}

async function stop(host: ChildProcess): Promise<void> {
  if (host.exitCode !== null || host.signalCode !== null) return;
  host.kill("SIGTERM");
  await once(host, "exit");
}

async function freePort(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return String(port);
}
