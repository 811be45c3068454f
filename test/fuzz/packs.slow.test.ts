import { testDamagedPacks } from "./packs.ts";

testDamagedPacks(12);
