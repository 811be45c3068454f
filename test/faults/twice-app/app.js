// The built app, each of whose activities is delivered twice: half of them at the same time, half one after the other,
// as when the first answer was lost.
import { readdirSync } from "node:fs";
import { app } from "@azure/functions";

const built = new URL("../../../dist/src/functions/", import.meta.url);
for (const file of readdirSync(built)) {
  if (file.endsWith(".js")) await import(new URL(file, built).href);
}

let deliveries = 0;
app.hook.preInvocation((hook) => {
  const { functionName, options } = hook.invocationContext;
  if (options.trigger.type !== "activityTrigger") return;
  const once = hook.functionHandler;
  hook.functionHandler = async (input, context) => {
    const deliver = () => once(structuredClone(input), context);
    if (deliveries++ % 2 === 0) {
      console.log(`TWICE together ${functionName}`);
      const [first, second] = await Promise.allSettled([deliver(), deliver()]);
      const result = deliveries % 4 === 1 ? first : second;
      if (result.status === "rejected") throw result.reason;
      return result.value;
    }
    console.log(`TWICE apart ${functionName}`);
    await deliver();
    return await deliver();
  };
});
