import { CommanderError, type Command } from "commander";
import { ExitCode, Failure, Interrupted } from "./failure.ts";
import { err, outJson } from "./print.ts";

/** Does what the arguments ask for, says what went wrong, and sets the exit code of the process. */
export async function runProgram(program: Command, args: readonly string[]): Promise<void> {
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode;
    else if (error instanceof Interrupted) process.exitCode = ExitCode.interrupted;
    else if (error instanceof Failure) {
      if (args.includes("--json")) outJson({ type: "error", message: error.message });
      err(error.message);
      process.exitCode = ExitCode.failed;
    } else throw error;
  }
}
