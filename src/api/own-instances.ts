import type { InvocationContext } from "@azure/functions";
import * as df from "durable-functions";
import type { Instances } from "./instances.ts";
import { services } from "../services.ts";
import { instancesOf } from "./engine.ts";

/** The instances of this app's durable engine, for a function that has the client among its inputs. */
export function ownInstances(context: InvocationContext): Instances {
  return instancesOf(df.getClient(context), services.settings.app);
}
