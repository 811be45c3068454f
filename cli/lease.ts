import { get, type IncomingMessage } from "node:http";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

/** Keeps a local host running that ends with its last user. */
export interface Lease {
  /** Nobody else uses the host: it ends with this lease. */
  isLast(): boolean;
  /** The host has ended. */
  isLost(): boolean;
  /** Gives it up; if this was the last, waits until the host has ended. */
  end(): Promise<void>;
}

/** Longer than a host takes to end. */
const END_MS = 20_000;

/**
 * Takes a lease on the host at this address: an open connection, so that it ends with this process, however that
 * ends.
 * @returns undefined if the host does not end with its users, as with `npm start` or func
 * @throws Error if the host has just ended
 */
export async function takeLease(url: string): Promise<Lease | undefined> {
  return await new Promise((resolve, reject) => {
    const request = get(`${url}/admin/host/lease`, { agent: false }, (response) => {
      if (response.headers["content-type"] === "application/x-ndjson") hold(response).then(resolve, reject);
      else {
        request.destroy();
        resolve(undefined);
      }
    });
    request.on("error", reject);
  });
}

/** @returns the lease, once the host has said who uses it */
async function hold(response: IncomingMessage): Promise<Lease> {
  let host = { pid: 0, users: 0 };
  let lost = false;
  response.once("close", () => (lost = true));
  const lines = createInterface({ input: response })
    // An error of the connection, which then closes.
    .on("error", () => undefined)
    .on("line", (line) => (host = JSON.parse(line) as typeof host));
  await new Promise((resolve, reject) => {
    lines.once("line", resolve);
    response.once("close", () => reject(new Error("The local host has just ended.")));
  });
  return {
    isLast: () => host.users === 1,
    isLost: () => lost,
    async end() {
      const wait = host.users === 1 && !lost;
      response.destroy();
      for (const end = Date.now() + END_MS; wait && isAlive(host.pid) && Date.now() < end;) await sleep(20);
    },
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
