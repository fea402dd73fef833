import { join } from "node:path";
import { z } from "zod";
import { dataFiles } from "../control/types.ts";
import { errorText } from "../errors/mod.ts";
import { writeFileAtomic } from "../identity/mod.ts";
import {
  type ConfigPosition,
  maxSignedConfigBytes,
  maxSignedGrantBytes,
} from "../netconfig/mod.ts";

/** What a node keeps of the network config: signed bytes, so nobody has to trust the disk. */
export interface StoredNetworkConfig {
  readonly grant?: Uint8Array | undefined;
  readonly config?: Uint8Array | undefined;
  /** The highest position this node has had. */
  readonly floor?: ConfigPosition | undefined;
}

/** `magic 4 | u32 length of the grant | grant | config` */
const magic = new TextEncoder().encode("PNC1");
const headBytes = 8;

const floorSchema = z.object({ epoch: z.int().min(0), version: z.int().min(0) });

/** Never fails because of what the files say: `problems` tells what could not be used. */
export async function loadNetworkConfig(
  dataDir: string,
): Promise<StoredNetworkConfig & { readonly problems: readonly string[] }> {
  const problems: string[] = [];
  const read = async <T>(name: string, parse: (bytes: Uint8Array) => T): Promise<T | undefined> => {
    const path = join(dataDir, name);
    try {
      return parse(await Deno.readFile(path));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) {
        problems.push(`${path} cannot be used: ${errorText(error)}`);
      }
      return undefined;
    }
  };
  const parts = await read(dataFiles.networkConfig, parseFile);
  const floor = await read(dataFiles.networkMark, parseFloor);
  return { ...parts, floor, problems };
}

/** The mark goes last: after a crash in between it names less than there is, which is no harm. */
export async function saveNetworkConfig(
  dataDir: string,
  state: StoredNetworkConfig,
): Promise<void> {
  const { grant = new Uint8Array(0), config = new Uint8Array(0), floor } = state;
  const bytes = new Uint8Array(headBytes + grant.length + config.length);
  bytes.set(magic);
  new DataView(bytes.buffer).setUint32(4, grant.length);
  bytes.set(grant, headBytes);
  bytes.set(config, headBytes + grant.length);
  await writeFileAtomic(join(dataDir, dataFiles.networkConfig), bytes, { mode: 0o600 });
  if (floor === undefined) return;
  const mark = `${JSON.stringify({ epoch: floor.epoch, version: floor.version })}\n`;
  await writeFileAtomic(join(dataDir, dataFiles.networkMark), mark, { mode: 0o600 });
}

function parseFile(bytes: Uint8Array): Pick<StoredNetworkConfig, "grant" | "config"> {
  const head = bytes.length >= headBytes && magic.every((byte, i) => bytes[i] === byte);
  const length = head ? new DataView(bytes.buffer, bytes.byteOffset).getUint32(4) : Infinity;
  const end = headBytes + length;
  if (length > maxSignedGrantBytes || end > bytes.length) throw new Error("it is damaged");
  if (bytes.length - end > maxSignedConfigBytes) throw new Error("it is too long");
  return {
    grant: length === 0 ? undefined : bytes.subarray(headBytes, end),
    config: end === bytes.length ? undefined : bytes.subarray(end),
  };
}

function parseFloor(bytes: Uint8Array): ConfigPosition {
  return floorSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
}
