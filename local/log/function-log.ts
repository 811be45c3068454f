import type { InvocationName } from "../worker/current-invocation.ts";

/** Takes a line that belongs to a function's invocation. Levels are those of the worker: trace … critical. */
export type FunctionLog = (level: string, message: string, where?: InvocationName) => void;
