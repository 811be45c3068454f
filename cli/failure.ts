/** How the command ends, as restic does. */
export const ExitCode = { done: 0, failed: 1, someFilesFailed: 3, interrupted: 130 } as const;

/** What keeps the command from going on, in words for whoever typed it. */
export class Failure extends Error {}

/** Ctrl-C, or a request to end. */
export class Interrupted extends Error {}
