/** Query parameters of the Durable HTTP API. Like the extension, it ignores what it cannot parse. */
import type { InstanceQuery } from "../durable/client.ts";
import { type Status, statusOfName } from "../durable/status.ts";
import type { StatusOptions } from "./status-payload.ts";

/** The default and the maximum number of instances a page. */
const PAGE_SIZE = 100;
const LARGEST_PAGE = 1000;
/** The longest time a client may ask to wait for, in seconds: a day. */
const LONGEST_WAIT = 86_400;

export function flag(query: URLSearchParams, name: string): boolean | undefined {
  const value = query.get(name)?.trim().toLowerCase();
  return value === "true" ? true : value === "false" ? false : undefined;
}

/** Epoch milliseconds. */
export function time(query: URLSearchParams, name: string): number | undefined {
  const value = Date.parse(query.get(name) ?? "");
  return Number.isNaN(value) ? undefined : value;
}

/** A number of seconds, in milliseconds; undefined if nobody can wait that long. */
export function seconds(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  const value = Number(text);
  return text === null || text === "" || !(value >= 0 && value <= LONGEST_WAIT) ? undefined : value * 1000;
}

export function statuses(query: URLSearchParams): Status[] {
  return query
    .getAll("runtimeStatus")
    .flatMap((value) => value.split(","))
    .map((name) => statusOfName(name.trim()))
    .filter((status) => status !== undefined);
}

export function statusOptions(query: URLSearchParams): StatusOptions {
  return {
    showInput: flag(query, "showInput") ?? true,
    showHistory: flag(query, "showHistory") ?? false,
    showHistoryOutput: flag(query, "showHistoryOutput") ?? false,
  };
}

export function listQuery(query: URLSearchParams, continuationToken: string | undefined): InstanceQuery {
  const top = Number(query.get("top"));
  return {
    instanceIdPrefix: query.get("instanceIdPrefix") ?? "",
    createdFrom: time(query, "createdTimeFrom") ?? 0,
    createdTo: time(query, "createdTimeTo") ?? Number.MAX_SAFE_INTEGER,
    statuses: statuses(query),
    top: Number.isInteger(top) && top > 0 ? Math.min(top, LARGEST_PAGE) : PAGE_SIZE,
    from: Buffer.from(continuationToken ?? "", "base64").toString(),
  };
}
