/** The host's HTTP servers: the one for functions and webhooks, and the loopback one for the app's client. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { StartUpError, messageOf } from "../start-up-error.ts";
import { errorAnswer, send, sendUnread } from "./answer.ts";
import { BodyTooLargeError, TooManyBodiesError } from "./request-body.ts";
import { refusal } from "./request-guard.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Limits that keep slow or many clients from blocking the server. Times in milliseconds. */
interface ServerLimits {
  /** From the start of a connection, or the end of its last request, to complete headers. */
  headersTimeout: number;
  /** To a complete request with its body. */
  requestTimeout: number;
  /** Open connections. To admit one more, the oldest that waits for its request is closed. */
  connections: number;
}

const LIMITS: ServerLimits = { headersTimeout: 10_000, requestTimeout: 60_000, connections: 512 };

export class HttpServer {
  readonly #server: Server;
  readonly #handler: Handler;
  readonly #onError: (error: unknown) => void;
  /** Open connections, oldest first, each with the answer to its latest request. */
  readonly #sockets = new Map<Socket, ServerResponse | undefined>();

  constructor(handler: Handler, onError: (error: unknown) => void, limits: ServerLimits = LIMITS) {
    this.#handler = handler;
    this.#onError = onError;
    const { headersTimeout, requestTimeout, connections } = limits;
    // By default Node checks only every 30 s, whatever the limits are.
    const connectionsCheckingInterval = Math.min(2_000, headersTimeout / 2);
    this.#server = createServer(
      { headersTimeout, requestTimeout, connectionsCheckingInterval },
      (request, response) => {
        this.#sockets.set(request.socket, response);
        void this.#answer(request, response);
      },
    );
    this.#server.on("connection", (socket) => this.#admit(socket, connections));
  }

  /**
   * Makes room, so that slow clients, however many, do not keep others out. All have the same address here, so none
   * can be limited by that.
   */
  #admit(socket: Socket, connections: number): void {
    this.#sockets.set(socket, undefined);
    socket.once("close", () => this.#sockets.delete(socket));
    if (this.#sockets.size <= connections) return;
    const waiting = [...this.#sockets].find(([, answer]) => !answer?.req.complete || answer.writableFinished);
    waiting?.[0].destroy();
  }

  /** Listens on the loopback; port 0 takes a free one. Returns the port. Throws StartUpError if it is in use. */
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

  /** Accepts no more connections, and closes the idle ones. */
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
        sendUnread(response, errorAnswer(413, error.message));
        return;
      }
      if (error instanceof TooManyBodiesError) {
        sendUnread(response, { ...errorAnswer(503, error.message), headers: { "Retry-After": "1" } });
        return;
      }
      if (request.destroyed && !response.writable) return;
      this.#onError(error);
      if (response.headersSent) response.destroy();
      else send(response, errorAnswer(500, messageOf(error)));
    }
  }
}
