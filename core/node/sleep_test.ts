import { sleep } from "./sleep.ts";

Deno.test("a sleep ends with its signal, at once when it had fired, and by itself", async () => {
  const controller = new AbortController();
  const long = sleep(1_000_000, controller.signal);
  controller.abort();
  await long;
  await sleep(1_000_000, controller.signal);
  await sleep(1, new AbortController().signal);
});
