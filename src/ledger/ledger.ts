import { createHash } from "node:crypto";
import type { BlobServiceClient, ContainerClient } from "@azure/storage-blob";
import { z } from "zod";
import { md5 } from "../model/content.ts";
import { inTurns } from "../model/in-turns.ts";
import { LEDGER_CONTAINER, LEDGER_ID } from "../model/names.ts";
import { inContainer } from "../storage/connect.ts";
import { classify } from "../storage/errors.ts";
import { LONGEST_HASHED_RANGE, readChecked } from "../storage/read-checked.ts";
import { withRetries } from "../storage/retries.ts";
import { ChangedRecord, DamagedRecord, readRecord } from "./damaged.ts";
import { LONGEST_LINE, MOST_OF_MANY, MOST_OF_ONE, readBlob } from "./read-blob.ts";

/** A range of a blob in the ledger: lists are passed by reference, and stay out of the history. */
export interface ListRange {
  /** The blob's name, relative to the run's folder. */
  list: string;
  offset: number;
  length: number;
  /** The hash of those bytes, in base64url. Absent in records of older versions. */
  sha256?: string;
}

/**
 * Some lines of a list, as an activity gets them. The hash comes through the history, so an activity reads exactly what was
 * listed, or fails, even if others can write to the container.
 */
export type Lines = Required<ListRange>;

/** The range of some lines in a list. */
export function linesAt(list: string, offset: number, text: string): Lines {
  const bytes = Buffer.from(text);
  return { list, offset, length: bytes.length, sha256: recordHash(bytes) };
}

/** The hash by which a record is recognized. */
export function recordHash(record: Buffer | string): string {
  return createHash("sha256").update(record).digest("base64url");
}

/** The result of a write. */
export interface Written {
  /** Whether this call wrote the blob; false if there was one already, which stays as it is. */
  won: boolean;
  /** Whether the account keeps versions of overwritten blobs. */
  versioned: boolean;
}

/**
 * The record of one run, in the container `backup-runs` under the run's id: `run.json` (the summary), `lists/` (what to copy)
 * and `outcomes/` (what became of it). What an activity decides is written once, by the first of its deliveries; the
 * others adopt it.
 */
export class Ledger {
  readonly runId: string;
  /** The account that the ledger is in. */
  readonly service: BlobServiceClient;
  readonly #container: ContainerClient;

  constructor(service: BlobServiceClient, runId: string) {
    if (!LEDGER_ID.test(runId)) throw new Error(`"${runId.slice(0, 64)}" is not a run's id.`);
    this.runId = runId;
    this.service = service;
    this.#container = service.getContainerClient(LEDGER_CONTAINER);
  }

  /** Writes a blob unless there is one. Creates the container if it is missing. */
  async writeOnce(
    name: string,
    body: string | Buffer,
    metadata: Record<string, string> = {},
  ): Promise<Written> {
    return await this.#put(name, body, metadata, { ifNoneMatch: "*" });
  }

  /** Writes a blob, overwriting any that is there. */
  async write(name: string, body: string | Buffer, metadata: Record<string, string> = {}): Promise<Written> {
    return await this.#put(name, body, metadata, {});
  }

  /** The blob's content, or undefined if there is none. */
  async read(name: string): Promise<string | undefined> {
    return (await this.readBlob(name))?.text;
  }

  /**
   * Changes a blob under its ETag, so that no concurrent change is lost. `change` may be called again with what somebody else
   * wrote meanwhile; if it returns undefined, the blob stays as it is.
   * @returns the content afterwards; undefined if there is no such blob
   */
  async update(name: string, change: (text: string) => string | undefined): Promise<string | undefined> {
    for (;;) {
      const current = await this.readBlob(name);
      if (current === undefined) return undefined;
      const changed = change(current.text);
      if (changed === undefined) return current.text;
      const { won } = await this.#put(name, changed, {}, { ifMatch: current.etag });
      if (won) return changed;
    }
  }

  /** All lines of a blob, and its metadata; undefined if there is none. @throws DamagedRecord */
  async readAllLines<T>(
    name: string,
    schema: z.ZodType = z.unknown(),
  ): Promise<{ lines: T[]; metadata: Record<string, string> } | undefined> {
    const read = await this.readBlob(name);
    if (!read) return undefined;
    const lines = await parseLines<T>(read.text, schema, `${this.runId}/${name}`);
    return { lines, metadata: read.metadata };
  }

  /**
   * The lines of a range of a blob.
   * @throws ChangedRecord if their hash is not the range's, DamagedRecord, or the storage error if the blob is missing
   */
  async readLines<T>(
    { list, offset, length, sha256 }: ListRange,
    schema: z.ZodType = z.unknown(),
  ): Promise<T[]> {
    if (length === 0) return [];
    const pieces: Buffer[] = [];
    for await (const piece of this.readInPieces(list, length, offset)) pieces.push(piece);
    const bytes = Buffer.concat(pieces);
    if (bytes.length < length) throw new DamagedRecord(`${this.runId}/${list}`, "it is cut short");
    if (sha256 !== undefined && recordHash(bytes) !== sha256)
      throw new ChangedRecord(`${this.runId}/${list}`);
    const lines = linesOf(bytes.toString("utf8"));
    if (lines.some((line) => line.length > LONGEST_LINE))
      throw new DamagedRecord(`${this.runId}/${list}`, `a line is longer than ${LONGEST_LINE} characters`);
    return await inTurns(lines, (line) => readRecord<T>(line, schema, `${this.runId}/${list}`));
  }

  /** A range of a blob, one request per 4 MiB. @throws the storage error if the blob is missing */
  async *readInPieces(name: string, length: number, offset = 0): AsyncGenerator<Buffer> {
    for (let at = offset; at < offset + length; at += LONGEST_HASHED_RANGE) {
      const piece = { offset: at, length: Math.min(LONGEST_HASHED_RANGE, offset + length - at) };
      yield (await readChecked(this.#blob(name), piece)).content;
    }
  }

  /** The blob's content and properties, or undefined if there is none. */
  async readBlob(name: string): ReturnType<typeof readBlob> {
    const isOne = /^(run|lists\/[\d.]+)\.json$/.test(name);
    return await readBlob(this.#blob(name), isOne ? MOST_OF_ONE : MOST_OF_MANY);
  }

  async #put(
    name: string,
    content: string | Buffer,
    metadata: Record<string, string>,
    conditions: { ifNoneMatch?: string; ifMatch?: string },
  ): Promise<Written> {
    const body = typeof content === "string" ? Buffer.from(content) : content;
    const hash = md5(body);
    const blobContentType = name.endsWith(".json") ? "application/json" : "application/x-ndjson";
    const put = () =>
      withRetries(
        (abortSignal) =>
          this.#blob(name).upload(body, body.length, {
            abortSignal,
            conditions,
            metadata,
            transactionalContentMD5: hash,
            blobHTTPHeaders: { blobContentMD5: hash, blobContentType },
          }),
        body.length,
      );
    try {
      const { versionId } = await inContainer(this.#container, put);
      return { won: true, versioned: versionId !== undefined };
    } catch (error) {
      if (classify(error) === "conflict") return { won: false, versioned: false };
      throw error;
    }
  }

  /** A name may come from a caller or a stranger's record: dot segments in a URL would reach other blobs. */
  #blob(name: string) {
    if (name.split(/[\\/]/).some((segment) => /^\.*$/.test(segment)))
      throw new Error(`"${name.slice(0, 64)}" is not a record's name.`);
    return this.#container.getBlockBlobClient(`${this.runId}/${name}`);
  }
}

/** One JSON value a line. */
export function toLines(values: readonly unknown[]): string {
  return values.map(toLine).join("");
}

export function toLine(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

/**
 * The values of a JSONL text.
 * @param name the blob's name in the container of the ledgers
 * @throws DamagedRecord
 */
async function parseLines<T>(text: string, schema: z.ZodType, name: string): Promise<T[]> {
  return await inTurns(linesOf(text), (line) => readRecord<T>(line, schema, name));
}

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}
