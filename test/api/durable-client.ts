import type { InvocationContext } from "@azure/functions";
import * as df from "durable-functions";

/** The app's client of a durable engine that answers at this address. */
export function clientOf(rpcBaseUrl: string): df.DurableClient {
  const input = df.input.durableClient();
  const managementUrls = { id: "ID", statusQueryGetUri: `${rpcBaseUrl}ID` };
  const binding = { taskHubName: "hub", creationUrls: {}, managementUrls, rpcBaseUrl };
  const context = { options: { extraInputs: [input] }, extraInputs: { get: () => binding } };
  return df.getClient(context as unknown as InvocationContext);
}
