import { code } from "./markdown.ts";

/** As much of JSON Schema as the app's document uses. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  default?: unknown;
  description?: string;
  minimum?: number;
  maximum?: number;
  maxItems?: number;
  format?: string;
  pattern?: string;
}

/** What a value has to be, in few words. */
export function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split("/").at(-1) ?? "";
    return `[${name}](#${name.toLowerCase()})`;
  }
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  if (schema.enum) return schema.enum.map((value) => code(JSON.stringify(value))).join(", ");
  if (schema.anyOf) return [...new Set(schema.anyOf.map(typeOf))].join(" or ");
  if (schema.type === "array") return `array of ${schema.items ? plural(typeOf(schema.items)) : "anything"}`;
  if (schema.format === "date-time") return "time";
  if (schema.format === "uri") return "URI";
  if (schema.type === "integer" || schema.type === "number")
    return `${numberWord(schema)}${boundsOf(schema)}`;
  if (schema.type === undefined) return "anything";
  return [schema.type].flat().join(" or ");
}

function plural(type: string): string {
  return /^[a-z]+$/.test(type) ? `${type}s` : type;
}

function numberWord({ type }: Schema): string {
  return type === "integer" ? "whole number" : "number";
}

/** Bounds that a person may have chosen: not those of all safe integers. */
function boundsOf({ minimum, maximum }: Schema): string {
  const most = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? maximum : undefined;
  return minimum !== undefined && most !== undefined ? `, ${minimum} to ${most}` : "";
}

/** The fields of an object, those of objects in it as `outer.inner`: name, type, default, meaning. */
export function fieldRows(schema: Schema, prefix = ""): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const row = [
      code(`${prefix}${name}`),
      typeOf(field),
      presence(field, schema, name),
      field.description ?? "",
    ];
    const inner = field.properties ?? field.items?.properties;
    const within = `${prefix}${name}${field.items ? "[]" : ""}.`;
    return [row, ...(inner ? fieldRows(field.properties ? field : (field.items ?? {}), within) : [])];
  });
}

function presence(field: Schema, { required = [] }: Schema, name: string): string {
  if (field.default !== undefined) return code(JSON.stringify(field.default));
  return required.includes(name) ? "required" : "optional";
}
