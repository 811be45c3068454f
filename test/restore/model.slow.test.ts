import { full } from "../harness/faults.ts";
import { testHistories } from "./model.ts";

testHistories(full ? 200 : 40);
