import { hash } from "node:crypto";
import {
  buildCaCertificate,
  buildCertificate,
  commonName,
  randomSerial,
} from "./certificate_builder.ts";
import {
  authorityKeyIdentifier,
  basicConstraints,
  extendedKeyUsage,
  keyUsage,
  keyUsageBit,
  subjectAltName,
} from "./certificate_extensions.ts";
import { ipToBytes } from "./ip_text.ts";
import { defaultMeshCidr, deriveMeshIpv4, meshIpv6 } from "./mesh_address.ts";
import { defaultNetworkName } from "./network_name.ts";
import { generateNodeKey } from "./node_key.ts";
import { oids } from "./oids.ts";
import { derToPem } from "./pem.ts";
import { anchorDetails, trustAnchorFromDer } from "./trust_anchor.ts";
import { networkServerName, nodeServerName } from "./types.ts";
import type { Credentials, NodeId, NodeKey, Role, TrustAnchor } from "./types.ts";

/** Support for tests only: a real CA that also writes certificates a real one never would. */

const day = 86_400_000;

/** Everything left out is as the CA would write it. */
export interface TestIssueOptions {
  readonly key?: NodeKey;
  readonly network?: string;
  readonly roles?: readonly Role[];
  /** Milliseconds since the epoch. @default one hour ago */
  readonly notBefore?: number;
  /** @default in 90 days */
  readonly notAfter?: number;
  readonly meshAddresses?: readonly string[];
  readonly serial?: Uint8Array;
  /** Id to claim instead of the key's own. */
  readonly id?: NodeId;
  readonly eku?: readonly ("client" | "server")[];
  /** Bits, see `keyUsageBit`. */
  readonly keyUsage?: number;
  readonly ca?: boolean;
  /** Replaces the names; null leaves the extension out. */
  readonly sans?: {
    readonly dns?: readonly string[];
    readonly ip?: readonly string[];
    readonly uri?: readonly string[];
  } | null;
  /** Key that signs instead of the CA's. */
  readonly signer?: NodeKey;
  /** DER Name instead of the CA's. */
  readonly issuer?: Uint8Array;
  /** DER extensions to add. */
  readonly extraExtensions?: readonly Uint8Array[];
}

export interface TestCa {
  readonly network: string;
  readonly key: NodeKey;
  readonly anchor: TrustAnchor;
  readonly anchorPem: string;
  /** Credentials as asked for, valid unless the options say otherwise. Never validated here. */
  issue(options?: TestIssueOptions): Promise<Credentials>;
  /** Credentials each of which must be refused by `validateCertificate(..., anchor)`. The node's key is genuine. */
  readonly forge: {
    /** Issued by an ordinary member, in the member's own name: CERT_ISSUER. */
    leafSignedByLeaf(): Promise<Credentials>;
    /** Issued by an ordinary member who writes the CA's name: CERT_SIGNATURE. */
    leafClaimingCa(): Promise<Credentials>;
    /** Issued by another CA that has the same name; its `anchor` is that CA: CERT_SIGNATURE. */
    foreignCa(): Promise<Credentials>;
    expired(): Promise<Credentials>;
    notYetValid(): Promise<Credentials>;
    /** Client use only. */
    clientOnly(): Promise<Credentials>;
    /** Names another node than the key's: CERT_NAME. */
    wrongId(id?: NodeId): Promise<Credentials>;
    /** Of network "other": CERT_NETWORK when a network is asked for. */
    otherNetwork(): Promise<Credentials>;
    noSan(): Promise<Credentials>;
    /** The CA's own certificate with the CA's own key: CERT_CA_FLAG. */
    caAsLeaf(): Promise<Credentials>;
    /** A node certificate with CA:TRUE: CERT_CA_FLAG. */
    leafWithCaFlag(): Promise<Credentials>;
  };
}

export function createTestCa(
  network: string = defaultNetworkName,
  options: { readonly notBefore?: number; readonly notAfter?: number } = {},
): Promise<TestCa> {
  return Promise.resolve(makeTestCa(network, options));
}

function makeTestCa(
  network: string,
  dates: { readonly notBefore?: number; readonly notAfter?: number },
): TestCa {
  const key = generateNodeKey();
  const now = Date.now();
  const anchor = trustAnchorFromDer(buildCaCertificate({
    name: "pulse-ca",
    serial: randomSerial(),
    publicKey: key.publicKey,
    notBefore: dates.notBefore ?? now - 365 * day,
    notAfter: dates.notAfter ?? now + 3650 * day,
  }, (message) => key.sign(message)));
  const issue = (issueOptions: TestIssueOptions = {}) =>
    Promise.resolve(issueCredentials(key, anchor, network, issueOptions));
  return {
    network,
    key,
    anchor,
    anchorPem: anchor.pem,
    issue,
    forge: {
      async leafSignedByLeaf() {
        const member = await issue();
        return await issue({ signer: member.key, issuer: commonName(member.key.id) });
      },
      async leafClaimingCa() {
        return await issue({ signer: (await issue()).key });
      },
      async foreignCa() {
        return await makeTestCa(network, dates).issue();
      },
      expired: () => issue({ notBefore: Date.now() - 90 * day, notAfter: Date.now() - day }),
      notYetValid: () => issue({ notBefore: Date.now() + day }),
      clientOnly: () => issue({ eku: ["client"] }),
      wrongId: (id = generateNodeKey().id) => issue({ id }),
      otherNetwork: () => issue({ network: "other" }),
      noSan: () => issue({ sans: null }),
      caAsLeaf: async () => {
        const { certificate } = await issue({ key, ca: true });
        return {
          key,
          anchor,
          certificate: { ...certificate, der: anchor.der, pem: anchor.pem },
        };
      },
      leafWithCaFlag: () => issue({ ca: true }),
    },
  };
}

function issueCredentials(
  caKey: NodeKey,
  anchor: TrustAnchor,
  caNetwork: string,
  options: TestIssueOptions,
): Credentials {
  const key = options.key ?? generateNodeKey();
  const id = options.id ?? key.id;
  const network = options.network ?? caNetwork;
  const roles = options.roles ?? [];
  const notBefore = options.notBefore ?? Date.now() - 3_600_000;
  const notAfter = options.notAfter ?? Date.now() + 90 * day;
  const serial = options.serial ?? randomSerial();
  const meshAddresses = options.meshAddresses ??
    [deriveMeshIpv4(id, defaultMeshCidr), meshIpv6(network, id)];
  const signer = options.signer ?? caKey;
  const names = options.sans === null ? [] : [subjectAltName({
    dns: options.sans?.dns ?? [nodeServerName(id, network), networkServerName(network)],
    ip: (options.sans?.ip ?? meshAddresses).map(ipToBytes),
    uri: options.sans?.uri ?? roles.map((role) => `pulse:role:${role}`),
  })];
  const usages = options.eku ?? ["client", "server"];
  const der = buildCertificate({
    serial,
    issuer: options.issuer ?? anchorDetails(anchor).subject,
    subject: commonName(id),
    notBefore,
    notAfter,
    publicKey: key.publicKey,
    extensions: [
      basicConstraints(options.ca ?? false),
      keyUsage(options.keyUsage ?? keyUsageBit.digitalSignature),
      extendedKeyUsage(
        usages.map((usage) => usage === "client" ? oids.clientAuth : oids.serverAuth),
      ),
      ...names,
      authorityKeyIdentifier(anchor.publicKey),
      ...options.extraExtensions ?? [],
    ],
  }, (message) => signer.sign(message));
  return {
    key,
    anchor,
    certificate: {
      der,
      pem: derToPem(der),
      id,
      network,
      publicKey: key.publicKey,
      serial: serial.toHex(),
      fingerprint: hash("sha256", der, "hex"),
      // As X.509 holds them: whole seconds.
      notBefore: Math.floor(notBefore / 1000) * 1000,
      notAfter: Math.floor(notAfter / 1000) * 1000,
      meshAddresses,
      roles,
      issuer: anchor.fingerprint,
    },
  };
}
