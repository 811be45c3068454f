/** Exit codes, the same as restic's. */
export const ExitCode = { done: 0, failed: 1, someFilesFailed: 3, interrupted: 130 } as const;

/** Why the command cannot continue, in words for the user. */
export class Failure extends Error {}

/** The app refused a request and said why. */
export class Refusal extends Failure {
  /** The members of its problem (RFC 9457). */
  readonly problem: Readonly<Record<string, unknown>>;

  constructor(detail: string, problem: Readonly<Record<string, unknown>>) {
    super(detail);
    this.problem = problem;
  }
}

/** Ctrl-C, or a signal to end. */
export class Interrupted extends Error {}
