/** Reads the recordings of the real host in test/fixtures/host-contract. */
import { readFileSync } from "node:fs";
import type { OrchestratorState } from "../../local/durable/actions.ts";
import type { HistoryEvent } from "../../local/durable/history-event.ts";
import type { FunctionMetadata } from "../../local/app/registered-function.ts";
import type { InvocationRequest, InvocationResponse } from "../../local/worker/messages.ts";

const FOLDER = new URL("../fixtures/host-contract/", import.meta.url);

export const ORCHESTRATIONS = [
  "again",
  "any",
  "caught",
  "event",
  "fails",
  "fan",
  "retry",
  "status",
  "sub",
  "subfail",
  "timer",
];

export interface RecordedPayload {
  history: HistoryEvent[];
  input: unknown;
  instanceId: string;
  isReplaying: boolean;
  [member: string]: unknown;
}

export interface RecordedTurn {
  trigger: RecordedPayload;
  returned: OrchestratorState;
}

export function recordedTurns(name: string): RecordedTurn[] {
  return JSON.parse(read(`orchestrations/${name}.json`)) as RecordedTurn[];
}

export interface RecordedInvocation {
  request: InvocationRequest;
  metadata: FunctionMetadata;
  response: InvocationResponse;
}

export function recordedInvocation(name: string): RecordedInvocation {
  return JSON.parse(read(`rpc/${name}.json`)) as RecordedInvocation;
}

export interface RecordedExchange {
  title: string;
  method: string;
  /** With the query. */
  path: string;
  headers: Record<string, string>;
  body: string | undefined;
  status: number;
  headerNames: string[];
  responseBody: string;
}

/** The requests and raw answers of http/recorded.txt, in order. */
export function recordedExchanges(): RecordedExchange[] {
  const exchanges: RecordedExchange[] = [];
  for (const section of read("http/recorded.txt")
    .split(/^##### /m)
    .slice(1)) {
    const [title = "", ...rest] = section.split("\n");
    for (const part of rest
      .join("\n")
      .split(/^> curl /m)
      .slice(1)) {
      const [command = "", statusLine = "", ...lines] = part.split("\n");
      const blank = lines.indexOf("");
      exchanges.push({
        title,
        method: /^-X (\w+)/.exec(command)?.[1] ?? "GET",
        path: /http:\/\/127\.0\.0\.1:7071(\S*)/.exec(command)?.[1] ?? "",
        headers: command.includes("-H content-type") ? { "content-type": "application/json" } : {},
        body: / -d (.*)$/.exec(command)?.[1],
        status: Number(statusLine.split(" ")[1]),
        headerNames: lines.slice(0, blank).map((line) => (line.split(":")[0] ?? "").toLowerCase()),
        responseBody: lines
          .slice(blank + 1)
          .join("\n")
          .trim(),
      });
    }
  }
  return exchanges;
}

export function recordedHistoryBody(): string {
  return /^##### COMPLETED showHistory.*\n(.*)$/m.exec(read("http/recorded.txt"))?.[1] ?? "";
}

function read(name: string): string {
  return readFileSync(new URL(name, FOLDER), "utf8");
}
