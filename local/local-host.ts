/** Puts the parts together, starts them in order, and ends them in the opposite one. */
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { HostArguments } from "./arguments.ts";
import type { AppRegistry } from "./app/core-api.ts";
import { endApp, loadApp } from "./app/load-app.ts";
import { servedFunctions } from "./app/served-functions.ts";
import { startStreamServer } from "./app/stream-server.ts";
import { type FunctionMetadata, hasTrigger } from "./app/registered-function.ts";
import { ActivityRunner } from "./durable/activity-runner.ts";
import { DurableClient } from "./durable/client.ts";
import { StateInUseError } from "./durable/database.ts";
import { Engine } from "./durable/engine.ts";
import { unknownFunction } from "./durable/failure-text.ts";
import { orchestrationRequest } from "./durable/orchestration-request.ts";
import { ReplayError } from "./durable/replay-error.ts";
import { DurableApi } from "./http/durable-api.ts";
import { FunctionRoutes } from "./http/function-routes.ts";
import { HostRoutes, RPC_PATH } from "./http/host-routes.ts";
import { durableClientInput } from "./http/management-urls.ts";
import { send } from "./http/answer.ts";
import { HttpServer } from "./http/server.ts";
import type { Logger } from "./log/logger.ts";
import { captureConsole } from "./log/capture-console.ts";
import { applyLocalSettings } from "./settings/local-settings.ts";
import { type HostSettings, readHostJson } from "./settings/host-json.ts";
import { startUpText } from "./start-up-text.ts";
import { openState, type State } from "./state-folder.ts";
import { messageOf } from "./start-up-error.ts";
import { Azurite } from "./storage/azurite.ts";
import { ownAccount, settingsOfOwnStorage } from "./storage/own-account.ts";
import { TimerTriggers } from "./timer/timer-triggers.ts";
import type { Users } from "./users.ts";
import { InProcessWorker } from "./worker/in-process-worker.ts";
import { WorkerPool } from "./worker/worker-pool.ts";
import type { Worker } from "./worker/worker.ts";

/** How long running functions get when the host ends. */
const GRACE = 5_000;
/** The longest that a host takes to end: its functions, its app, its Azurite. */
const ENDING = 20_000;
/** The default of `func start`. */
const DEFAULT_PORT = 7071;

export class LocalHost {
  readonly #arguments: HostArguments;
  readonly #log: Logger;
  readonly #fatal: (error: unknown) => void;
  readonly #users: Users | undefined;
  /** What `stop` must do, last started first. */
  readonly #stops: (() => unknown)[] = [];
  #routes: HostRoutes | undefined;
  #workersStarted: Promise<unknown> = Promise.resolve();
  /** Of the host's own Azurite. */
  #storage: string | undefined;

  /** @param users the host ends with the last of these */
  constructor(args: HostArguments, log: Logger, fatal: (error: unknown) => void, users?: Users) {
    this.#arguments = args;
    this.#log = log;
    this.#fatal = fatal;
    this.#users = users;
  }

  /** Resolves with the host's address once functions can be called. Throws StartUpError. */
  async start(): Promise<string> {
    const { appFolder } = this.#arguments;
    const local = applyLocalSettings(appFolder, process.env);
    for (const warning of local.warnings) this.#log.warn(warning);
    const settings = readHostJson(appFolder, process.env);
    const log = (error: unknown) => this.#log.error(messageOf(error));
    const server = new HttpServer(async (request, response) => {
      if (this.#routes) await this.#routes.handle(request, response);
      else send(response, { status: 503, headers: { "Retry-After": "1" } });
    }, log);
    // First, so that of two hosts started together one finds out at once.
    const port = await server.listen(this.#arguments.port ?? local.port ?? DEFAULT_PORT);
    this.#stops.push(() => server.closeAll());
    const state = await this.#openState(settings.hubName);
    this.#stops.push(() => state.store.close());
    const rpc = new HttpServer(async (request, response) => this.#routes?.rpc(request, response), log);
    const rpcPort = await rpc.listen(0);
    this.#stops.push(() => rpc.closeAll());
    await this.#startStorage();
    const url = `http://localhost:${port}`;
    setEnvironment(port, state.hostId);
    await this.#startApp(settings, state, url, `http://127.0.0.1:${rpcPort}${RPC_PATH}/`, server);
    this.#announce(url);
    return url;
  }

  /** Takes no more work, gives running functions a few seconds, and ends everything. */
  async stop(): Promise<void> {
    for (const stop of this.#stops.splice(0).reverse()) {
      try {
        await stop();
      } catch (error) {
        this.#log.error(messageOf(error));
      }
    }
  }

  /** A host that ends with its last user gives up its port first, its state last. */
  async #openState(hubName: string): Promise<State> {
    const { stateFolder, whileUsed } = this.#arguments;
    for (const end = performance.now() + ENDING; ; await sleep(100)) {
      try {
        return openState(stateFolder, hubName, this.#fatal);
      } catch (error) {
        const wait = whileUsed && error instanceof StateInUseError && performance.now() < end;
        if (!wait) throw error;
      }
    }
  }

  async #startStorage(): Promise<void> {
    const { azuritePort: port, stateFolder } = this.#arguments;
    const settings = settingsOfOwnStorage(process.env);
    if (settings.length === 0) return;
    const azurite = await Azurite.start({
      stateFolder,
      port,
      account: ownAccount(stateFolder, port),
      spawned: (own) => this.#stops.push(() => own.stop()),
      lost: this.#fatal,
    });
    this.#storage = azurite.connectionString;
    for (const name of settings) process.env[name] = this.#storage;
    this.#log.info(`Azurite answers on http://127.0.0.1:${port}`);
  }

  async #startApp(
    settings: HostSettings,
    state: State,
    url: string,
    rpcBaseUrl: string,
    server: HttpServer,
  ): Promise<void> {
    const { appFolder } = this.#arguments;
    const functionLog = this.#log.write.bind(this.#log);
    captureConsole(functionLog);
    const app = await loadApp(appFolder, (level, _category, message) => functionLog(level, message));
    this.#stops.push(() => withinGrace(endApp(app)));
    const functions = servedFunctions(app, process.env, this.#log);
    const streamPort = await startStreamServer(app);
    const worker = new InProcessWorker(app, functionLog, settings.functionTimeout);
    const hub = { hubName: settings.hubName, key: state.systemKey };
    const durableClient = durableClientInput(url, hub, rpcBaseUrl);
    const { engine, activities } = this.#startEngine(settings, state, app, functions, worker);
    const routes = new FunctionRoutes(functions, settings.routePrefix);
    this.#routes = new HostRoutes({
      durable: new DurableApi(new DurableClient(engine), hub),
      functions: routes,
      worker,
      log: this.#log,
      durableClient,
      streamPort,
      users: this.#users,
    });
    const timers = new TimerTriggers({
      functions: functions.filter((metadata) => hasTrigger(metadata, "timerTrigger")),
      store: state.store,
      worker,
      log: this.#log,
      durableClient,
    });
    await this.#workersStarted;
    process.stdout.write(startUpText(url, functions, routes));
    this.#stops.push(async () => {
      server.stopAccepting();
      await withinGrace(Promise.all([activities.stop(), timers.stop()]));
      // Last, so that the outcomes of what has just finished are committed.
      await engine.stop();
    });
    await engine.resume();
    timers.start();
  }

  #startEngine(
    settings: HostSettings,
    state: State,
    app: AppRegistry,
    functions: FunctionMetadata[],
    worker: Worker,
  ) {
    const named = (type: string) =>
      new Map(functions.filter((each) => hasTrigger(each, type)).map((each) => [each.name, each]));
    const kinds = { activity: named("activityTrigger"), orchestrator: named("orchestrationTrigger") };
    const activities = new ActivityRunner({
      worker: this.#activityWorker(settings, worker),
      metadataOf: (name) => kinds.activity.get(name),
      limit: settings.maxConcurrentActivities,
      delay: this.#arguments.activityMs,
      log: this.#log,
      done: (task, event) => engine.taskDone(task, event),
    });
    const engine = new Engine(
      state.store,
      {
        invokeOrchestrator: (name, turn) => {
          const metadata = kinds.orchestrator.get(name);
          if (!metadata) throw new Error(`'${name}' is not an orchestrator function.`);
          return worker.invoke(orchestrationRequest(metadata, turn));
        },
        checkFunction: (kind, name) => {
          if (!kinds[kind].has(name))
            throw new ReplayError(unknownFunction(kind, name, [...kinds[kind].keys()]));
        },
        queueTasks: (tasks) => activities.add(tasks),
        fatal: this.#fatal,
      },
      this.#log,
      settings.maxConcurrentOrchestrators,
    );
    return { engine, activities };
  }

  #activityWorker(settings: HostSettings, inProcess: Worker): Worker {
    const count = Number(process.env["FUNCTIONS_WORKER_PROCESS_COUNT"] ?? 1);
    if (!(count > 1)) return inProcess;
    const { functionTimeout: timeout } = settings;
    const pool = new WorkerPool({ count, directory: this.#arguments.appFolder, timeout, log: this.#log });
    this.#stops.push(() => withinGrace(pool.stop()));
    // Calls that come earlier would all go to the first process that is up.
    this.#workersStarted = withinGrace(pool.started());
    return pool;
  }

  #announce(url: string): void {
    const ready = { url, pid: process.pid, storage: this.#storage };
    const { readyFile } = this.#arguments;
    if (readyFile !== undefined) {
      // A reader that waits for the file finds it complete.
      const draft = `${readyFile}.${process.pid}`;
      writeFileSync(draft, JSON.stringify(ready), { mode: 0o600 });
      renameSync(draft, readyFile);
      this.#stops.push(() => rmSync(readyFile, { force: true }));
    }
    process.send?.(ready);
  }
}

/** As func does: durable-functions takes the host's own address from it. A host id of the user's own is kept. */
function setEnvironment(port: number, hostId: string): void {
  process.env["WEBSITE_HOSTNAME"] = `localhost:${port}`;
  process.env["AzureFunctionsWebHost__hostid"] ||= hostId;
  process.env["FUNCTIONS_WORKER_RUNTIME"] ??= "node";
  process.env["AZURE_FUNCTIONS_ENVIRONMENT"] ??= "Development";
}

async function withinGrace(work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const grace = new Promise((resolve) => {
    timer = setTimeout(resolve, GRACE);
  });
  await Promise.race([work, grace]);
  clearTimeout(timer);
}
