/**
 * Something the user can fix stopped the host from starting or continuing. The message is one clear sentence: it is
 * printed as it is, without a stack, and the process exits with 1.
 */
export class StartUpError extends Error {
  override name = "StartUpError";
}

/** The message of anything thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
