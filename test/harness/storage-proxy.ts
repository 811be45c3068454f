/**
 * A reverse proxy between the app and Azurite that sees each request: tests count uploads with it, and act at an exact
 * moment of a backup. It changes nothing of what passes.
 */
import { createServer, request as send, Agent, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { emulatorConnectionString } from "../../local/storage/emulator-settings.ts";

export interface StorageRequest {
  method: string;
  container: string;
  /** The blob's name; empty for a request about the container. */
  blob: string;
  /** The query's `comp`: "block", "blocklist", "list", "metadata" … or empty. */
  comp: string;
}

/** Puts content where readers see it: a whole blob, or a list of blocks. */
export function isWrite({ method, blob, comp }: StorageRequest): boolean {
  return method === "PUT" && blob !== "" && (comp === "" || comp === "blocklist");
}

export interface StorageProxy {
  connectionString: string;
  /** Every request so far. */
  readonly requests: StorageRequest[];
  /** Called with each request before it is passed on; while its promise is pending the request waits. */
  before: (request: StorageRequest) => Promise<"drop" | void> | "drop" | void;
  /** Called when storage has done what a request asked for (not when it refused), before the app hears of it. */
  after: (request: StorageRequest) => Promise<"drop" | void> | "drop" | void;
  stop(): Promise<void>;
}

export async function startStorageProxy(port: number): Promise<StorageProxy> {
  const agent = new Agent({ keepAlive: true });
  const requests: StorageRequest[] = [];
  const server = createServer((incoming, outgoing) => {
    const seen = parse(incoming);
    requests.push(seen);
    void (async () => {
      if ((await proxy.before(seen)) === "drop") return void outgoing.destroy();
      const { method, url, headers } = incoming;
      const onward = send({ host: "127.0.0.1", port, method, path: url, headers, agent }, (answer) => {
        void (async () => {
          const done = (answer.statusCode ?? 500) < 300;
          if (done && (await proxy.after(seen)) === "drop") return void outgoing.destroy();
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(outgoing);
        })();
      });
      // Either side may be killed; the other one is not to wait for it.
      onward.on("error", () => outgoing.destroy());
      incoming.on("error", () => onward.destroy());
      incoming.pipe(onward);
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const proxy: StorageProxy = {
    connectionString: emulatorConnectionString((server.address() as AddressInfo).port),
    requests,
    before: () => undefined,
    after: () => undefined,
    async stop() {
      agent.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
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
  };
}
