/** One turn of an instance: what its messages require, run and committed. */
import { EventType, type HistoryEvent } from "./history-event.ts";
import { control, turnMark } from "./new-event.ts";
import { decideTurn } from "./decide-turn.ts";
import { DecisionWriter } from "./decision-writer.ts";
import type { TurnParts } from "./turn-parts.ts";
import type { LiveInstance } from "./live-instances.ts";
import { Status, isFinal } from "./status.ts";
import type { InstanceRow, Message } from "./rows.ts";
import { asParent, traceOf, type TraceParent } from "./trace-context.ts";
import { MAXIMUM_TIMER, TIMER_INTERVAL, triggerPayload } from "./trigger-payload.ts";
import { messageOf } from "../start-up-error.ts";
import type { InvocationResult } from "../worker/messages.ts";

export class TurnTaker {
  readonly #parts: TurnParts;
  readonly #writer: DecisionWriter;

  constructor(parts: TurnParts) {
    this.#parts = parts;
    this.#writer = new DecisionWriter(parts);
  }

  /**
   * Handles the instance's next batch of messages; resolves to whether there is another. Rejects only if the state
   * cannot be read or written. A host that ends in the middle leaves a mark for the next one.
   */
  async take(id: string): Promise<boolean> {
    const { store } = this.#parts;
    store.beginTurn(id);
    const more = await this.#take(id);
    store.endTurn(id);
    return more;
  }

  async #take(id: string): Promise<boolean> {
    const { inbox, live: instances } = this.#parts;
    const live = instances.get(id);
    if (!live || isFinal(live.row.status)) {
      this.#commit([...inbox.of(id)], () => undefined);
      return false;
    }
    const batch = inbox.nextBatch(id, live.row.status === Status.Suspended);
    switch (batch.kind) {
      case "events":
        await this.#runEvents(live, batch.messages);
        break;
      case "terminate":
        this.#terminate(live, batch.messages);
        break;
      case "suspend":
        this.#changeStatus(live, batch.messages, Status.Suspended);
        break;
      case "resume":
        this.#changeStatus(live, batch.messages, Status.Running);
        break;
      case "none":
        return false;
    }
    if (isFinal(live.row.status)) instances.forget(id);
    else instances.keep(live);
    return inbox.of(id).length > 0;
  }

  async #runEvents(live: LiveInstance, messages: Message[]): Promise<void> {
    const { row } = live;
    const mine = messages.filter(
      ({ executionId }) => executionId === null || executionId === row.executionId,
    );
    if (mine.length === 0) {
      this.#commit(messages, () => undefined);
      return;
    }
    const isReplaying = live.events.length > 0;
    // A start comes first, whatever else arrived before the first turn.
    const events = mine.map(({ event }) => event).sort((a, b) => rank(a) - rank(b));
    const fresh: HistoryEvent[] = [turnMark(EventType.OrchestratorStarted), ...events];
    // The first turn of an execution that continues as new has this mark already, as recorded.
    if (!isReplaying && row.status === Status.Running) fresh.push(turnMark(EventType.OrchestratorCompleted));
    const parentInstanceId = row.parent?.OrchestrationInstance.InstanceId ?? null;
    const result = await this.#invoke(
      row,
      () =>
        triggerPayload({
          past: live.texts,
          fresh,
          input: row.input,
          instanceId: row.id,
          parentInstanceId,
          isReplaying,
        }),
      isReplaying,
      asParent(traceOf(live.events) ?? traceOf(fresh)),
    );
    const decision = decideTurn(row.name, result, [...live.events, ...fresh], {
      executionId: row.executionId,
      instanceId: row.id,
      parentInstanceId,
      maximumTimer: MAXIMUM_TIMER.milliseconds,
      timerInterval: TIMER_INTERVAL.milliseconds,
      checkFunction: (kind, name) => this.#parts.host.checkFunction(kind, name),
    });
    const queued = this.#commit(messages, () => this.#writer.apply(live, fresh, decision));
    this.#parts.queueTasks(queued);
    this.#parts.log.debug(
      `turn of '${row.name}' (${row.id}): ${events.length} new events, ${decision.scheduled.length} scheduled, ${decision.ending.kind}`,
    );
  }

  /** Any error of the invocation is the orchestration's failure, even a history too long for a string. */
  async #invoke(
    row: InstanceRow,
    payload: () => string,
    isReplaying: boolean,
    trace: TraceParent | undefined,
  ): Promise<InvocationResult> {
    const { host } = this.#parts;
    const { id: instanceId, input } = row;
    try {
      host.checkFunction("orchestrator", row.name);
      return await host.invokeOrchestrator(row.name, {
        instanceId,
        payload: payload(),
        input,
        isReplaying,
        trace,
      });
    } catch (error) {
      return { status: "failure", exception: { message: messageOf(error), stack: "" } };
    }
  }

  #terminate(live: LiveInstance, messages: Message[]): void {
    const request = messages
      .map(({ event }) => event)
      .find(({ EventType: type }) => type === EventType.ExecutionTerminated);
    const reason = request && "Input" in request ? request.Input : null;
    this.#commit(messages, () => {
      const events = [
        turnMark(EventType.OrchestratorStarted),
        control(EventType.ExecutionTerminated, reason),
      ];
      this.#writer.end(live, events, Status.Terminated, reason, "");
    });
  }

  #changeStatus(live: LiveInstance, messages: Message[], status: Status): void {
    this.#commit(messages, () => {
      const events = messages.map(({ event }) => event);
      this.#writer.mark(live, [turnMark(EventType.OrchestratorStarted), ...events], status);
    });
  }

  /** One transaction: takes the messages and writes what follows from them. */
  #commit<T>(messages: Message[], write: () => T): T {
    const { store, inbox } = this.#parts;
    return store.transaction(() => {
      for (const message of messages) store.removeMessage(message.id);
      if (messages[0]) inbox.remove(messages[0].instanceId, messages);
      return write();
    });
  }
}

function rank(event: HistoryEvent): number {
  return event.EventType === EventType.ExecutionStarted ? 0 : 1;
}
