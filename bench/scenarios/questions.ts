import { BlobServiceClient } from "@azure/storage-blob";
import { startStorageProxy } from "../../test/harness/storage-proxy.ts";
import { askAlone } from "../../test/manifest/ask-many.ts";
import { writeRunOf } from "../../test/manifest/many.ts";
import type { Question } from "../../test/manifest/read-many.ts";
import { figure } from "../measure/statistics.ts";
import type { Row } from "../results.ts";
import { Azurite } from "../services/azurite.ts";
import { ACCOUNT, connectionString, KEY } from "../services/storage.ts";
import type { Scenario } from "./scenario.ts";

const NAME = "name-0007";
const QUESTIONS: [row: string, question: Question][] = [
  ["one path", { about: "entry", path: `${NAME}/${NAME}/${NAME}` }],
  ["a path that is not there", { about: "entry", path: `${NAME}/${NAME}/none` }],
  ["one directory", { about: "directory", path: `${NAME}/${NAME}` }],
  ["one directory of directories", { about: "directory", path: NAME }],
  ["the whole tree", { about: "walk", path: "" }],
];

/** What is asked of a run's record, as the HTTP API and the command line do: each question in a process of its own. */
export const questions: Scenario = {
  name: "questions",
  title: "Questions about a run of a million files in 10,100 directories",
  run: async ({ runs, sizes, say }) => {
    const azurite = await Azurite.start();
    const proxy = await startStorageProxy({ port: azurite.port, account: { name: ACCOUNT, key: KEY } });
    try {
      const run = "0".repeat(32);
      const service = BlobServiceClient.fromConnectionString(connectionString(azurite.port));
      await service.createContainer("backup-runs");
      await writeRunOf(service, run, sizes.namesOfEach);
      const rows: Row[] = [];
      for (const [name, question] of QUESTIONS) {
        const asked = [];
        for (let round = 0; round < runs; round++) asked.push(await askAlone(proxy, run, question));
        const figures = {
          seconds: figure(asked.map(({ seconds }) => seconds)),
          lists: figure(asked.map(({ lists }) => lists)),
          reads: figure(asked.map(({ records }) => records.length)),
          peakMB: figure(asked.map(({ mebibytes }) => mebibytes)),
        };
        rows.push({ name, figures });
        const { lists, reads, peakMB } = figures;
        say(`  ${name}: ${lists.median} lists, ${reads.median} reads, ${peakMB.median.toFixed(0)} MiB more`);
      }
      return rows;
    } finally {
      await proxy.stop();
      await azurite.stop();
    }
  },
};
