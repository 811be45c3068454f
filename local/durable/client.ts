/** What clients may do with orchestrations: start, query, signal, stop, purge, restart. */
import { EventType } from "./history-event.ts";
import { control, eventRaised } from "./new-event.ts";
import type { Engine } from "./engine.ts";
import { rewindInstance } from "./rewind.ts";
import { Status, isFinal, statusName } from "./status.ts";
import { beginTrace, type TraceParent } from "./trace-context.ts";
import type { HistoryRow, InstanceRow } from "./rows.ts";

/** The request is impossible in the instance's current state; the message says why. */
export class InstanceStateError extends Error {
  override name = "InstanceStateError";
}

/** The request itself is wrong, whatever the state. */
export class ClientArgumentError extends Error {
  override name = "ClientArgumentError";
}

export interface InstanceQuery {
  instanceIdPrefix: string;
  /** Epoch milliseconds, inclusive. */
  createdFrom: number;
  createdTo: number;
  /** None means any. */
  statuses: Status[];
  /** The most instances to return. */
  top: number;
  /** The id to start from, from the last page. */
  from: string;
}

export class DurableClient {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Starts an orchestration; returns its id. Input is JSON text. Throws InstanceStateError when one of that id
   * is not finished, ClientArgumentError for an id that cannot be.
   */
  start(
    name: string,
    input: string | null,
    instanceId?: string,
    version?: string,
    trace?: TraceParent,
  ): string {
    const id = instanceId || crypto.randomUUID().replaceAll("-", "");
    checkId(id);
    const existing = this.#engine.store.instance(id);
    if (existing && !isFinal(existing.status)) {
      throw new InstanceStateError(
        `An Orchestration instance with the status ${statusName(existing.status)} already exists.`,
      );
    }
    this.#engine.create({
      instanceId: id,
      executionId: crypto.randomUUID(),
      name,
      version: version ?? null,
      input,
      parent: null,
      trace: beginTrace(trace),
    });
    return id;
  }

  get(id: string): InstanceRow | undefined {
    return this.#engine.store.instance(id);
  }

  history(id: string): HistoryRow[] {
    return this.#engine.store.history(id);
  }

  /** A page of instances in the order of their ids, and the id the next page begins with. */
  list(query: InstanceQuery): { instances: InstanceRow[]; next: string | undefined } {
    const rows = this.#engine.store.instances(
      query.from,
      query.instanceIdPrefix,
      query.createdFrom,
      query.createdTo,
      query.statuses,
      query.top + 1,
    );
    return { instances: rows.slice(0, query.top), next: rows[query.top]?.id };
  }

  /** Data is JSON text. The instance must exist and not be finished. */
  raiseEvent(id: string, eventName: string, data: string | null): void {
    this.#send(id, eventRaised(eventName, data));
  }

  terminate(id: string, reason: string): void {
    this.#send(id, control(EventType.ExecutionTerminated, reason));
  }

  suspend(id: string, reason: string): void {
    this.#expect(id, "suspend", (status) => status !== Status.Suspended);
    this.#send(id, control(EventType.ExecutionSuspended, reason));
  }

  resume(id: string, reason: string): void {
    this.#expect(id, "resume", (status) => status === Status.Suspended);
    this.#send(id, control(EventType.ExecutionResumed, reason));
  }

  /** Runs what failed again. Throws InstanceStateError unless the orchestration has failed. */
  rewind(id: string, reason: string): void {
    const status = this.#status(id);
    if (status !== Status.Failed) {
      throw new InstanceStateError(
        `This orchestration has status ${statusName(status)}, but only orchestrations in the "Failed" state can be rewound.`,
      );
    }
    rewindInstance(this.#engine, id, reason);
  }

  /** Starts it again with the same input, by default under a new id; returns the id. */
  restart(id: string, withNewId: boolean): string {
    const row = this.get(id);
    if (!row) throw new ClientArgumentError("InstanceId does not match a valid orchestration instance.");
    return this.start(row.name, row.input, withNewId ? undefined : id, row.version ?? undefined);
  }

  /** Removes a finished instance. Throws InstanceStateError when it is not finished. */
  purge(id: string): void {
    const status = this.#status(id);
    if (!isFinal(status)) {
      throw new InstanceStateError(
        `Only orchestrations in a terminal state can be purged, but the orchestration with instance ID ${id} has status ${statusName(status)}`,
      );
    }
    this.#engine.purge(id);
  }

  /** Removes finished instances created within a period; returns how many. */
  purgeWhere(createdFrom: number, createdTo: number, statuses: Status[]): number {
    const all = {
      instanceIdPrefix: "",
      createdFrom,
      createdTo,
      statuses,
      top: Number.MAX_SAFE_INTEGER - 1,
      from: "",
    };
    const finished = this.list(all).instances.filter(({ status }) => isFinal(status));
    for (const { id } of finished) this.#engine.purge(id);
    return finished.length;
  }

  #send(id: string, event: ReturnType<typeof control> | ReturnType<typeof eventRaised>): void {
    this.#engine.store.transaction(() => this.#engine.send(id, null, event));
  }

  #status(id: string): Status {
    const row = this.get(id);
    if (!row) throw new ClientArgumentError(`No instance with ID '${id}' was found.`);
    return row.status;
  }

  #expect(id: string, verb: string, allowed: (status: Status) => boolean): void {
    const status = this.#status(id);
    if (!allowed(status)) {
      throw new InstanceStateError(
        `Cannot ${verb} the orchestration instance ${id} because instance is in the ${statusName(status)} state.`,
      );
    }
  }
}

/** The extension's rules for ids. */
function checkId(id: string): void {
  if (id.startsWith("@")) throw new ClientArgumentError("Orchestration instance ids must not start with @.");
  if (/[/\\?#]|\p{Cc}/u.test(id)) {
    throw new ClientArgumentError(
      "Orchestration instance ids must not contain /, \\, #, ?, or control characters.",
    );
  }
  if (id.length > 100) throw new ClientArgumentError("Instance ID lengths must not exceed 100 characters.");
}
