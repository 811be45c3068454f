import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { StorageProxy } from "../harness/storage-proxy.ts";
import type { Answer, Question } from "./read-many.ts";

const READER = fileURLToPath(new URL("./read-many.ts", import.meta.url));

/** A process that answers of a run. With more room V8 collects later, and what is needed would not show. */
export function startReader(proxy: StorageProxy, run: string): ChildProcess {
  return fork(READER, [proxy.connectionString, run], {
    execArgv: ["--max-old-space-size=48", "--max-semi-space-size=2"],
  });
}

/** @returns also how many lists were fetched, and the records that were read, once for each read */
export async function answerOf(reader: ChildProcess, proxy: StorageProxy, question: Question) {
  const before = proxy.requests.length;
  reader.send(question);
  const answer = await Promise.race([
    once(reader, "message").then(([said]) => said as Answer),
    once(reader, "exit").then(([code, signal]) => {
      throw new Error(`It ended: ${code ?? signal}.`);
    }),
  ]);
  const requests = proxy.requests.slice(before);
  const lists = requests.filter(({ comp }) => comp === "list").length;
  const records = requests.map(({ blob }) => blob).filter((blob) => blob.includes("/outcomes/"));
  return { ...answer, lists, records };
}

/** Asks in a process of its own. */
export async function askAlone(proxy: StorageProxy, run: string, question: Question) {
  const reader = startReader(proxy, run);
  try {
    return await answerOf(reader, proxy, question);
  } finally {
    reader.kill();
  }
}
