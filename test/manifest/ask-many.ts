import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { StorageProxy } from "../harness/storage-proxy.ts";
import type { Answer, Question } from "./read-many.ts";

/**
 * Asks in a process of its own, with little room: with more, V8 collects later, and what is needed would not show.
 * @returns also how many lists were fetched, and the records that were read, once for each read
 */
export async function askAlone(proxy: StorageProxy, run: string, question: Question) {
  const asked = fork(
    fileURLToPath(new URL("./read-many.ts", import.meta.url)),
    [proxy.connectionString, run],
    {
      execArgv: ["--max-old-space-size=48", "--max-semi-space-size=2"],
    },
  );
  try {
    const before = proxy.requests.length;
    asked.send(question);
    const answer = await Promise.race([
      once(asked, "message").then(([said]) => said as Answer),
      once(asked, "exit").then(([code, signal]) => {
        throw new Error(`It ended: ${code ?? signal}.`);
      }),
    ]);
    const requests = proxy.requests.slice(before);
    const lists = requests.filter(({ comp }) => comp === "list").length;
    const records = requests.map(({ blob }) => blob).filter((blob) => blob.includes("/outcomes/"));
    return { ...answer, lists, records };
  } finally {
    asked.kill();
  }
}
