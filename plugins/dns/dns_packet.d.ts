/** What is used of npm:dns-packet, which comes without types. */

interface RecordData {
  A: string;
  AAAA: string;
  CNAME: string;
  HINFO: { readonly cpu: string; readonly os: string };
  NS: string;
  PTR: string;
  SOA: {
    readonly mname: string;
    readonly rname: string;
    readonly serial: number;
    readonly refresh: number;
    readonly retry: number;
    readonly expire: number;
    readonly minimum: number;
  };
  SRV: {
    readonly priority: number;
    readonly weight: number;
    readonly port: number;
    readonly target: string;
  };
  TXT: readonly string[];
}

export type RecordType = keyof RecordData;

export type PacketRecord = {
  readonly [Type in RecordType]: {
    readonly name: string;
    readonly type: Type;
    readonly ttl: number;
    readonly data: RecordData[Type];
  };
}[RecordType];

declare const packet: {
  /** Takes a Buffer. For tests: what strangers send is read by our own parser. */
  decode(message: Uint8Array): {
    readonly questions?: readonly { readonly name: string; readonly type: string }[];
    readonly answers?: readonly {
      readonly name: string;
      readonly type: string;
      readonly ttl: number;
      readonly data: unknown;
    }[];
    readonly additionals?: readonly { readonly name: string; readonly type: string }[];
  };
  readonly answer: { encode(record: PacketRecord): Uint8Array };
};
export default packet;
