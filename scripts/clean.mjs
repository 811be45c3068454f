// Removes what the local host and the build leave behind: .local/ (durable state, Azurite's data) and dist/.
import { rmSync } from "node:fs";

for (const folder of [".local", "dist"])
  rmSync(new URL(`../${folder}`, import.meta.url), { recursive: true, force: true });
