/** The messages between the host and a child worker over IPC. */
import type { InvocationName } from "./current-invocation.ts";
import type { InvocationRequest, InvocationResult } from "./messages.ts";

export interface ToChild {
  invoke: InvocationRequest;
}

export type FromChild =
  | { kind: "ready" }
  | { kind: "failed"; message: string }
  | { kind: "done"; invocationId: string; result: InvocationResult }
  | { kind: "log"; level: string; message: string; where?: InvocationName };
