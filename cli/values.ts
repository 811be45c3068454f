import { Failure } from "./failure.ts";

/** A number of things, from 1 on. @throws Failure */
export function wholeNumber(option: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Failure(`${option} takes a number from 1 on, not "${text}".`);
  return Number(text);
}

/** A time as the API takes it, from any that a person may write: 2026-11-23, "2026-11-23 18:00". @throws Failure */
export function time(option: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const value = new Date(text);
  if (Number.isNaN(value.getTime()))
    throw new Failure(`${option} takes a time such as 2026-11-23T18:00, not "${text}".`);
  return value.toISOString();
}
