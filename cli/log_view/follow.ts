import { readTail } from "./read_tail.ts";

const pollMs = 150;
const blockBytes = 64 * 1024;

export interface FollowOptions {
  readonly path: string;
  /** Where `readTail` left off. */
  readonly offset: number;
  readonly inode: number | null;
  readonly signal: AbortSignal;
  line(text: string): void;
}

/** Gives every line that is written from now on, across rotations, until the signal ends it. */
export async function follow(options: FollowOptions): Promise<void> {
  const { path, signal } = options;
  let { offset, inode } = options;
  while (!signal.aborted) {
    const next = await readFrom(path, offset, inode, options.line);
    offset = next.offset;
    inode = next.inode;
    if (next.more) continue;
    await pause(signal);
  }
}

interface Position {
  readonly offset: number;
  readonly inode: number | null;
  readonly more: boolean;
}

async function readFrom(
  path: string,
  offset: number,
  inode: number | null,
  line: (text: string) => void,
): Promise<Position> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path, { read: true });
  } catch (error) {
    // Between the rotation's rename and the new file there is none.
    if (error instanceof Deno.errors.NotFound) return { offset, inode, more: false };
    throw error;
  }
  using _ = file;
  const info = await file.stat();
  if (info.ino !== inode || info.size < offset) {
    if (inode !== null && info.ino !== inode) await restOf(`${path}.1`, offset, inode, line);
    return { offset: 0, inode: info.ino, more: info.size > 0 };
  }
  const taken = await readLines(file, offset, line);
  return { offset: offset + taken, inode, more: taken > 0 };
}

/** What was written to the old file after our last look and before its rotation. */
async function restOf(
  path: string,
  offset: number,
  inode: number,
  line: (text: string) => void,
): Promise<void> {
  if ((await readTail(path, 1)).inode !== inode) return;
  using file = await Deno.open(path, { read: true });
  let at = offset;
  for (let taken; (taken = await readLines(file, at, line)) > 0;) at += taken;
}

/** Whole lines from one block; returns their length in bytes. */
async function readLines(
  file: Deno.FsFile,
  offset: number,
  line: (text: string) => void,
): Promise<number> {
  await file.seek(offset, Deno.SeekMode.Start);
  const buffer = new Uint8Array(blockBytes);
  const length = await file.read(buffer) ?? 0;
  const end = buffer.subarray(0, length).lastIndexOf(10) + 1;
  if (end === 0) {
    if (length < blockBytes) return 0;
    // A line longer than a block has no end in sight: it is given in pieces rather than never.
    line(new TextDecoder().decode(buffer));
    return length;
  }
  for (const text of new TextDecoder().decode(buffer.subarray(0, end)).split("\n").slice(0, -1)) {
    line(text);
  }
  return end;
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, pollMs);
    signal.addEventListener("abort", done);
    if (signal.aborted) done();
  });
}
