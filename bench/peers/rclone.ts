import { installed } from "../services/installed.ts";
import { CONTAINER, createContainer, signedUrl } from "../services/storage.ts";
import { timeProgram } from "./program.ts";
import type { Peer } from "./peer.ts";

// Its defaults (4 transfers) are slower on every tree; more than 32 is no faster.
const FLAGS = ["--transfers", "32", "--checkers", "32"];

/** rclone with a signed address, because Debian's version cannot take the emulator's key. */
export const rclone: Peer = {
  name: "rclone",
  how: `\`rclone copy ${FLAGS.join(" ")}\``,
  knowsUnchanged: true,
  unavailable: () => (installed("rclone", ["version"]) ? undefined : "rclone is not installed"),
  open: async ({ port }) => {
    await createContainer(port);
    const environment = { RCLONE_CONFIG: "/dev/null", RCLONE_AZUREBLOB_SAS_URL: signedUrl(port) };
    return {
      backUp: ({ root }) =>
        timeProgram("rclone", ["copy", root, `:azureblob:${CONTAINER}`, ...FLAGS], environment),
      restore: (_tree, to) =>
        timeProgram("rclone", ["copy", `:azureblob:${CONTAINER}`, to, ...FLAGS], environment),
      close: () => Promise.resolve(),
    };
  },
};
