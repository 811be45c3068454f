import { USUAL_PORT } from "../services/azurite.ts";
import { installed } from "../services/installed.ts";
import { discard, scratch } from "../services/scratch.ts";
import { ACCOUNT, CONTAINER, KEY } from "../services/storage.ts";
import { timeProgram } from "./program.ts";
import { Skipped, type Peer } from "./peer.ts";

// Its default is 5 connections.
const REPOSITORY = ["-r", `azure:${CONTAINER}:/`, "-o", "azure.connections=32"];

/** restic packs small files and encrypts: it does more than copy, and its repository is not a set of named blobs. */
export const restic: Peer = {
  name: "restic",
  how: "`restic backup -o azure.connections=32`",
  knowsUnchanged: true,
  unavailable: () => (installed("restic", ["version"]) ? undefined : "restic is not installed"),
  open: async ({ port }) => {
    if (port !== USUAL_PORT) {
      throw new Skipped(
        `restic finds the emulator only on port ${USUAL_PORT}, which is in use by another program`,
      );
    }
    const cache = scratch("restic");
    const environment = {
      AZURE_ACCOUNT_NAME: ACCOUNT,
      AZURE_ACCOUNT_KEY: KEY,
      RESTIC_PASSWORD: "bench",
      RESTIC_CACHE_DIR: cache,
    };
    await timeProgram("restic", [...REPOSITORY, "init"], environment);
    return {
      backUp: ({ root }) => timeProgram("restic", [...REPOSITORY, "backup", root], environment),
      restore: (_tree, to) =>
        timeProgram("restic", [...REPOSITORY, "restore", "latest", "--target", to], environment),
      close: () => Promise.resolve(discard(cache)),
    };
  },
};
