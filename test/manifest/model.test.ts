import { testManifests } from "./model.ts";

testManifests(5);
