/** An OpenTelemetry collector in miniature: takes OTLP as JSON over HTTP, and keeps it as it came. */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

type Value = { stringValue?: string; intValue?: number | string; doubleValue?: number; boolValue?: boolean };
type Attributes = Record<string, string | number | boolean | undefined>;
interface KeyValue {
  key: string;
  value: Value;
}

export interface Span {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  status: { code?: number; message?: string };
  attributes: Attributes;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  /** Of the process that sent it. */
  instance: string;
}

export interface Point {
  name: string;
  attributes: Attributes;
  value: number;
  instance: string;
}

export interface LogLine {
  body: string;
  severity: string;
  traceId: string;
}

export interface Collector {
  url: string;
  /** Everything that was sent, as text. */
  text(): string;
  spans(): Span[];
  /** The last value of each counter of each process. */
  counters(): Point[];
  logs(): LogLine[];
  /** Waits until a span of this name has come. */
  span(name: string, withinMs?: number): Promise<Span>;
  stop(): Promise<void>;
}

export async function startCollector(): Promise<Collector> {
  const bodies: { path: string; text: string }[] = [];
  const server = createServer((request, response) => {
    void read(request).then((text) => {
      bodies.push({ path: request.url ?? "", text });
      response.writeHead(200, { "Content-Type": "application/json" }).end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const sent = <T>(path: string) =>
    bodies.filter((body) => body.path === path).map(({ text }) => JSON.parse(text) as T);

  const collector: Collector = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    text: () => bodies.map(({ text }) => text).join("\n"),
    spans: () =>
      sent<Traces>("/v1/traces").flatMap(({ resourceSpans }) =>
        resourceSpans.flatMap(({ resource, scopeSpans }) =>
          scopeSpans.flatMap(({ spans }) =>
            spans.map((span) => ({
              ...span,
              attributes: plain(span.attributes),
              instance: instanceOf(resource),
            })),
          ),
        ),
      ),
    counters: () => {
      const last = new Map<string, Point>();
      for (const { resourceMetrics } of sent<Metrics>("/v1/metrics")) {
        for (const { resource, scopeMetrics } of resourceMetrics) {
          for (const { name, sum } of scopeMetrics.flatMap(({ metrics }) => metrics)) {
            for (const { attributes, asInt, asDouble } of sum?.dataPoints ?? []) {
              const instance = instanceOf(resource);
              const point = {
                name,
                instance,
                attributes: plain(attributes),
                value: Number(asInt ?? asDouble),
              };
              last.set(JSON.stringify([name, instance, point.attributes]), point);
            }
          }
        }
      }
      return [...last.values()];
    },
    logs: () =>
      sent<Logs>("/v1/logs").flatMap(({ resourceLogs }) =>
        resourceLogs.flatMap(({ scopeLogs }) =>
          scopeLogs.flatMap(({ logRecords }) =>
            logRecords.map(({ body, severityText, traceId = "" }) => ({
              body: body.stringValue ?? "",
              severity: severityText,
              traceId,
            })),
          ),
        ),
      ),
    async span(name, withinMs = 30_000) {
      for (const end = Date.now() + withinMs; ;) {
        const found = collector.spans().find((span) => span.name === name);
        if (found) return found;
        if (Date.now() > end) throw new Error(`no span "${name}" has come`);
        await sleep(50);
      }
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return collector;
}

interface Resource {
  attributes: KeyValue[];
}
interface Traces {
  resourceSpans: {
    resource: Resource;
    scopeSpans: { spans: (Omit<Span, "attributes" | "instance"> & { attributes: KeyValue[] })[] }[];
  }[];
}
interface Metrics {
  resourceMetrics: {
    resource: Resource;
    scopeMetrics: {
      metrics: {
        name: string;
        sum?: { dataPoints: { attributes: KeyValue[]; asInt?: number | string; asDouble?: number }[] };
      }[];
    }[];
  }[];
}
interface Logs {
  resourceLogs: {
    scopeLogs: { logRecords: { body: Value; severityText: string; traceId?: string }[] }[];
  }[];
}

function plain(attributes: KeyValue[]): Attributes {
  return Object.fromEntries(
    attributes.map(({ key, value: { stringValue, intValue, doubleValue, boolValue } }) => [
      key,
      stringValue ?? (intValue === undefined ? (doubleValue ?? boolValue) : Number(intValue)),
    ]),
  );
}

function instanceOf({ attributes }: Resource): string {
  return String(plain(attributes)["service.instance.id"]);
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
