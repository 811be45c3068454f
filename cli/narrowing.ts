import { Option } from "commander";
import type { Query } from "./api.ts";
import { pathForApp } from "./local-path.ts";
import type { CommonOptions } from "./session.ts";

/** Options that narrow which backups are meant: by directory, and by destination. */
export interface Narrowing extends CommonOptions {
  root?: string;
  container?: string;
  prefix?: string;
}

/** @param only what they limit: "only runs" */
export function narrowingOptions(only: string): Option[] {
  return [
    new Option("--root <dir>", `${only} of this directory`),
    new Option("--container <name>", `${only} to this container`),
    new Option("--prefix <folder>", `${only} to this folder of a container; / for no folder`),
  ];
}

/** The same as a query of the app's list of runs. */
export function narrowed({ root, container, prefix, url }: Narrowing): Query {
  return {
    root: root === undefined ? undefined : pathForApp(root, url),
    container,
    prefix: prefix?.replace(/^\/+|\/+$/g, ""),
  };
}
