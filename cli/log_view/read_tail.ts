/** The end of a file, and where to go on reading. */
export interface Tail {
  /** At most as many as asked for, oldest first. */
  readonly lines: string[];
  /** Bytes of the file up to the end of the last whole line. */
  readonly offset: number;
  /** Tells this file from one that took its name later; null when there is no file. */
  readonly inode: number | null;
}

const blockBytes = 64 * 1024;

/** The last lines of a file, read from its end; none when it does not exist. A line that is still being written is left out. */
export async function readTail(path: string, count: number): Promise<Tail> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path, { read: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { lines: [], offset: 0, inode: null };
    throw error;
  }
  using _ = file;
  const { size, ino } = await file.stat();
  const blocks: Uint8Array<ArrayBuffer>[] = [];
  let start = size;
  let newlines = 0;
  // One newline more than lines: what stands before the first of them is cut off, or is the file's beginning.
  while (start > 0 && newlines <= count) {
    const length = Math.min(blockBytes, start);
    start -= length;
    const block = await readAt(file, start, length);
    for (const byte of block) if (byte === 10) newlines++;
    blocks.unshift(block);
  }
  const bytes = new Uint8Array(await new Blob(blocks).arrayBuffer());
  const end = bytes.lastIndexOf(10) + 1;
  const lines = end === 0 ? [] : new TextDecoder().decode(bytes.subarray(0, end - 1)).split("\n");
  return { lines: lines.slice(-count), offset: start + end, inode: ino };
}

async function readAt(
  file: Deno.FsFile,
  offset: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  await file.seek(offset, Deno.SeekMode.Start);
  const buffer = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const read = await file.read(buffer.subarray(filled));
    if (read === null) break;
    filled += read;
  }
  return buffer.subarray(0, filled);
}
