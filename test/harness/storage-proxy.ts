/**
 * A reverse proxy between the app and Azurite that sees each request: tests count requests and bytes with it, act at an
 * exact moment of a backup, and make the network and the account fail (see wire-faults.ts). Without a fault it changes
 * nothing of what passes.
 */
import { createServer, request as send, Agent, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { PassThrough, type Transform } from "node:stream";
import { connectionString, type StorageAccount } from "../../local/storage/own-account.ts";
import { flipOneBit, refuse, trickleAt, type WireFault } from "./wire-faults.ts";

export interface StorageRequest {
  method: string;
  container: string;
  /** The blob's name; empty for a request about the container. */
  blob: string;
  /** The query's `comp`: "block", "blocklist", "list", "metadata" … or empty. */
  comp: string;
  /** When it came, in milliseconds of `performance.now()`. */
  at: number;
  /** Bytes of its body that have come so far. */
  bytes: number;
  /** Bytes of the answer's body that storage has sent so far. */
  down: number;
  /** The status that storage, or a fault, answered; absent while there is no answer. */
  status?: number;
}

/** Puts content where readers see it: a whole blob, or a list of blocks. */
export function isWrite({ method, blob, comp }: StorageRequest): boolean {
  return method === "PUT" && blob !== "" && (comp === "" || comp === "blocklist");
}

type Hook<Verdict> = (request: StorageRequest) => Promise<Verdict | void> | Verdict | void;

export interface StorageProxy {
  connectionString: string;
  /** Every request so far. */
  readonly requests: StorageRequest[];
  /** Called with each request before it is passed on; while its promise is pending the request waits. */
  before: Hook<WireFault>;
  /** Called when storage has done what a request asked for (not when it refused), before the app hears of it. */
  after: Hook<"drop">;
  /** Refuses connections and cuts those that are open, as an account does that is gone; until `comeBack`. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
  stop(): Promise<void>;
}

export async function startStorageProxy(storage: {
  port: number;
  account: StorageAccount;
}): Promise<StorageProxy> {
  const agent = new Agent({ keepAlive: true });
  const requests: StorageRequest[] = [];
  const server = createServer((incoming, outgoing) => {
    const seen = parse(incoming);
    requests.push(seen);
    void (async () => {
      const fault = await proxy.before(seen);
      if (fault === undefined) return forward(seen, incoming, outgoing, {});
      if (fault === "drop") return outgoing.destroy();
      if (fault === "reset") return incoming.socket.resetAndDestroy();
      if (fault === "hang") return incoming.pause();
      if ("status" in fault) {
        seen.status = fault.status;
        // What was sent is read, as a front end does; a client that is still writing would be cut off else.
        incoming.resume().once("end", () => refuse(outgoing, fault));
        return undefined;
      }
      const [way, through] =
        "flip" in fault ? [fault.flip, flipOneBit()] : [fault.trickle, trickleAt(fault.bytesPerSecond)];
      return forward(seen, incoming, outgoing, { [way]: through });
    })();
  });

  // Idle connections stay open: on a busy machine a request may meet the end of one.
  server.keepAliveTimeout = 0;

  const forward = (
    seen: StorageRequest,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    through: { up?: Transform; down?: Transform },
  ) => {
    const { method, url, headers } = incoming;
    const options = { host: "127.0.0.1", port: storage.port, method, path: url, headers, agent };
    const onward = send(options, (answer) => {
      void (async () => {
        const status = answer.statusCode ?? 502;
        if (status < 300 && (await proxy.after(seen)) === "drop") return void outgoing.destroy();
        seen.status = status;
        outgoing.writeHead(status, answer.headers);
        answer.on("error", () => outgoing.destroy());
        answer.on("data", (chunk: Buffer) => (seen.down += chunk.length));
        answer.pipe(through.down ?? new PassThrough()).pipe(outgoing);
      })();
    });
    // Either side may be killed; the other one is not to wait for it.
    onward.on("error", () => outgoing.destroy());
    incoming.on("error", () => onward.destroy());
    incoming.on("data", (chunk: Buffer) => (seen.bytes += chunk.length));
    incoming.pipe(through.up ?? new PassThrough()).pipe(onward);
  };

  const listen = async (port: number) =>
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject).listen(port, "127.0.0.1", resolve);
    });
  const close = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const proxy: StorageProxy = {
    connectionString: connectionString(storage.account, port),
    requests,
    before: () => undefined,
    after: () => undefined,
    goAway: close,
    comeBack: () => listen(port),
    async stop() {
      agent.destroy();
      await close();
    },
  };
  return proxy;
}

function parse({ method = "", url = "" }: IncomingMessage): StorageRequest {
  const { pathname, searchParams } = new URL(url, "http://storage");
  const [, , container = "", ...blob] = pathname.split("/");
  return {
    method,
    container,
    blob: decodeURIComponent(blob.join("/")),
    comp: searchParams.get("comp") ?? "",
    at: performance.now(),
    bytes: 0,
    down: 0,
  };
}
