import {
  createServer,
  Agent,
  request as send,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { Azurite } from "./azurite.ts";
import { ACCOUNT, CONTAINER, type Storage } from "./storage.ts";

/** What was asked of the peers' container; the app's ledger has another one. */
export interface Traffic {
  requests: number;
  /** Bytes of bodies that were sent to it. */
  sent: number;
}

/** An Azurite behind a proxy that counts. It costs time, so nothing is timed through it. */
export class CountingStorage implements Storage {
  readonly port: number;
  readonly #azurite: Azurite;
  readonly #server: Server;
  readonly #agent: Agent;
  readonly #traffic: Traffic;

  private constructor(azurite: Azurite, server: Server, agent: Agent, traffic: Traffic) {
    this.#azurite = azurite;
    this.#server = server;
    this.#agent = agent;
    this.#traffic = traffic;
    this.port = (server.address() as AddressInfo).port;
  }

  static async start(): Promise<CountingStorage> {
    const azurite = await Azurite.start();
    const agent = new Agent({ keepAlive: true });
    const traffic = { requests: 0, sent: 0 };
    const server = createServer((asked, answer) =>
      pass(asked, answer, { port: azurite.port, agent, traffic }),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new CountingStorage(azurite, server, agent, traffic);
  }

  /** What was counted since the last call. */
  take(): Traffic {
    const taken = { ...this.#traffic };
    Object.assign(this.#traffic, { requests: 0, sent: 0 });
    return taken;
  }

  async stop(): Promise<void> {
    this.#agent.destroy();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await this.#azurite.stop();
  }
}

function pass(
  asked: IncomingMessage,
  answer: ServerResponse,
  { port, agent, traffic }: { port: number; agent: Agent; traffic: Traffic },
): void {
  const { method, url = "", headers } = asked;
  const isCounted = new RegExp(`^/${ACCOUNT}/${CONTAINER}[/?]`).test(url);
  if (isCounted) {
    traffic.requests++;
    asked.on("data", (bytes: Buffer) => (traffic.sent += bytes.length));
  }
  const passed = send({ host: "127.0.0.1", port, agent, method, path: url, headers }, (response) => {
    answer.writeHead(response.statusCode ?? 502, response.headers);
    response.pipe(answer);
  });
  passed.on("error", () => answer.destroy());
  asked.pipe(passed);
}
