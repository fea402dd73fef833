import { PulseError } from "../../core/errors/mod.ts";

/** A client broke RFC 1928; its connection ends. */
export class SocksProtocolError extends PulseError {
  override readonly name = "SocksProtocolError";
  constructor(message: string) {
    super("SOCKS_PROTOCOL", message);
  }
}
