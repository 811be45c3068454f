/** The texts in which a failure reaches the orchestrator and the status, as the Durable extension writes them. */
import type { RpcException } from "../worker/messages.ts";

/** The two spaces before the message are the extension's. */
export function activityFailureReason(name: string, exception: RpcException): string {
  return `Activity function '${name}' failed:  ${exception.message}`;
}

/** The exception as the extension serialises it, without the .NET stacks that only the real host has. */
export function activityFailureDetails(exception: RpcException): string {
  return JSON.stringify({
    $type: "System.Exception, System.Private.CoreLib",
    ClassName: "System.Exception",
    Message: ` ${exception.message}`,
    Data: null,
    InnerException: {
      $type: "Microsoft.Azure.WebJobs.Script.Workers.Rpc.RpcException, Microsoft.Azure.WebJobs.Script",
      IsUserException: false,
      RemoteStackTrace: exception.stack,
      RemoteMessage: exception.message,
      RemoteTypeName: null,
      Message: `Result: Failure\nException: ${exception.message}\nStack: ${exception.stack}`,
      Data: { $type: "System.Collections.ListDictionaryInternal, System.Private.CoreLib" },
      InnerException: null,
      HelpLink: null,
      Source: null,
      HResult: -2146233088,
      StackTrace: null,
    },
    HelpURL: null,
    StackTraceString: null,
    RemoteStackTraceString: null,
    RemoteStackIndex: 0,
    ExceptionMethod: null,
    HResult: -2146233088,
    Source: null,
    WatsonBuckets: null,
  });
}

export function orchestratorFailure(name: string, error: string): string {
  return `Orchestrator function '${name}' failed: ${error}`;
}

/** What a parent orchestrator gets besides the reason. */
export function orchestratorFailureDetails(error: string): string {
  return `Message: ${error}, StackTrace: `;
}

export function unknownFunction(kind: "activity" | "orchestrator", name: string, known: string[]): string {
  const list = known.map((each) => `'${each}'`).join(", ");
  const info =
    known.length > 0
      ? `The following are the known ${kind} functions: ${list}.`
      : `No ${kind} functions are currently registered!`;
  return `The function '${name}' doesn't exist, is disabled, or is not ${kind === "activity" ? "an activity" : "an orchestrator"} function. Additional info: ${info}`;
}
