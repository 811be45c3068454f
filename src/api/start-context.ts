import type { DurableClient } from "durable-functions";
import type { Services } from "../services.ts";

/** What is needed to prepare a start. */
export interface Start {
  /** The id that the instance will have. */
  instanceId: string;
  client: DurableClient;
  services: Services;
  /** The caller will try again with the same id if this fails. */
  isRetried?: boolean;
}
