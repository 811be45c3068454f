import { randomUUID } from "node:crypto";
import { open, unlink, type FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

/**
 * Opens a new file in the system's temporary directory, for this process alone. It is already unlinked, so it disappears when
 * it is closed or the process ends.
 * @throws Error when the temporary directory cannot be written
 */
export async function openScratchFile(): Promise<FileHandle> {
  const name = path.join(tmpdir(), `scratch-${randomUUID()}`);
  const handle = await open(name, "wx+", 0o600);
  try {
    await unlink(name);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}
