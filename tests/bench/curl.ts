import { gigabitsPerSecond } from "./statistics.ts";

/** Fetches a URL with curl, throws the content away, gives Gbit/s. `socksPort`: through that SOCKS5 proxy on 127.0.0.1. */
export async function curlThroughput(
  url: string,
  bytes: number,
  socksPort?: number,
): Promise<number> {
  const proxy = socksPort === undefined ? [] : ["--socks5-hostname", `127.0.0.1:${socksPort}`];
  const { code, stdout, stderr } = await new Deno.Command("curl", {
    args: [
      ...proxy,
      ...["--silent", "--show-error", "--fail", "--max-time", "60", "--output", "/dev/null"],
      ...["--write-out", "%{size_download} %{time_total}", url],
    ],
    env: { no_proxy: "", NO_PROXY: "" },
  }).output();
  if (code !== 0) throw new Error(`curl: ${new TextDecoder().decode(stderr).trim()}`);
  const [size = NaN, seconds = NaN] = new TextDecoder().decode(stdout).split(" ").map(Number);
  if (size !== bytes) throw new Error(`curl got ${size} bytes, ${bytes} were served`);
  return gigabitsPerSecond(bytes, seconds);
}
