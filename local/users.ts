/**
 * The users of a host that ends with its last user: the process that started it over IPC, and each client with a
 * lease, which is an open connection. So a user that is killed is gone, too.
 */
import type { ServerResponse } from "node:http";
import { NO_SNIFFING } from "./http/answer.ts";

export const LEASE_PATH = "/admin/host/lease";

export class Users {
  readonly #leases = new Set<ServerResponse>();
  readonly #unused: () => void;
  #starter = process.connected;

  /** @param unused called when the last user has gone */
  constructor(unused: () => void) {
    this.#unused = unused;
    process.once("disconnect", () => {
      this.#starter = false;
      this.#changed();
    });
  }

  /**
   * Answers a client that takes a lease, for as long as it holds it: a line `{"pid","users"}` now and after each
   * change.
   */
  lease(response: ServerResponse): void {
    response.writeHead(200, { "Content-Type": "application/x-ndjson", ...NO_SNIFFING });
    this.#leases.add(response);
    response.once("close", () => {
      this.#leases.delete(response);
      this.#changed();
    });
    this.#changed();
  }

  #changed(): void {
    const users = this.#leases.size + (this.#starter ? 1 : 0);
    if (users === 0) this.#unused();
    for (const response of this.#leases) response.write(`${JSON.stringify({ pid: process.pid, users })}\n`);
  }
}
