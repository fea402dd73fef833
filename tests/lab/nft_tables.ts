/** The name of the table that drops what comes from a node. */
export function lossTable(node: string): string {
  return `lab_from_${node.replaceAll("-", "_")}`;
}

/** A table that drops UDP from the given addresses on arrival: dropped when leaving, the sender would be told. */
export function dropUdpFrom(
  node: string,
  addresses: readonly { readonly ipv4: string; readonly ipv6: string }[],
): string {
  return dropInput(
    lossTable(node),
    addresses.flatMap(({ ipv4, ipv6 }) => [
      `ip saddr ${ipv4} meta l4proto udp drop`,
      `ip6 saddr ${ipv6} meta l4proto udp drop`,
    ]),
  );
}

/** A table that drops everything that arrives on an interface. */
export function dropDevice(table: string, device: string): string {
  return dropInput(table, [`iifname "${device}" drop`]);
}

/** A table that drops so many of a thousand UDP datagrams that arrive on an interface, at random. */
export function loseUdp(table: string, device: string, perThousand: number): string {
  const some = `numgen random mod 1000 < ${perThousand}`;
  return dropInput(table, [`iifname "${device}" meta l4proto udp ${some} drop`]);
}

/** Loading it twice is the same as once: a table of that name is replaced. */
function dropInput(table: string, rules: readonly string[]): string {
  return [
    `table inet ${table} {}`,
    `delete table inet ${table}`,
    `table inet ${table} {`,
    // Before connection tracking (-200) and NAT, for this node and for what it forwards.
    "  chain arriving {",
    "    type filter hook prerouting priority -400; policy accept;",
    ...rules.map((rule) => `    ${rule}`),
    "  }",
    "}",
    "",
  ].join("\n");
}
