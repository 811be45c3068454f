/** Makes a run's record one of an older release: no order, no fences, and directories in lists of each part. */
import type { BlobServiceClient } from "@azure/storage-blob";

/** @param how "some" leaves every second record as it is, as where the release changed while the run was in progress */
export async function makeOld(service: BlobServiceClient, run: string, how: "all" | "some"): Promise<void> {
  const container = service.getContainerClient("backup-runs");
  const write = async (name: string, text: string, metadata: Record<string, string> = {}): Promise<void> => {
    await container.getBlockBlobClient(name).upload(text, Buffer.byteLength(text), { metadata });
  };
  let count = 0;
  for await (const { name, metadata = {} } of container.listBlobsFlat({
    prefix: `${run}/`,
    includeMetadata: true,
  })) {
    if (how === "some" && count++ % 2 > 0) continue;
    const text = async () => (await container.getBlobClient(name).downloadToBuffer()).toString();
    if (name.endsWith("-directories.jsonl")) {
      // Where the first part is of the newer release all are.
      if (how === "all" || name.endsWith("/0-directories.jsonl")) await container.deleteBlob(name);
    } else if (name.includes("/outcomes/")) {
      const { first: _first, last: _last, ...counts } = metadata;
      const lines = (await text()).split("\n").slice(0, -1);
      await write(
        name,
        lines
          .toReversed()
          .map((line) => `${line}\n`)
          .join(""),
        counts,
      );
    } else if (how === "all" && /\/lists\/[\d.]+\.json$/.test(name)) {
      const listing = JSON.parse(await text()) as { directories?: { list: string; length: number } };
      if (!listing.directories) continue;
      const list = `${run}/${listing.directories.list}`;
      const old = (await container.getBlobClient(list).downloadToBuffer())
        .toString()
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as { left?: boolean; own?: boolean })
        .filter(({ left }) => !left)
        .map(({ own: _own, ...line }) => `${JSON.stringify(line)}\n`)
        .join("");
      listing.directories.length = Buffer.byteLength(old);
      await write(list, old);
      await write(name, JSON.stringify(listing), metadata);
    }
  }
}
