import { ControlError } from "./errors.ts";

/** One event as it was received. */
export interface ReceivedEvent {
  /** What to send as `Last-Event-ID` to go on from here; "" when none came yet. */
  readonly id: string;
  /** What kind; `message` when the sender did not say. */
  readonly type: string;
  /** Its lines of data, joined. */
  readonly data: string;
}

/** Longest event a client takes. */
const maxEventText = 256 * 1024;

/** Sans-I/O: takes the text of an event stream in any pieces and gives its events (WHATWG HTML, section 9.2.6). */
export class EventParser {
  #rest = "";
  #id = "";
  #type = "";
  #data: string[] = [];
  #size = 0;

  /** @throws {ControlError} CONTROL_PROTOCOL an event without end */
  *push(text: string): Generator<ReceivedEvent> {
    // A carriage return at the end may be half of a line's end.
    const whole = this.#rest + text;
    const end = whole.endsWith("\r") ? whole.length - 1 : whole.length;
    const lines = whole.slice(0, end).split(/\r\n|\n|\r/);
    this.#rest = (lines.pop() ?? "") + whole.slice(end);
    for (const line of lines) {
      this.#size += line.length;
      const event = this.#line(line);
      if (event !== undefined) yield event;
    }
    if (this.#size + this.#rest.length > maxEventText) {
      throw new ControlError("CONTROL_PROTOCOL", "The daemon sent an event that does not end");
    }
  }

  #line(line: string): ReceivedEvent | undefined {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") this.#data.push(value);
    else if (field === "event") this.#type = value;
    else if (field === "id" && !value.includes("\0")) this.#id = value;
    return undefined;
  }

  #dispatch(): ReceivedEvent | undefined {
    const event = { id: this.#id, type: this.#type || "message", data: this.#data.join("\n") };
    const empty = this.#data.length === 0;
    this.#type = "";
    this.#data = [];
    this.#size = 0;
    return empty ? undefined : event;
  }
}
