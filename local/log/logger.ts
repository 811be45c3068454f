/** The host's log: one readable line an event, to standard output; warnings and errors to standard error. */
import { redact } from "./redact.ts";
import type { InvocationName } from "../worker/current-invocation.ts";

const LEVELS = ["trace", "debug", "information", "warning", "error", "critical", "none"];
const SHORT: Record<string, string> = {
  trace: "trace",
  debug: "debug",
  information: "info",
  warning: "warn",
  error: "error",
  critical: "crit",
};

type LogSink = (line: string, isProblem: boolean) => void;

export class Logger {
  readonly #least: number;
  readonly #sink: LogSink;

  constructor(options: { verbose: boolean; sink?: LogSink }) {
    this.#least = LEVELS.indexOf(options.verbose ? "trace" : "information");
    this.#sink =
      options.sink ?? ((line, isProblem) => (isProblem ? process.stderr : process.stdout).write(`${line}\n`));
  }

  write(level: string, message: string, where?: InvocationName): void {
    const rank = LEVELS.indexOf(level.toLowerCase());
    if (rank < this.#least || level === "none") return;
    const time = new Date().toISOString().slice(11, 23);
    const name = where ? `${where.functionName} ${where.invocationId.slice(0, 8)}  ` : "";
    this.#sink(
      redact(`${time} ${(SHORT[level.toLowerCase()] ?? level).padEnd(5)} ${name}${message}`),
      rank >= 3,
    );
  }

  /** Turn by turn and activity by activity; only with --verbose. */
  debug(message: string, where?: InvocationName): void {
    this.write("debug", message, where);
  }

  info(message: string, where?: InvocationName): void {
    this.write("information", message, where);
  }

  warn(message: string, where?: InvocationName): void {
    this.write("warning", message, where);
  }

  error(message: string, where?: InvocationName): void {
    this.write("error", message, where);
  }
}
