/** The host's HTTP servers: the one for functions and webhooks, and the loopback one for the app's client. */
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { StartUpError, messageOf } from "../start-up-error.ts";
import { errorAnswer, send } from "./answer.ts";
import { BodyTooLargeError } from "./request-body.ts";
import { refusal } from "./request-guard.ts";

export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Slow senders: so long for the headers, and for the whole request (milliseconds). */
const HEADERS_TIMEOUT = 30_000;
const REQUEST_TIMEOUT = 300_000;

export class HttpServer {
  readonly #server: Server;
  readonly #handler: Handler;
  readonly #onError: (error: unknown) => void;

  constructor(handler: Handler, onError: (error: unknown) => void) {
    this.#handler = handler;
    this.#onError = onError;
    this.#server = createServer(
      { headersTimeout: HEADERS_TIMEOUT, requestTimeout: REQUEST_TIMEOUT },
      (request, response) => {
        void this.#answer(request, response);
      },
    );
  }

  /** Listens on the loopback; port 0 takes a free one. Returns the port. Throws StartUpError when it is taken. */
  listen(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", (error: NodeJS.ErrnoException) => {
        const why =
          error.code === "EADDRINUSE"
            ? `Port ${port} is in use. Is the host already running? Choose another one with --port.`
            : `Cannot listen on port ${port}: ${error.message}.`;
        reject(new StartUpError(why));
      });
      this.#server.listen(port, "127.0.0.1", () => resolve((this.#server.address() as AddressInfo).port));
    });
  }

  /** Takes no more connections, and ends those that wait for nothing. */
  stopAccepting(): void {
    this.#server.close();
    this.#server.closeIdleConnections();
  }

  closeAll(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const refused = refusal(request);
      if (refused) send(response, errorAnswer(403, refused));
      else await this.#handler(request, response);
    } catch (error) {
      if (error instanceof BodyTooLargeError) {
        send(response, { ...errorAnswer(413, error.message), headers: { Connection: "close" } });
        return;
      }
      if (request.destroyed && !response.writable) return;
      this.#onError(error);
      if (response.headersSent) response.destroy();
      else send(response, errorAnswer(500, messageOf(error)));
    }
  }
}
