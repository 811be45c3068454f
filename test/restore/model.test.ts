import { testHistories } from "./model.ts";

testHistories(10);
