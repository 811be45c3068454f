import { newRun } from "../harness/domain.ts";
/** Copies of a run's record under other ids, so that each can be damaged in its own way, and none is in any cache. */
import { createHash, randomUUID } from "node:crypto";
import type { BlobServiceClient, ContainerClient } from "@azure/storage-blob";

interface Blob {
  name: string;
  content: Buffer;
  metadata: Record<string, string>;
}

export class ForgedRuns {
  readonly #ledger: ContainerClient;
  readonly #run: string;
  readonly #blobs: Blob[];

  private constructor(ledger: ContainerClient, run: string, blobs: Blob[]) {
    this.#ledger = ledger;
    this.#run = run;
    this.#blobs = blobs;
  }

  static async of(service: BlobServiceClient, run: string): Promise<ForgedRuns> {
    const ledger = service.getContainerClient("backup-runs");
    const blobs: Blob[] = [];
    for await (const { name, metadata = {} } of ledger.listBlobsFlat({ includeMetadata: true })) {
      if (!name.includes(run)) continue;
      const { contentLength = 0 } = await ledger.getBlobClient(name).getProperties();
      const content =
        contentLength === 0 ? Buffer.alloc(0) : await ledger.getBlobClient(name).downloadToBuffer();
      blobs.push({ name, content, metadata });
    }
    return new ForgedRuns(ledger, run, blobs);
  }

  /** What can be damaged: the blobs of the run, and its summary in the index. */
  get records(): number {
    return this.#blobs.length;
  }

  /** Writes a copy, one record of which is damaged. @returns the copy's id, and the record's name */
  async write(record: number, damage: (content: Buffer) => Buffer): Promise<{ id: string; damaged: string }> {
    const id = newRun();
    const renamed = (text: string) => text.replaceAll(this.#run, id);
    let name = "";
    await Promise.all(
      this.#blobs.map(async (blob, index) => {
        const metadata = { ...blob.metadata };
        let content = Buffer.from(renamed(blob.content.toString()));
        const { summary } = metadata;
        if (index === record) name = renamed(blob.name);
        if (summary !== undefined) {
          const own = Buffer.from(renamed(Buffer.from(summary, "base64").toString()));
          metadata["summary"] = (index === record ? damage(own) : own).toString("base64").slice(0, 8000);
        } else if (index === record) content = Buffer.from(damage(content));
        await this.#put(renamed(blob.name), content, metadata);
      }),
    );
    return { id, damaged: name };
  }

  /** A destination's claim and its lock for prunes, one of them damaged. @returns the container's name */
  async writeShared(which: "claim" | "lock", damage: (content: Buffer) => Buffer): Promise<string> {
    const container = `forged-${randomUUID()}`;
    const key = createHash("sha256").update(`${container}\n`).digest("hex").slice(0, 32);
    const records = {
      claim: {
        name: `destinations/${key}.json`,
        value: { container, prefix: "", root: "/x", run: this.#run, since: new Date().toISOString() },
      },
      lock: { name: `prunes/${container}.json`, value: { run: this.#run, prefix: "" } },
    };
    for (const [kind, { name, value }] of Object.entries(records)) {
      const content = Buffer.from(JSON.stringify(value));
      await this.#put(name, kind === which ? damage(content) : content, {});
    }
    return container;
  }

  async remove(id: string): Promise<void> {
    for await (const { name } of this.#ledger.listBlobsFlat()) {
      if (name.includes(id)) await this.#ledger.deleteBlob(name);
    }
  }

  async #put(name: string, content: Buffer, metadata: Record<string, string>): Promise<void> {
    await this.#ledger.getBlockBlobClient(name).upload(content, content.length, { metadata });
  }
}
