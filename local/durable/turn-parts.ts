/** What the engine, its turns and their decisions share. */
import type { InvocationResult } from "../worker/messages.ts";
import type { Logger } from "../log/logger.ts";
import type { HistoryEvent, ParentInstance, ParentTraceContext } from "./history-event.ts";
import type { Inbox } from "./inbox.ts";
import type { LiveInstances } from "./live-instances.ts";
import type { OrchestratorTurn } from "./orchestration-request.ts";
import type { Task, Timer } from "./rows.ts";
import type { Store } from "./store.ts";

/** What the engine needs of the rest of the host. */
export interface EngineHost {
  /** Runs one turn of an orchestrator function that the app has. */
  invokeOrchestrator(name: string, turn: OrchestratorTurn): Promise<InvocationResult>;
  /** Throws ReplayError if the app has no such function. */
  checkFunction(kind: "activity" | "orchestrator", name: string): void;
  /** Runs tasks, each at least once; `taskDone` follows. */
  queueTasks(tasks: Task[]): void;
  /** The state cannot be read or written: the host must end. */
  fatal(error: unknown): void;
}

/** How an instance begins. `input` is JSON text. */
export interface Start {
  instanceId: string;
  executionId: string;
  name: string;
  version: string | null;
  input: string | null;
  parent: ParentInstance | null;
  trace?: ParentTraceContext | null;
}

/** The parts of the engine that turns work with. */
export interface TurnParts {
  store: Store;
  host: EngineHost;
  log: Logger;
  inbox: Inbox;
  live: LiveInstances;
  create: (start: Start) => void;
  send: (instanceId: string, executionId: string | null, event: HistoryEvent) => void;
  /** Forgets an instance's history, messages and timers. */
  reset: (instanceId: string) => void;
  addTimer: (timer: Timer) => void;
  queueTasks: (tasks: Task[]) => void;
}
