/** Runs one function of the app loaded in this process, through its programming model and its hooks. */
import type { AppRegistry } from "../app/core-api.ts";
import type { CoreInvocationContext } from "../app/programming-model.ts";
import { unservedBindings } from "../app/unserved.ts";
import type { InvocationRequest, InvocationResult } from "./messages.ts";
import { withInvocation } from "./current-invocation.ts";
import type { FunctionLog } from "../log/function-log.ts";

export async function invokeFunction(
  app: AppRegistry,
  request: InvocationRequest,
  log: FunctionLog,
): Promise<InvocationResult> {
  const registered = app.functions.get(request.functionId);
  const model = app.programmingModel;
  if (!registered || !model) {
    return failure(
      new Error(`Function code for '${request.functionId}' is not loaded and cannot be invoked.`),
    );
  }
  const { metadata, callback } = registered;
  const unserved = unservedBindings(metadata);
  if (unserved !== undefined) return failure(new Error(unserved));
  const where = { functionName: metadata.name, invocationId: request.invocationId };
  const hookData = {};
  const appHookData = app.hooks.appHookData;
  let invocationContext: unknown;
  const core: CoreInvocationContext = {
    invocationId: request.invocationId,
    request,
    metadata,
    state: undefined,
    log: (level, category, message) => {
      const line = { level, category, message, invocationContext, hookData, appHookData };
      app.hooks.runNow("log", line);
      log(line.level, line.message, where);
    },
  };
  return withInvocation(where, async () => {
    try {
      const invocation = model.getInvocationModel(core);
      const { context, inputs } = await invocation.getArguments();
      invocationContext = context;
      const before = {
        hookData,
        appHookData,
        invocationContext: context,
        functionCallback: callback,
        inputs,
      };
      core.state = "preInvocationHooks";
      await app.hooks.run("preInvocation", before);
      const after: Record<string, unknown> = {
        hookData,
        appHookData,
        invocationContext: context,
        inputs: before.inputs,
        result: null,
        error: null,
      };
      core.state = "invocation";
      try {
        after["result"] = await invocation.invokeFunction(context, before.inputs, before.functionCallback);
      } catch (error) {
        after["error"] = error ?? new Error("The function threw undefined or null.");
      }
      core.state = "postInvocationHooks";
      await app.hooks.run("postInvocation", after);
      core.state = undefined;
      if (after["error"]) return failure(after["error"]);
      return { status: "success", response: await invocation.getResponse(context, after["result"]) };
    } catch (error) {
      return failure(error);
    }
  });
}

function failure(thrown: unknown): InvocationResult {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  return { status: "failure", exception: { message: error.message, stack: error.stack ?? "" } };
}
