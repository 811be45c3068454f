import { testDamagedPacks } from "./packs.ts";

testDamagedPacks(30);
