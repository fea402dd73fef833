/**
 * What a relay does, by hand, for a test that starts it with a relay's flags: listens on QUIC, TLS and a unix socket, dials its
 * peers on QUIC and TLS, and tries to go beyond. Writes one line of JSON per finding; ends when stdin does.
 * @module
 */
import { createServer } from "node:https";
import { connect } from "node:tls";

export interface RelayChildOrders {
  readonly host: string;
  readonly port: number;
  readonly socket: string;
  readonly certificate: string;
  readonly key: string;
  readonly anchor: string;
  /** Of every peer. */
  readonly serverName: string;
  readonly peers: readonly { readonly host: string; readonly quic: number; readonly tls: number }[];
  /** Listens on QUIC and TLS, and is no peer. */
  readonly stranger: { readonly host: string; readonly quic: number; readonly tls: number };
}

if (import.meta.main) await main(JSON.parse(Deno.args[0] ?? "") as RelayChildOrders);

async function main(orders: RelayChildOrders): Promise<void> {
  const { certificate: cert, key, host, port } = orders;
  const endpoint = new Deno.QuicEndpoint({ hostname: host, port });
  const incoming = endpoint.listen({ cert, key, alpnProtocols: ["test"] });
  void (async () => {
    for await (const one of incoming) await one.accept();
  })();
  const https = createServer({ cert, key }, (_request, response) => response.end("hello"));
  await new Promise<void>((resolve) => https.listen(port, host, resolve));
  const unix = Deno.listen({ transport: "unix", path: orders.socket });
  void (async () => {
    for await (const conn of unix) {
      await conn.write(new TextEncoder().encode("hello"));
      conn.close();
    }
  })();
  say("listening", "ok");

  for (const peer of orders.peers) {
    say(`quic ${peer.host}`, await quic(endpoint, orders, peer.host, peer.quic));
    say(`tls ${peer.host}`, await tls(orders, peer.host, peer.tls));
  }
  const { stranger } = orders;
  say("quic to a stranger", await quic(endpoint, orders, stranger.host, stranger.quic));
  say("tls to a stranger", await tls(orders, stranger.host, stranger.tls));
  say(
    "fetch from a stranger",
    await outcome(() => fetch(`http://${stranger.host}:${stranger.tls}/`)),
  );
  say("name of a stranger", await outcome(() => Deno.resolveDns("example.com", "A")));
  say(
    "another TCP port",
    await outcome(() => Deno.listen({ hostname: host, port: port + 1 }).close()),
  );
  say(
    "another UDP port",
    await outcome(() => new Deno.QuicEndpoint({ hostname: host, port: port + 1 })),
  );
  const elsewhere = `${orders.socket}2`;
  say(
    "another unix socket",
    await outcome(() => Deno.listen({ transport: "unix", path: elsewhere })),
  );
  say(
    "a worker with more",
    await outcome(() => {
      new Worker("data:text/javascript,", { type: "module", deno: { permissions: { ffi: true } } });
    }),
  );
  say("all", "done");
  for await (const _ of Deno.stdin.readable);
  Deno.exit(0);
}

function say(what: string, result: string): void {
  console.log(JSON.stringify([what, result]));
}

async function quic(
  endpoint: Deno.QuicEndpoint,
  { anchor, serverName }: RelayChildOrders,
  hostname: string,
  port: number,
): Promise<string> {
  return await outcome(async () => {
    const connection = await Deno.connectQuic({
      endpoint,
      hostname,
      port,
      serverName,
      caCerts: [anchor],
      alpnProtocols: ["test"],
    });
    connection.close({ closeCode: 0, reason: "" });
  });
}

async function tls(
  { anchor, serverName }: RelayChildOrders,
  host: string,
  port: number,
): Promise<string> {
  return await outcome(async () => {
    await new Promise<void>((resolve, reject) => {
      const socket = connect({ host, port, servername: serverName, ca: [anchor] }, () => {
        socket.destroy();
        resolve();
      });
      socket.once("error", reject);
    });
  });
}

async function outcome(act: () => unknown): Promise<string> {
  try {
    await act();
    return "ok";
  } catch (error) {
    const { name, message } = error as Error;
    return `${name}: ${message}`;
  }
}
