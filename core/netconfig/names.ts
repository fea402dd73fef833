const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** What `findNode` reads as an id or the beginning of one. */
const idForm = /^[0-9a-f]{4,32}$/;
const tag = /^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/;
/** Underscores are for services (RFC 2782). */
const dnsLabel = /^(?:\*|_?[a-z0-9](?:[a-z0-9-]{0,60}[a-z0-9])?)$/;

/** Longest name relative to `.pulse`: 253 characters less those of the zone. */
const maxDnsName = 247;

/** A node's name: one DNS label that nobody can take for a node id. */
export function isNodeName(text: string): boolean {
  return label.test(text) && !idForm.test(text);
}

/** Whether it can stand behind `tag:` in a rule. */
export function isTag(text: string): boolean {
  return tag.test(text);
}

/** A name relative to `.pulse`, lower case, without the final dot. */
export function isRecordName(text: string): boolean {
  return text.length <= maxDnsName && text.split(".").every((part) => dnsLabel.test(part));
}

/** A host name as the target of CNAME and SRV: absolute or relative, lower case. */
export function isHostName(text: string): boolean {
  return text.length <= 253 &&
    text.replace(/\.$/, "").split(".").every((part) => dnsLabel.test(part) && part !== "*");
}
