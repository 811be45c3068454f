import { z } from "zod";
import { environment } from "../../src/settings.ts";
import { code, generated, table } from "./markdown.ts";

interface Property {
  description?: string;
  type?: string;
  enum?: string[];
  default?: unknown;
  minimum?: number;
  maximum?: number;
}

/** docs/reference/settings.md: every environment variable that the app reads. */
export function settingsPage(): string {
  const { properties = {} } = z.toJSONSchema(environment, { io: "input" }) as {
    properties?: Record<string, Property>;
  };
  const settings = Object.entries(properties).filter(([, { description }]) => description !== undefined);
  const others = Object.entries(properties).filter(([, { description }]) => description === undefined);
  return `${generated("src/settings.ts")}

# Settings

Environment variables of the app: application settings in Azure, \`Values\` in local.settings.json, or the environment
of the host. They are read once, when the app starts; an invalid one is reported then, with what was expected. All are optional,
except that the app needs storage.

${table(["Setting", "Default", "Value", "Meaning"], settings.map(row))}

The app also reads ${others.map(([name]) => code(name)).join(", ")}, which nobody sets by hand. They tell it whether it
runs in Azure, and on which plan.

The local host has settings of its own: \`npm start -- --help\`. Those of the command line are in
[cli.md](cli.md#environment).
`;
}

function row([name, property]: [string, Property]): string[] {
  const { description = "", type, enum: words, default: fallback, minimum, maximum } = property;
  const isNumber = minimum !== undefined && maximum !== undefined;
  return [
    code(name),
    fallback === undefined ? "" : code(JSON.stringify(fallback)),
    isNumber
      ? `${number(minimum)} to ${number(maximum)}`
      : (words?.map(code).join(" or ") ?? (type ?? "text").replace("string", "text")),
    description,
  ];
}

function number(value: number): string {
  return value.toLocaleString("en-US");
}
