import { FfiError } from "./errors.ts";

/** CPUs that `ffi/` was written for: 64 bits, little-endian, variadic arguments in registers. */
export type Architecture = "x86_64" | "aarch64";

/** A library by its file names: `libc.so.6`, and what musl calls it. */
export interface LibraryNames {
  /** The best first. */
  readonly glibc: readonly string[];
  readonly musl: readonly string[];
}

/**
 * The absolute paths at which a library may lie, the likeliest first. Absolute, because Deno resolves a bare name against the
 * working directory, for the permission and for the file.
 */
export function libraryPaths({ glibc, musl }: LibraryNames, arch: Architecture): string[] {
  // Debian's multiarch, Red Hat's, Arch's; then Alpine's, so that musl beside glibc is never taken.
  const folders = [`/lib/${arch}-linux-gnu`, `/usr/lib/${arch}-linux-gnu`, "/lib64", "/usr/lib64"];
  const muslFolders = ["/lib", "/usr/lib"];
  return [
    ...glibc.flatMap((file) => [...folders, "/usr/lib"].map((folder) => `${folder}/${file}`)),
    ...musl.flatMap((file) => muslFolders.map((folder) => `${folder}/${file}`)),
  ];
}

/** This machine's CPU. @throws {FfiError} FFI_LIBRARY it is another one, or this is not Linux */
export function architecture(): Architecture {
  const { os, arch } = Deno.build;
  if (os === "linux" && (arch === "x86_64" || arch === "aarch64")) return arch;
  throw new FfiError(
    "FFI_LIBRARY",
    `native code is for Linux on x86-64 and arm64; this is ${os} on ${arch}`,
    { fields: { os, arch } },
  );
}

/**
 * Opens the first of these files that is there.
 *
 * @param name for the message: `libcrypto (OpenSSL)`
 * @param remedy what to do when it is missing: `install libssl3`
 * @throws {FfiError} FFI_PERMISSION, FFI_LIBRARY
 */
export function openLibrary<const S extends Deno.ForeignLibraryInterface>(
  name: string,
  paths: readonly string[],
  symbols: S,
  remedy: string,
): Deno.DynamicLibrary<S> {
  let last: unknown;
  let denied: unknown;
  for (const path of paths) {
    try {
      return Deno.dlopen(path, symbols);
    } catch (error) {
      last = error;
      if (error instanceof Deno.errors.NotCapable) denied ??= error;
      // It is there and is not what we need: the next one would only hide that.
      else if (!isMissingFile(error)) break;
    }
  }
  const fields = { library: name, paths };
  if (denied !== undefined && (last === denied || last instanceof Deno.errors.NotCapable)) {
    throw new FfiError(
      "FFI_PERMISSION",
      `${name} cannot be loaded without the ffi permission; start deno with --allow-ffi`,
      { fields, cause: denied },
    );
  }
  const why = isMissingFile(last) ? "is not installed" : "does not have what pulse needs";
  throw new FfiError("FFI_LIBRARY", `${name} ${why}: ${remedy}`, { fields, cause: last });
}

/** dlopen(3) tells it in words only: glibc's "cannot open shared object file", musl's "Error loading shared library". */
function isMissingFile(error: unknown): boolean {
  return error instanceof Error &&
    /no such file|cannot open shared object|error loading shared library/i.test(error.message);
}
