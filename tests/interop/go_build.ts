import { join } from "node:path";

/** Where Debian's golang-*-dev packages put their sources. */
export const goPath = "/usr/share/gocode";

/** Compiles a file of this folder into `directory` and returns the program; nothing outside `directory` is written. */
export async function goBuild(directory: string, file: string): Promise<string> {
  const program = join(directory, file.replace(/\.go$/, ""));
  const { success, stderr } = await new Deno.Command("go", {
    args: ["build", "-o", program, join(import.meta.dirname ?? ".", file)],
    env: {
      GOPATH: goPath,
      GO111MODULE: "off",
      GOCACHE: join(directory, "cache"),
      GOTMPDIR: directory,
      GOFLAGS: "",
    },
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`go build ${file}: ${new TextDecoder().decode(stderr)}`);
  return program;
}
