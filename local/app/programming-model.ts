/** The contract between a worker and the programming model (`@azure/functions`), as far as this host uses it. */
import type { InvocationRequest, InvocationResponse } from "../worker/messages.ts";
import type { FunctionCallback, FunctionMetadata } from "./registered-function.ts";

export interface CoreInvocationContext {
  invocationId: string;
  request: InvocationRequest;
  metadata: FunctionMetadata;
  state: string | undefined;
  log(level: string, category: string, message: string): void;
}

interface InvocationModel {
  getArguments(): Promise<{ context: unknown; inputs: unknown[] }>;
  invokeFunction(context: unknown, inputs: unknown[], callback: FunctionCallback): Promise<unknown>;
  getResponse(context: unknown, result: unknown): Promise<InvocationResponse>;
}

export interface ProgrammingModel {
  name: string;
  version: string;
  getInvocationModel(context: CoreInvocationContext): InvocationModel;
  /** May start a server for streamed HTTP, returning its address as `HttpUri`. */
  getCapabilities?(capabilities: Record<string, string>): Promise<Record<string, string>>;
}
