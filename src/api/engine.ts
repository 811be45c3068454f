import { OrchestrationRuntimeStatus, type DurableClient } from "durable-functions";
import type { Instance, Instances, InstanceStatus } from "./instances.ts";

const ACTIVE = [
  OrchestrationRuntimeStatus.Pending,
  OrchestrationRuntimeStatus.Running,
  OrchestrationRuntimeStatus.ContinuedAsNew,
  OrchestrationRuntimeStatus.Suspended,
];

/** The instances of the durable engine. @param app whose engine it is; see appIdentity */
export function instancesOf(client: DurableClient, app: string): Instances {
  return {
    app,
    get: (id) => getInstance(client, id),
    async activeOf(run, since) {
      const found = await client.getStatusBy({ createdTimeFrom: since, runtimeStatus: ACTIVE });
      return found.map(({ instanceId }) => instanceId).filter((id) => id === run || id.startsWith(`${run}:`));
    },
    async terminate(id, reason) {
      try {
        await client.terminate(id, reason);
      } catch (error) {
        // It may have ended meanwhile, or never existed.
        const instance = await getInstance(client, id);
        if (instance?.status === "active") throw error;
      }
    },
  };
}

/** The client reports a missing instance by a plain Error, which only its message distinguishes from a failed call. */
const NO_INSTANCE = /^DurableClient error: Durable Functions extension replied with HTTP 404 response\. /;

/** One instance; undefined if there is none with this id. */
export async function getInstance(client: DurableClient, id: string): Promise<Instance | undefined> {
  try {
    const { runtimeStatus, output, lastUpdatedTime } = await client.getStatus(id, { showInput: false });
    return { status: statusOf(runtimeStatus), output, updated: new Date(lastUpdatedTime) };
  } catch (error) {
    if (error instanceof Error && NO_INSTANCE.test(error.message)) return undefined;
    throw error;
  }
}

function statusOf(status: OrchestrationRuntimeStatus): InstanceStatus {
  switch (status) {
    case OrchestrationRuntimeStatus.Completed:
      return "completed";
    case OrchestrationRuntimeStatus.Failed:
      return "failed";
    case OrchestrationRuntimeStatus.Terminated:
    case OrchestrationRuntimeStatus.Canceled:
      return "canceled";
    case OrchestrationRuntimeStatus.Pending:
    case OrchestrationRuntimeStatus.Running:
    case OrchestrationRuntimeStatus.ContinuedAsNew:
    case OrchestrationRuntimeStatus.Suspended:
      return "active";
  }
}
