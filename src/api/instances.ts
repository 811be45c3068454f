/** How an orchestration stands, as the durable engine says. */
export type InstanceStatus = "active" | "completed" | "failed" | "canceled";

export interface Instance {
  status: InstanceStatus;
  /** What came of it; a failed one's message. */
  output: unknown;
  updated: Date;
}

/** The reason that an orchestration is ended with when its run is canceled; its record says so before. */
export const CANCELED = "canceled";

/** What the records need of the durable engine. */
export interface Instances {
  /** The app whose engine it is; see appIdentity. */
  app: string;
  /** One instance; undefined when there is none of this id. */
  get(id: string): Promise<Instance | undefined>;
  /** Of a run's orchestrations, its root and its parts, those that have not ended. One query. */
  activeOf(run: string, since: Date): Promise<string[]>;
  /** Asks an instance to end. One that has ended already is left as it is. */
  terminate(id: string, reason: string): Promise<void>;
}
