import type { DurableClient } from "durable-functions";
import type { Services } from "../services.ts";

/** What preparing a start needs. */
export interface Start {
  /** The id that the instance is going to have. */
  instanceId: string;
  client: DurableClient;
  services: Services;
  /** The caller tries again with the same id where this fails. */
  isRetried?: boolean;
}
