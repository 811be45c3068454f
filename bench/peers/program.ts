import { MemoryWatch } from "../measure/memory.ts";
import { Child } from "../services/child.ts";
import type { Run } from "./peer.ts";

/**
 * Runs a program to its end and measures the time, including its start. @throws Error with its last output if it
 * fails
 */
export async function timeProgram(
  name: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<Run> {
  const begin = performance.now();
  const child = new Child(name, name, args, { env: { ...process.env, ...environment } });
  const memory = new MemoryWatch(child.pid);
  try {
    await child.success();
    return { seconds: (performance.now() - begin) / 1000, peakMB: memory.stop() };
  } finally {
    memory.stop();
  }
}
