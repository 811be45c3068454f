import { OrchestrationRuntimeStatus, type DurableClient } from "durable-functions";
import type { Instance, Instances, InstanceStatus } from "./instances.ts";

const ACTIVE = [
  OrchestrationRuntimeStatus.Pending,
  OrchestrationRuntimeStatus.Running,
  OrchestrationRuntimeStatus.ContinuedAsNew,
  OrchestrationRuntimeStatus.Suspended,
];

/** The instances of the durable engine, by the app's client of it. @param app which app that is; see appIdentity */
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
        // It has ended meanwhile, or was never there.
        const instance = await getInstance(client, id);
        if (instance?.status === "active") throw error;
      }
    },
  };
}

/** How the client says that there is no such instance: a plain Error, which only its words tell from a call that failed. */
const NO_INSTANCE = /^DurableClient error: Durable Functions extension replied with HTTP 404 response\. /;

/** One instance; undefined when there is none of this id. */
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
