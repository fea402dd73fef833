import { quantile } from "../statistics.ts";
import type { BenchLink, BenchStream } from "./carrier.ts";

/** The first byte of a stream says what the acceptor does with the rest. */
const mode = { sink: 1, echo: 2 } as const;

/** The acceptor's half of both measurements. */
export async function answer(stream: BenchStream): Promise<void> {
  let what = 0;
  for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read()) {
    if (what === 0) {
      what = chunk[0] ?? 0;
      chunk = chunk.subarray(1);
    }
    if (what === mode.echo && chunk.length > 0) await stream.write(chunk);
  }
  // Whoever sends waits for this, so that the time taken is that of the last byte's arrival.
  if (what === mode.sink) await stream.write(Uint8Array.of(mode.sink));
  await stream.closeWrite();
}

/** Seconds from opening a stream until the other end has read `bytes` of them. */
export async function timeSending(
  link: BenchLink,
  bytes: number,
  chunkSize: number,
): Promise<number> {
  const chunk = new Uint8Array(chunkSize);
  const start = performance.now();
  const stream = await link.openStream();
  await stream.write(Uint8Array.of(mode.sink));
  for (let sent = 0; sent < bytes; sent += chunkSize) await stream.write(chunk);
  await stream.closeWrite();
  if (await stream.read() === null) throw new Error("the stream ended without an answer");
  const seconds = (performance.now() - start) / 1000;
  while (await stream.read() !== null);
  return seconds;
}

/** Milliseconds (p50) for a message of `size` bytes to come back over an open stream, `count` times in a row. */
export async function timeEchoes(link: BenchLink, size: number, count: number): Promise<number> {
  const message = new Uint8Array(size);
  const stream = await link.openStream();
  await stream.write(Uint8Array.of(mode.echo));
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    await stream.write(message);
    for (let got = 0; got < size;) {
      const chunk = await stream.read();
      if (chunk === null) throw new Error("the echo ended early");
      got += chunk.length;
    }
    times.push(performance.now() - start);
  }
  await stream.closeWrite();
  while (await stream.read() !== null);
  return quantile(times, 0.5);
}

/** Milliseconds (p50) for a new stream to carry one byte there and one back, `count` times in a row. */
export async function timeOpening(link: BenchLink, count: number): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    const stream = await link.openStream();
    await stream.write(Uint8Array.of(mode.sink));
    await stream.closeWrite();
    if (await stream.read() === null) throw new Error("the stream ended without an answer");
    times.push(performance.now() - start);
    while (await stream.read() !== null);
  }
  return quantile(times, 0.5);
}

/** Milliseconds (p50) from nothing to a link on which both ends have proven who they are, `count` times in a row. */
export async function timeHandshakes(
  dial: () => Promise<BenchLink>,
  count: number,
): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    await using _link = await dial();
    times.push(performance.now() - start);
  }
  return quantile(times, 0.5);
}
