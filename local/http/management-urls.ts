/** The addresses of the Durable HTTP API, as the extension writes them into answers and client bindings. */

export const WEBHOOK_PATH = "/runtime/webhooks/durabletask";

/** The setting that holds the task hub's storage, as addresses name it. */
export const CONNECTION = "Storage";

export interface HubAddress {
  hubName: string;
  /** The system key: the local host does not ask for it, but addresses carry it. */
  key: string;
}

/** An instance's addresses, in the extension's order. `origin` has no trailing slash. */
function managementUrls(origin: string, hub: HubAddress, instanceId: string) {
  const instance = `${origin}${WEBHOOK_PATH}/instances/${encodeURIComponent(instanceId)}`;
  const query = `taskHub=${hub.hubName}&connection=${CONNECTION}&code=${hub.key}`;
  return {
    id: instanceId,
    statusQueryGetUri: `${instance}?${query}`,
    sendEventPostUri: `${instance}/raiseEvent/{eventName}?${query}`,
    terminatePostUri: `${instance}/terminate?reason={text}&${query}`,
    rewindPostUri: `${instance}/rewind?reason={text}&${query}`,
    purgeHistoryDeleteUri: `${instance}?${query}`,
    restartPostUri: `${instance}/restart?${query}`,
    suspendPostUri: `${instance}/suspend?reason={text}&${query}`,
    resumePostUri: `${instance}/resume?reason={text}&${query}`,
  };
}

/** The body of the webhook's own answers, which lack the rewind address. */
export function checkStatusPayload(origin: string, hub: HubAddress, instanceId: string) {
  const { rewindPostUri: _, ...payload } = managementUrls(origin, hub, instanceId);
  return payload;
}

/** What a durable client binding is given, as JSON text. */
export function durableClientInput(origin: string, hub: HubAddress, rpcBaseUrl: string): string {
  const code = `code=${hub.key}`;
  const start = `${origin}${WEBHOOK_PATH}/orchestrators/{functionName}[/{instanceId}]`;
  return JSON.stringify({
    taskHubName: hub.hubName,
    connectionName: null,
    creationUrls: {
      createNewInstancePostUri: `${start}?${code}`,
      createAndWaitOnNewInstancePostUri: `${start}?timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}&${code}`,
    },
    managementUrls: managementUrls(origin, hub, "INSTANCEID"),
    baseUrl: `${origin}${WEBHOOK_PATH}`,
    requiredQueryStringParameters: code,
    rpcBaseUrl,
    httpBaseUrl: null,
    maxGrpcMessageSizeInBytes: null,
    grpcHttpClientTimeout: null,
  });
}
