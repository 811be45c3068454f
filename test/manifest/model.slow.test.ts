import { full } from "../harness/faults.ts";
import { testManifests } from "./model.ts";

testManifests(full ? 100 : 16);
