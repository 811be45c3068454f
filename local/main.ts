/** The local host's entry: see --help, or arguments.ts. */
import { HELP, readArguments } from "./arguments.ts";
import { LocalHost } from "./local-host.ts";
import { outliveReaders } from "./log/closed-output.ts";
import { Logger } from "./log/logger.ts";
import { StartUpError, messageOf } from "./start-up-error.ts";
import { Users } from "./users.ts";

async function main(): Promise<void> {
  outliveReaders();
  const args = readArguments(process.argv.slice(2), process.env);
  if (!args) {
    process.stdout.write(HELP);
    return;
  }
  const log = new Logger({ verbose: args.verbose });
  const users = args.whileUsed ? new Users(() => stop(0)) : undefined;
  const host = new LocalHost(args, log, die, users);
  let stopping = false;
  const stop = (code: number) => {
    if (stopping) return;
    stopping = true;
    void host.stop().then(() => process.exit(code));
  };
  const interrupt = () => {
    if (stopping) process.exit(130);
    log.info("Stopping: running functions get a few seconds …");
    stop(0);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, interrupt);
  // The app's fault: on the real host it ends the worker process. What was running is delivered again.
  process.on("uncaughtException", (error) => {
    log.error(
      `The app threw outside of a function, or did not wait for a promise that failed: ${error.stack}`,
    );
    stop(1);
  });
  // A harness that started the host over IPC and died must not leave it behind.
  if (!users) process.on("disconnect", interrupt);
  try {
    await host.start();
  } catch (error) {
    // A start that was interrupted could only fail.
    if (stopping) return;
    await host.stop();
    throw error;
  }
}

/** The state could not be written or read, or storage is gone. Uncommitted work is absent, never half there. */
function die(error: unknown): void {
  const full = /disk is full|SQLITE_FULL|ENOSPC/i.test(messageOf(error));
  const why = full
    ? "The disk is full: the durable state cannot be written. What was committed is safe; make room and start again."
    : error instanceof StartUpError
      ? error.message
      : `The durable engine cannot continue: ${error instanceof Error ? error.stack : String(error)}`;
  process.stderr.write(`${why}\n`);
  process.exit(1);
}

main().catch((error: unknown) => {
  process.stderr.write(
    `${error instanceof StartUpError ? error.message : error instanceof Error ? error.stack : String(error)}\n`,
  );
  process.exit(1);
});
