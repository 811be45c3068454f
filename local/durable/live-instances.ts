/** Instances in memory with their histories, so that a turn does not read them again; bounded in size. */
import { type HistoryEvent, played } from "./history-event.ts";
import { advance } from "./orchestrator-clock.ts";
import type { Store } from "./store.ts";
import type { InstanceRow } from "./rows.ts";

/** Characters of history kept for instances that are waiting; those in a turn are always kept. */
const KEPT_CHARACTERS = 32 * 1024 * 1024;

export class LiveInstance {
  row: InstanceRow;
  /** Parsed, and as JSON text; both as later turns see them. */
  readonly events: HistoryEvent[] = [];
  readonly texts: string[] = [];
  characters = 0;
  /** The orchestrator's current time, in epoch milliseconds. */
  now = 0;

  constructor(row: InstanceRow) {
    this.row = row;
  }

  /** Adds what is (or is about to be) in the store; returns the row's text. */
  append(event: HistoryEvent): string {
    const later = played(event);
    const text = JSON.stringify(later);
    this.events.push(later);
    this.texts.push(text);
    this.characters += text.length;
    this.now = advance(this.now, event);
    return text;
  }

  clear(): void {
    this.events.length = 0;
    this.texts.length = 0;
    this.characters = 0;
    this.now = 0;
  }
}

export class LiveInstances {
  readonly #store: Store;
  /** With the characters that were counted for each. */
  readonly #live = new Map<string, { live: LiveInstance; counted: number }>();
  #characters = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Undefined when there is no such instance. */
  get(id: string): LiveInstance | undefined {
    const known = this.#live.get(id);
    if (known) return known.live;
    const row = this.#store.instance(id);
    if (!row) return undefined;
    const live = new LiveInstance(row);
    for (const { event } of this.#store.history(id)) live.append(event);
    return live;
  }

  /** Call after a turn: keeps the instance, and drops the least recently used if there are too many. */
  keep(live: LiveInstance): void {
    this.forget(live.row.id);
    this.#live.set(live.row.id, { live, counted: live.characters });
    this.#characters += live.characters;
    for (const id of this.#live.keys()) {
      if (this.#characters <= KEPT_CHARACTERS) break;
      this.forget(id);
    }
  }

  forget(id: string): void {
    this.#characters -= this.#live.get(id)?.counted ?? 0;
    this.#live.delete(id);
  }
}
