/** Messages waiting for an instance's next turn, in memory as in the store. */
import { EventType } from "./history-event.ts";
import type { Message } from "./rows.ts";

type Batch =
  | { kind: "events" | "terminate" | "suspend" | "resume"; messages: Message[] }
  /** The instance is suspended: its messages wait. */
  | { kind: "none" };

export class Inbox {
  readonly #waiting = new Map<string, Message[]>();

  add(message: Message): void {
    const messages = this.#waiting.get(message.instanceId);
    if (messages) messages.push(message);
    else this.#waiting.set(message.instanceId, [message]);
  }

  of(instanceId: string): readonly Message[] {
    return this.#waiting.get(instanceId) ?? [];
  }

  clear(instanceId: string): void {
    this.#waiting.delete(instanceId);
  }

  remove(instanceId: string, taken: readonly Message[]): void {
    const gone = new Set(taken);
    const left = this.of(instanceId).filter((message) => !gone.has(message));
    if (left.length > 0) this.#waiting.set(instanceId, left);
    else this.#waiting.delete(instanceId);
  }

  /**
   * What the next turn handles: a terminate request first; while suspended only a resume request; else every message
   * up to a suspend request, in one turn.
   */
  nextBatch(instanceId: string, suspended: boolean): Batch {
    const messages = this.of(instanceId);
    const terminate = messages.find(({ event }) => event.EventType === EventType.ExecutionTerminated);
    if (terminate) return { kind: "terminate", messages: [...messages] };
    if (suspended) {
      const resume = messages.find(({ event }) => event.EventType === EventType.ExecutionResumed);
      return resume ? { kind: "resume", messages: [resume] } : { kind: "none" };
    }
    const stop = messages.findIndex(({ event }) => event.EventType === EventType.ExecutionSuspended);
    const [first] = messages;
    if (stop === 0 && first) return { kind: "suspend", messages: [first] };
    const events = stop < 0 ? [...messages] : messages.slice(0, stop);
    return events.length > 0 ? { kind: "events", messages: events } : { kind: "none" };
  }
}
