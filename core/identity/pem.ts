import { CertificateError } from "./errors.ts";

const maxPemLength = 32 * 1024;

/** PEM with 64 characters a line, as OpenSSL writes it. */
export function derToPem(der: Uint8Array, label = "CERTIFICATE"): string {
  const lines = der.toBase64().match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/**
 * Every block with this label, in order. At most 32 KiB of text and 8 blocks.
 * @throws {CertificateError} CERT_MALFORMED not PEM, wrong label, broken base64
 */
export function pemBlocks(pem: string, label = "CERTIFICATE"): Uint8Array<ArrayBuffer>[] {
  if (pem.length > maxPemLength) {
    throw malformed(`PEM text of ${pem.length} characters is over the limit of ${maxPemLength}`);
  }
  const blocks: Uint8Array<ArrayBuffer>[] = [];
  const begin = `-----BEGIN ${label}-----`;
  const end = `-----END ${label}-----`;
  let position = 0;
  while (true) {
    const start = pem.indexOf(begin, position);
    if (start < 0) break;
    const stop = pem.indexOf(end, start);
    if (stop < 0) throw malformed(`PEM block "${label}" has no end line: the text is truncated`);
    if (blocks.length === 8) throw malformed(`more than 8 PEM blocks "${label}"`);
    blocks.push(decode(pem.slice(start + begin.length, stop), label));
    position = stop + end.length;
  }
  return blocks;
}

/**
 * The one block with this label.
 * @throws {CertificateError} CERT_MALFORMED none, several, or broken
 */
export function pemToDer(pem: string, label = "CERTIFICATE"): Uint8Array<ArrayBuffer> {
  const [der, ...more] = pemBlocks(pem, label);
  if (der === undefined) throw malformed(`no PEM block "${label}" found`);
  if (more.length > 0) {
    throw malformed(`${more.length + 1} PEM blocks "${label}" where one is expected`);
  }
  return der;
}

function decode(body: string, label: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.fromBase64(body.replace(/[\r\n\t ]/g, ""));
  } catch (error) {
    throw new CertificateError(
      "CERT_MALFORMED",
      `PEM block "${label}" is not valid base64`,
      {},
      error,
    );
  }
}

function malformed(message: string): CertificateError {
  return new CertificateError("CERT_MALFORMED", message);
}
