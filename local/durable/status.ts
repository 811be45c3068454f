/** The states of an orchestration, with DurableTask.Core's numbers. */
export const Status = {
  Running: 0,
  Completed: 1,
  ContinuedAsNew: 2,
  Failed: 3,
  Canceled: 4,
  Terminated: 5,
  Pending: 6,
  Suspended: 7,
} as const;

export type Status = (typeof Status)[keyof typeof Status];

const NAMES = new Map<number, string>(Object.entries(Status).map(([name, value]) => [value, name]));

export function statusName(status: number): string {
  return NAMES.get(status) ?? String(status);
}

/** The status with this name, exactly as written; undefined if there is none. */
export function statusOfName(name: string): Status | undefined {
  return Object.entries(Status).find(([key]) => key === name)?.[1];
}

/** Whether nothing more will happen to an orchestration in this state. */
export function isFinal(status: number): boolean {
  return (
    status === Status.Completed ||
    status === Status.Failed ||
    status === Status.Canceled ||
    status === Status.Terminated
  );
}
