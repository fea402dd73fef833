import type { MeshLink, MeshNode, MeshSnapshot } from "./snapshot.ts";

/** An id of 32 characters out of one letter of a to f. */
export function testId(letter: string): string {
  return letter.repeat(32);
}

/** A snapshot of a mesh without anybody; this node is `a`. */
export function meshSnapshot(more: Partial<MeshSnapshot> = {}): MeshSnapshot {
  return {
    version: 1,
    self: testId("a"),
    addresses: ["10.100.0.1"],
    meshCidr: "10.100.0.0/16",
    port: "192.0.2.1:8443",
    links: [],
    nodes: [],
    rules: [{ rules: [], otherwise: true }],
    ...more,
  };
}

/** A node with a data plane, reached directly. */
export function meshNode(letter: string, more: Partial<MeshNode> = {}): MeshNode {
  return {
    id: testId(letter),
    addresses: [`10.100.0.${letter.charCodeAt(0) - 96}`],
    fec: false,
    inbound: 0,
    outbound: 0,
    paths: [{ nodes: [testId("a"), testId(letter)], weight: 1 }],
    ...more,
  };
}

/** A QUIC link to a node. */
export function meshLink(letter: string, more: Partial<MeshLink> = {}): MeshLink {
  const number = letter.charCodeAt(0) - 96;
  return { id: testId(letter), kind: "quic", remote: `192.0.2.${number}:8443`, ...more };
}

/** A path by letters, this node first. */
export function meshPath(letters: string, weight = 1): MeshNode["paths"][number] {
  return { nodes: [...letters].map(testId), weight };
}
