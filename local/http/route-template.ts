/**
 * Route templates like ASP.NET Core's, as far as functions use them: literals, `{name}`, `{name?}`, `{name=default}`,
 * `{name:int}` and other constraints, `{*rest}`.
 */

interface Segment {
  literal?: string;
  name?: string;
  optional?: boolean;
  catchAll?: boolean;
  fallback?: string;
  constraints?: string[];
}

const CONSTRAINTS: Record<string, RegExp> = {
  int: /^-?\d{1,10}$/,
  long: /^-?\d{1,19}$/,
  bool: /^(true|false)$/i,
  guid: /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i,
  alpha: /^[a-z]*$/i,
  decimal: /^-?\d+(\.\d+)?$/,
  double: /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i,
  float: /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i,
  datetime: /^\d{1,4}[-/]\d{1,2}[-/]\d{1,4}/,
};

export class RouteTemplate {
  readonly text: string;
  readonly #segments: Segment[];

  constructor(text: string) {
    this.text = text.replace(/^\/+|\/+$/g, "");
    this.#segments = this.text === "" ? [] : this.text.split("/").map(parseSegment);
  }

  /** The parameters if the path matches, else undefined. `segments` are decoded. */
  match(segments: string[]): Record<string, string> | undefined {
    const params: Record<string, string> = {};
    for (const [index, segment] of this.#segments.entries()) {
      const value = segments[index];
      if (segment.catchAll && segment.name) {
        params[segment.name] = segments.slice(index).join("/");
        return params;
      }
      if (segment.literal !== undefined) {
        if (value?.toLowerCase() !== segment.literal.toLowerCase()) return undefined;
      } else if (segment.name) {
        if (value === undefined || value === "") {
          if (segment.fallback !== undefined) params[segment.name] = segment.fallback;
          else if (!segment.optional) return undefined;
        } else if (!fits(value, segment.constraints ?? [])) return undefined;
        else params[segment.name] = value;
      }
    }
    return segments.length > this.#segments.length ? undefined : params;
  }

  /** Orders templates: a literal before a constrained parameter, that before a plain one, a catch-all last. */
  get precedence(): string {
    return this.#segments.map((segment) => rank(segment)).join("");
  }
}

function rank(segment: Segment): string {
  if (segment.literal !== undefined) return "1";
  const base = segment.constraints?.length ? 2 : 3;
  return String(segment.catchAll ? base + 2 : base);
}

function parseSegment(text: string): Segment {
  const match = /^\{(\*{0,2})([A-Za-z_]\w*)((?::[^=?}]+(?:\([^)]*\))?)*)(?:=([^}]*))?(\?)?\}$/.exec(text);
  if (!match) return { literal: text };
  const [, stars, name, constraints, fallback, optional] = match;
  return {
    name: name ?? "",
    catchAll: stars !== "",
    optional: optional === "?",
    constraints: constraints ? constraints.split(":").filter(Boolean) : [],
    ...(fallback === undefined ? {} : { fallback }),
  };
}

function fits(value: string, constraints: string[]): boolean {
  return constraints.every((constraint) => {
    const [name = "", argument = ""] = constraint.split(/[()]/);
    const pattern = CONSTRAINTS[name];
    if (pattern) return pattern.test(value);
    const [low = 0, high = low] = argument.split(",").map(Number);
    if (name === "length") return value.length >= low && value.length <= high;
    if (name === "minlength") return value.length >= low;
    if (name === "maxlength") return value.length <= low;
    if (name === "min") return Number(value) >= low;
    if (name === "max") return Number(value) <= low;
    if (name === "range") return Number(value) >= low && Number(value) <= high;
    if (name === "regex") return new RegExp(constraint.slice(6, -1)).test(value);
    return true;
  });
}
