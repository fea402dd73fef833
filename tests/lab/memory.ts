import { readdirSync, readFileSync } from "node:fs";

/** Resident memory of a process in bytes. @throws {Error} there is no such process */
export function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kilobytes === undefined) throw new Error(`process ${pid} has no memory: it has ended`);
  return Number(kilobytes) * 1024;
}

/** Open file descriptors of a process. @throws {Error} there is no such process */
export function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
