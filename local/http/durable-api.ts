/**
 * The Durable HTTP API: the webhooks under /runtime/webhooks/durabletask, and the same routes under the loopback
 * address that durable-functions' client calls. Status codes and bodies are the extension's.
 */
import { ClientArgumentError, type DurableClient, InstanceStateError } from "../durable/client.ts";
import { Status, isFinal } from "../durable/status.ts";
import type { TraceParent } from "../durable/trace-context.ts";
import { type Answer, errorAnswer } from "./answer.ts";
import { listQuery, statusOptions, statuses, time, flag, seconds } from "./durable-query.ts";
import { decodeSegments } from "./function-routes.ts";
import { parseBody } from "./json-body.ts";
import { checkStatusPayload, CONNECTION, type HubAddress } from "./management-urls.ts";
import { statusPayload } from "./status-payload.ts";
import { messageOf } from "../start-up-error.ts";

interface DurableRequest {
  method: string;
  /** The path after the API's base path, still encoded. */
  path: string;
  query: URLSearchParams;
  /** The full address of the request; answers refer the client back to it. */
  url: string;
  origin: string;
  contentType: string;
  /** The caller's trace; an orchestration that it starts becomes part of it. */
  trace?: TraceParent | undefined;
  continuationToken: string | undefined;
  body: string;
  /** Whether the client still waits for the answer. */
  isOpen: () => boolean;
}

/** The least time between two looks at an instance that a client waits for, in milliseconds. */
const SHORTEST_POLL = 100;

const NOT_FOUND: Answer = { status: 404 };
const ENTITIES: Answer = errorAnswer(
  501,
  "Entities are not supported on the local host; run the app with func start.",
);

export class DurableApi {
  readonly #client: DurableClient;
  readonly #hub: HubAddress;

  constructor(client: DurableClient, hub: HubAddress) {
    this.#client = client;
    this.#hub = hub;
  }

  async handle(request: DurableRequest): Promise<Answer> {
    try {
      return await this.#route(request);
    } catch (error) {
      if (error instanceof ClientArgumentError) return errorAnswer(400, error.message);
      if (error instanceof InstanceStateError) {
        return errorAnswer(500, "Something went wrong while processing your request", error);
      }
      throw error;
    }
  }

  async #route(asked: DurableRequest): Promise<Answer> {
    const elsewhere = this.#elsewhere(asked.query);
    if (elsewhere) return elsewhere;
    // What is sent has no body then.
    const request = asked.method === "HEAD" ? { ...asked, method: "GET" } : asked;
    const { method } = request;
    const [area = "", id, operation, eventName, ...more] = decodeSegments(request.path) ?? [];
    if (more.length > 0) return NOT_FOUND;
    switch (area.toLowerCase()) {
      case "orchestrators":
        return method === "POST" && id && eventName === undefined
          ? this.#start(request, id, operation)
          : NOT_FOUND;
      case "entities":
        return ENTITIES;
      case "instances":
        if (id === undefined) return this.#instances(request);
        if (operation === undefined) return this.#instance(request, id);
        return method === "POST" ? this.#operate(request, id, operation.toLowerCase(), eventName) : NOT_FOUND;
      default:
        return NOT_FOUND;
    }
  }

  /** Refuses requests for another task hub or storage: this one must not answer them. */
  #elsewhere(query: URLSearchParams): Answer | undefined {
    const hub = query.get("taskHub") ?? this.#hub.hubName;
    if (hub.toLowerCase() !== this.#hub.hubName.toLowerCase())
      return errorAnswer(404, `This host's task hub is '${this.#hub.hubName}', not '${hub}'.`);
    const connection = query.get("connection") ?? CONNECTION;
    if (!new RegExp(`^(AzureWebJobs)?${CONNECTION}$`, "i").test(connection))
      return errorAnswer(
        400,
        `This host's task hub is at the connection '${CONNECTION}', not '${connection}'.`,
      );
    return undefined;
  }

  async #start(request: DurableRequest, name: string, instanceId: string | undefined): Promise<Answer> {
    let input: string | null;
    try {
      // Without a body the input is an empty string, as recorded.
      input = JSON.stringify(request.body === "" ? "" : parseBody(request.body));
    } catch (error) {
      return errorAnswer(400, "Invalid JSON content", error);
    }
    try {
      const version = request.query.get("version") ?? undefined;
      const id = this.#client.start(name, input, instanceId, version, request.trace);
      return await this.#started(request, id);
    } catch (error) {
      if (error instanceof InstanceStateError) return errorAnswer(409, error.message);
      throw error;
    }
  }

  /** With `timeout` and `pollingInterval` (seconds) the answer waits for the orchestration's end. */
  async #started(request: DurableRequest, id: string): Promise<Answer> {
    const timeout = seconds(request.query, "timeout");
    const interval = seconds(request.query, "pollingInterval");
    if (timeout !== undefined && interval !== undefined) {
      if (interval > timeout) {
        throw new ClientArgumentError(
          `Total timeout ${timeout / 1000} should be bigger than retry timeout ${interval / 1000}`,
        );
      }
      const end = performance.now() + timeout;
      for (;;) {
        const row = this.#client.get(id);
        if (row?.status === Status.Completed)
          return { status: 200, json: statusPayload(row, undefined, SHOW_ALL).output };
        if (row && isFinal(row.status)) return this.#instance({ ...request, method: "GET" }, id);
        const left = end - performance.now();
        if (left <= 0 || !request.isOpen()) break;
        await new Promise((resolve) =>
          setTimeout(resolve, Math.min(left, Math.max(interval, SHORTEST_POLL))),
        );
      }
    }
    const payload = checkStatusPayload(request.origin, this.#hub, id);
    return {
      status: 202,
      headers: { Location: payload.statusQueryGetUri, "Retry-After": "10" },
      json: payload,
    };
  }

  #instances(request: DurableRequest): Answer {
    const { query } = request;
    if (request.method === "DELETE") {
      const from = time(query, "createdTimeFrom");
      if (from === undefined)
        return { status: 400, json: "Please provide value for 'createdTimeFrom' parameter." };
      const deleted = this.#client.purgeWhere(
        from,
        time(query, "createdTimeTo") ?? Date.now(),
        statuses(query),
      );
      return deleted === 0 ? NOT_FOUND : { status: 200, json: { instancesDeleted: deleted } };
    }
    if (request.method !== "GET") return NOT_FOUND;
    const { instances, next } = this.#client.list(listQuery(query, request.continuationToken));
    const options = { ...SHOW_ALL, showInput: flag(query, "showInput") ?? true };
    return {
      status: 200,
      json: instances.map((row) => statusPayload(row, undefined, options)),
      ...(next === undefined
        ? {}
        : { headers: { "x-ms-continuation-token": Buffer.from(next).toString("base64") } }),
    };
  }

  #instance(request: DurableRequest, id: string): Answer {
    const row = this.#client.get(id);
    if (!row) return NOT_FOUND;
    if (request.method === "DELETE") {
      try {
        this.#client.purge(id);
        return { status: 200, json: { instancesDeleted: 1 } };
      } catch (error) {
        if (error instanceof InstanceStateError) return { status: 412, json: error.message };
        throw error;
      }
    }
    if (request.method !== "GET") return NOT_FOUND;
    const options = statusOptions(request.query);
    const history =
      options.showHistory && row.status !== Status.Pending ? this.#client.history(id) : undefined;
    const json = statusPayload(row, history, options);
    if (!isFinal(row.status))
      return { status: 202, headers: { Location: request.url, "Retry-After": "5" }, json };
    const failed =
      row.status === Status.Failed && flag(request.query, "returnInternalServerErrorOnFailure") === true;
    return { status: failed ? 500 : 200, json };
  }

  async #operate(
    request: DurableRequest,
    id: string,
    operation: string,
    eventName: string | undefined,
  ): Promise<Answer> {
    const row = this.#client.get(id);
    const known = ["raiseevent", "terminate", "suspend", "resume", "rewind", "restart"].includes(operation);
    if (!known || (operation === "raiseevent") !== (eventName !== undefined)) return NOT_FOUND;
    if (operation === "restart") return this.#restart(request, id);
    if (!row) return NOT_FOUND;
    const reason = request.query.get("reason") ?? "";
    if (operation === "rewind") {
      try {
        this.#client.rewind(id, reason);
        return { status: 202 };
      } catch (error) {
        if (error instanceof InstanceStateError) return { status: 412, json: error.message };
        throw error;
      }
    }
    if (isFinal(row.status)) return { status: 410 };
    switch (operation) {
      case "raiseevent":
        return this.#raise(request, id, eventName ?? "");
      case "terminate":
        this.#client.terminate(id, reason);
        break;
      case "suspend":
        this.#client.suspend(id, reason);
        break;
      default:
        this.#client.resume(id, reason);
    }
    return { status: 202 };
  }

  #raise(request: DurableRequest, id: string, eventName: string): Answer {
    if (!/^application\/json\s*(;|$)/i.test(request.contentType)) {
      return errorAnswer(400, "Only application/json request content is supported");
    }
    try {
      this.#client.raiseEvent(
        id,
        eventName,
        request.body === "" ? null : JSON.stringify(parseBody(request.body)),
      );
    } catch (error) {
      return errorAnswer(400, "Invalid JSON content", new Error(messageOf(error)));
    }
    return { status: 202 };
  }

  async #restart(request: DurableRequest, id: string): Promise<Answer> {
    try {
      return await this.#started(
        request,
        this.#client.restart(id, flag(request.query, "restartWithNewInstanceId") ?? true),
      );
    } catch (error) {
      if (error instanceof InstanceStateError) return errorAnswer(409, error.message);
      throw error;
    }
  }
}

const SHOW_ALL = { showInput: true, showHistory: false, showHistoryOutput: false };
