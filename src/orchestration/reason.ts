/** The message of a failed activity without the host's wrapping ("Activity function 'x' failed:  …" and a dump in JSON). */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const inner =
    /^(?:Activity|Orchestrator) function '[^']*' failed:\s*([\s\S]*)$/.exec(message)?.[1] ?? message;
  return (inner.split(" \n {", 1)[0] ?? inner).trim().slice(0, 1000);
}
