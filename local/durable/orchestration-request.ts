/** The message that invokes an orchestrator function for one turn. */
import { type FunctionMetadata, triggerOf } from "../app/registered-function.ts";
import {
  invocationRequest,
  type InvocationRequest,
  jsonData,
  parameter,
  stringData,
  type TypedData,
} from "../worker/messages.ts";
import type { TraceParent } from "./trace-context.ts";
import {
  HTTP_SLEEP_MILLISECONDS,
  MAXIMUM_TIMER,
  TIMER_INTERVAL,
  UPPER_SCHEMA_VERSION,
  UPPER_SCHEMA_VERSION_NEW,
} from "./trigger-payload.ts";

export interface OrchestratorTurn {
  instanceId: string;
  /** JSON text. */
  payload: string;
  /** JSON text. */
  input: string | null;
  isReplaying: boolean;
  trace?: TraceParent | undefined;
}

export function orchestrationRequest(metadata: FunctionMetadata, turn: OrchestratorTurn): InvocationRequest {
  const { key } = triggerOf(metadata);
  const trigger = stringData(turn.payload);
  const input = [parameter(key, trigger)];
  const triggerMetadata = {
    [key]: trigger,
    ...(turn.input === null ? {} : { input: inputData(turn.input) }),
    instanceId: stringData(turn.instanceId),
    isReplaying: stringData(turn.isReplaying ? "True" : "False"),
    upperSchemaVersion: stringData(String(UPPER_SCHEMA_VERSION)),
    upperSchemaVersionNew: stringData(String(UPPER_SCHEMA_VERSION_NEW)),
    longRunningTimerIntervalDuration: stringData(TIMER_INTERVAL.text),
    maximumShortTimerDuration: stringData(MAXIMUM_TIMER.text),
    defaultHttpAsyncRequestSleepTimeMillseconds: stringData(String(HTTP_SLEEP_MILLISECONDS)),
  };
  return invocationRequest(metadata.functionId, input, triggerMetadata, turn.trace);
}

function inputData(input: string): TypedData {
  const value: unknown = JSON.parse(input);
  return typeof value === "string" ? stringData(value) : jsonData(input);
}
