import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { type Fetched, type FetchProgress, socksFetch } from "./socks_fetch.ts";

/** A client that fetches a URL through a SOCKS5 proxy on 127.0.0.1. */
export interface SocksClient {
  /** As shown to the user. */
  readonly name: string;
  fetch(
    proxyPort: number,
    url: URL,
    onProgress: FetchProgress,
    signal: AbortSignal,
  ): Promise<Fetched>;
}

const progressEveryMs = 200;

/** The demo's own client, where curl is not installed. */
export const ownClient: SocksClient = { name: "the demo's own SOCKS client", fetch: socksFetch };

/** curl; what it fetches lies in `directory` for a moment. */
export function curlClient(directory: string): SocksClient {
  return {
    name: "curl",
    async fetch(proxyPort, url, onProgress, signal) {
      const file = `${directory}/fetched`;
      const start = performance.now();
      const child = new Deno.Command("curl", {
        args: [
          ...["--socks5-hostname", `127.0.0.1:${proxyPort}`, "--silent", "--show-error", "--fail"],
          ...["--output", file, url.href],
        ],
        // A proxy named in the environment must not come in between.
        env: { no_proxy: "", NO_PROXY: "" },
        stdout: "null",
        stderr: "piped",
        signal,
      }).spawn();
      const ticker = setInterval(() => {
        stat(file).then((info) => onProgress(info.size), () => onProgress(0));
      }, progressEveryMs);
      const { code, stderr } = await child.output().finally(() => clearInterval(ticker));
      const seconds = (performance.now() - start) / 1000;
      if (code !== 0) {
        throw new Error(new TextDecoder().decode(stderr).trim() || `curl ended with ${code}`);
      }
      const content = await Deno.readFile(file);
      await Deno.remove(file);
      return {
        bytes: content.length,
        sha256: createHash("sha256").update(content).digest("hex"),
        seconds,
      };
    },
  };
}

/** curl when it is installed, else the demo's own client. */
export async function findClient(directory: string): Promise<SocksClient> {
  try {
    const { success } = await new Deno.Command("curl", { args: ["--version"], stdout: "null" })
      .output();
    if (success) return curlClient(directory);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return ownClient;
}
