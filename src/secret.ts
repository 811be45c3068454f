import { inspect } from "node:util";

/** A value that must not be printed: every way of turning it into text gives stars. `reveal()` is the one way in. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return "***";
  }

  toJSON(): string {
    return "***";
  }

  [inspect.custom](): string {
    return "***";
  }
}

const SECRETS = [
  // A shared key or SAS in a connection string.
  /\b((?:AccountKey|SharedAccessSignature|SharedAccessKey)=)[^;\s"']+/gi,
  // The signature of a SAS and a function key, as they stand in URLs.
  /([?&](?:sig|code)=)[^&\s"']+/gi,
  // An Authorization header.
  /\b((?:Bearer|SharedKey|SharedKeyLite) )\s*[\w.:+/=-]{8,}/gi,
];

/** `text` with everything that looks like a key, a SAS or a function key masked; for errors from other libraries. */
export function redact(text: string): string {
  return SECRETS.reduce((out, pattern) => out.replace(pattern, (_match, name: string) => `${name}***`), text);
}
