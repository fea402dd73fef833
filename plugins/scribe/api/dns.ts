import { z } from "zod";
import type { ConfigBody } from "../../../core/netconfig/types.ts";
import type { Json, PluginApiRoute } from "../../../core/plugin/types.ts";
import { addDnsRecord } from "../changes/add_dns_record.ts";
import { removeDnsRecord } from "../changes/remove_dns_record.ts";
import { parseRequest } from "../request.ts";
import type { Scribe } from "../scribe.ts";
import { versionText } from "../version_text.ts";
import { changed, conditions, named, pageOf, pageQuery } from "./answers.ts";
import { adminRoute, readRoute } from "./route.ts";

const type = z.enum(["A", "AAAA", "CNAME", "TXT", "SRV"]);
const name = z.string().min(1).max(300);

export const dnsRequest = z.strictObject({
  name,
  type,
  value: z.string().max(1_024),
  /** Seconds; 0 for the default. */
  ttl: z.int().min(0).max(604_800).default(300).transform((ttl) => ttl === 0 ? 300 : ttl),
});
const removeRequest = z.strictObject({ name, type: type.optional() });

/** DNS records below `.pulse`. */
export function dnsRoutes(scribe: Scribe): PluginApiRoute[] {
  const event = (wanted: string) => {
    const own = wanted.toLowerCase().replace(/\.$/, "").replace(/\.pulse$/, "");
    const about = ({ dns }: ConfigBody): Json =>
      dns.filter((record) => record.name === own).map((record) => ({ ...record }));
    return { type: "dns_changed", about };
  };
  return [
    readRoute("/dns", "List the DNS records", async ({ query }) => {
      const current = await scribe.mesh.current();
      const { dns } = current.body;
      const { items, next } = pageOf(dns, ({ name, type }) => `${name} ${type}`, query);
      const records = items.map((record) => ({ ...record }));
      return { status: 200, body: { records, next }, etag: versionText(current) };
    }, pageQuery),
    adminRoute("POST", "/dns", "Add a DNS record, or change it", async (request) => {
      const record = parseRequest(dnsRequest, request.body);
      return changed(
        await scribe.change(addDnsRecord, record, event(record.name), conditions(request)),
      );
    }, { body: dnsRequest }),
    adminRoute("DELETE", "/dns", "Remove the DNS records of a name", async (request) => {
      const { name, type } = parseRequest(removeRequest, named(request));
      const argument = type === undefined ? { name } : { name, type };
      return changed(
        await scribe.change(removeDnsRecord, argument, event(name), conditions(request)),
      );
    }, { query: removeRequest }),
  ];
}
