import { testManifests } from "./model.ts";

testManifests(3);
