/** The state of an orchestration, as the durable engine reports it. */
export type InstanceStatus = "active" | "completed" | "failed" | "canceled";

export interface Instance {
  status: InstanceStatus;
  /** The result; if it failed, the error message. */
  output: unknown;
  updated: Date;
}

/** The reason given when an orchestration is terminated because its run was canceled. The record says so first. */
export const CANCELED = "canceled";

/** What the API needs of the durable engine. */
export interface Instances {
  /** The app whose engine it is; see appIdentity. */
  app: string;
  /** One instance; undefined if there is none with this id. */
  get(id: string): Promise<Instance | undefined>;
  /** Which of a run's orchestrations, root and parts, have not ended. One query. */
  activeOf(run: string, since: Date): Promise<string[]>;
  /** Terminates an instance. One that has ended is left as it is. */
  terminate(id: string, reason: string): Promise<void>;
}
