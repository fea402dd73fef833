/**
 * `gf256_kernel.wat`, assembled: `wat2wasm gf256_kernel.wat --output=- | base64 --wrap=92`. A test holds the one against the other.
 */
export const kernelBytes: Uint8Array<ArrayBuffer> = Uint8Array.fromBase64(
  "AGFzbQEAAAABDgJgA39/fwBgBH9/f38AAg8BA2ZlYwZtZW1vcnkCAAEDAwIAAQcTAgNhZGQAAAlhZGRTY2FsZWQAAQqP" +
    "AQIuAANAIAAgAP0ABAAgAf0ABAD9Uf0LBAAgAEEQaiEAIAFBEGohASABIAJJDQALC14BBHsgA/0ABAAhBCAD/QAEECEF" +
    "QQ/9DyEGA0AgAf0ABAAhByAAIAD9AAQAIAQgByAG/U79DiAFIAdBBP1t/Q79Uf1R/QsEACAAQRBqIQAgAUEQaiEBIAEg" +
    "AkkNAAsL",
);
