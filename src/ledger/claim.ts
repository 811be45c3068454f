import { createHash } from "node:crypto";
import type { BlobServiceClient } from "@azure/storage-blob";
import pMap from "p-map";
import { z } from "zod";
import { layoutIn, LAYOUTS, LEDGER_CONTAINER, LEDGER_ID, type Layout } from "../model/names.ts";
import { blobPages } from "../storage/blob-pages.ts";
import { ConditionalBlob } from "./conditional-blob.ts";
import { damagedAsMissing } from "./damaged.ts";
import { overlap } from "./prune-lock.ts";

/** A container and a prefix in it. */
export interface Destination {
  container: string;
  prefix: string;
}

/** Which root's backups a destination holds, and which run writes there now. */
export interface Claim extends Destination {
  root: string;
  /** The run that writes there, or null. */
  run: string | null;
  /** The app of that run; absent in claims of older versions. */
  app?: string;
  /** Absent for `files`, also in claims of older versions. */
  layout?: Layout;
  /** The destination is empty, and its layout may turn out to be unusable: another destination may be in the way. */
  unsettled?: true;
  /** ISO 8601. */
  since: string;
}

const schema = z.looseObject({
  container: z.string(),
  prefix: z.string(),
  root: z.string(),
  run: z.string().regex(LEDGER_ID).nullable(),
  app: z.string().optional(),
  layout: z.enum(LAYOUTS).optional(),
  unsettled: z.literal(true).optional(),
  since: z.iso.datetime(),
});

const FOLDER = "destinations/";
const NAME = /^destinations\/[0-9a-f]{32}\.json$/;
/** Concurrent reads of claims. */
const READS = 16;

function claimBlob(service: BlobServiceClient, place: Destination): ConditionalBlob<Claim> {
  return new ConditionalBlob<Claim>(service, `${FOLDER}${keyOfDestination(place)}.json`, schema);
}

/** The name under which the ledgers' container keeps what is known of a destination. */
export function keyOfDestination({ container, prefix }: Destination): string {
  return createHash("sha256").update(`${container}\n${prefix}`).digest("hex").slice(0, 32);
}

/** Undefined if nobody has claimed the destination yet. @throws DamagedRecord */
export async function readClaim(
  service: BlobServiceClient,
  place: Destination,
): Promise<{ content: Claim; etag: string } | undefined> {
  return await claimBlob(service, place).read();
}

/** @param over what was read @returns false if somebody else has written it since */
export async function writeClaim(
  service: BlobServiceClient,
  claim: Claim,
  over: { etag: string } | undefined,
): Promise<boolean> {
  return await claimBlob(service, claim).write(claim, over, { place: placeText(claim) });
}

/** As metadata, which are HTTP headers. */
function placeText({ container, prefix }: Destination): string {
  return Buffer.from(JSON.stringify({ container, prefix })).toString("base64");
}

/** Undefined in claims of older versions, which have no metadata. */
function placeIn({ place: text = "" }: Record<string, string> = {}): Destination | undefined {
  try {
    return schema
      .pick({ container: true, prefix: true })
      .parse(JSON.parse(Buffer.from(text, "base64").toString()));
  } catch {
    return undefined;
  }
}

/** The claims of destinations within one and around it. One list call, and a request for each that may be such. */
export async function overlappingClaims(
  service: BlobServiceClient,
  place: Destination,
): Promise<{ content: Claim; etag: string }[]> {
  const isOverlapping = ({ container, prefix }: Destination): boolean =>
    container === place.container && prefix !== place.prefix && overlap(prefix, place.prefix);
  const names: string[] = [];
  const container = service.getContainerClient(LEDGER_CONTAINER);
  for await (const { blobs } of blobPages(container, { prefix: FOLDER, includeMetadata: true }))
    for (const { name, metadata } of blobs) {
      const known = placeIn(metadata);
      if (NAME.test(name) && (!known || isOverlapping(known))) names.push(name);
    }
  const read = async (name: string) =>
    (await new ConditionalBlob<Claim>(service, name, schema).read().catch(damagedAsMissing)) ?? [];
  const claims = (await pMap(names, read, { concurrency: READS })).flat();
  return claims.filter(({ content }) => isOverlapping(content));
}

/** How a destination keeps contents; undefined if nobody has claimed it yet. */
export async function layoutOf(service: BlobServiceClient, place: Destination): Promise<Layout | undefined> {
  const claim = (await readClaim(service, place))?.content;
  return claim && !claim.unsettled ? layoutIn(claim) : undefined;
}
