import type { InvocationName } from "../worker/current-invocation.ts";

/** Takes a line of a function's invocation. Levels are the worker's: trace … critical. */
export type FunctionLog = (level: string, message: string, where?: InvocationName) => void;
