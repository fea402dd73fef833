import assert from "node:assert/strict";
import type { AuditFields } from "../history/types.ts";
import { auditMutations } from "./audit_mutations.ts";

async function audited(
  request: Request,
  answer: (request: Request) => Response | Promise<Response>,
  by = "key:ab12@192.0.2.7",
): Promise<{ response: Response; entries: AuditFields[] }> {
  const entries: AuditFields[] = [];
  const recordAudit = (_type: string, fields: AuditFields) => {
    entries.push(fields);
    return Promise.resolve();
  };
  return { response: await auditMutations(request, by, { recordAudit }, answer), entries };
}

const post = (body: BodyInit) => new Request("http://x/api/y", { method: "POST", body });

Deno.test("who and from where are told apart", async () => {
  const { entries } = await audited(post("{}"), async (request) => {
    await request.text();
    return new Response();
  });
  assert.deepEqual([entries[0]?.by, entries[0]?.from], ["key:ab12", "192.0.2.7"]);
});

Deno.test("the handler gets the whole body; the log looks at a bounded part of it", async () => {
  const large = JSON.stringify({ text: "x".repeat(300_000) });
  const { response, entries } = await audited(
    post(large),
    async (request) => new Response(`${(await request.text()).length}`),
  );
  assert.equal(await response.text(), `${large.length}`);
  assert.equal(entries[0]?.body, "[too large]");
});

Deno.test("a body that never ends and nobody reads does not hold the answer back", async () => {
  let cancelled = false;
  const endless = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode("{")),
    cancel: () => void (cancelled = true),
  });
  const { response, entries } = await audited(post(endless), async (request) => {
    await request.body?.cancel();
    return new Response(null, { status: 413 });
  });
  assert.equal(response.status, 413);
  assert.equal(entries[0]?.body, "[not read]");
  assert.equal(cancelled, true);
});

Deno.test("a request that can change nothing leaves no entry", async () => {
  const { entries } = await audited(new Request("http://x/api/status"), () => new Response());
  assert.deepEqual(entries, []);
});
