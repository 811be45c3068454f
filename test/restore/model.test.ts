import { testHistories } from "./model.ts";

testHistories(6);
