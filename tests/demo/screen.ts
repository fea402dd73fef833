import { styleText } from "node:util";

/** One thing the demo claims, and what came of it. */
interface Proof {
  readonly claim: string;
  readonly ok: boolean;
  readonly measured: string;
}

export interface ScreenOptions {
  readonly write: (text: string) => void;
  /** Colours and a progress line that overwrites itself; without it, plain lines. */
  readonly terminal: boolean;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** Without a terminal, a progress line at most this often. */
const plainProgressEveryMs = 2_000;

/** What the demo prints: numbered steps, progress, proofs, and a table of the proofs at the end. */
export class Screen {
  readonly #options: ScreenOptions;
  readonly #proofs: Proof[] = [];
  readonly #start: number;
  #steps = 0;
  #progressShown = false;
  #lastProgress = -Infinity;

  constructor(options: ScreenOptions) {
    this.#options = options;
    this.#start = options.now();
  }

  title(text: string, explanation: string): void {
    this.#line(`\n${this.#style("bold", text)}\n${explanation}`);
  }

  step(title: string): void {
    this.#line(
      `\n${this.#style("cyan", String(++this.#steps).padStart(2))}  ${this.#style("bold", title)}`,
    );
  }

  /** Text below the current step; several lines stay aligned. */
  say(text: string): void {
    this.#line(text.replaceAll(/^/gm, "    "));
  }

  /** What is going on right now; the next line takes its place. */
  progress(text: string): void {
    const { terminal, now, write } = this.#options;
    if (terminal) {
      write(`\r\x1b[2K    ${this.#style("dim", text)}`);
      this.#progressShown = true;
    } else if (now() - this.#lastProgress >= plainProgressEveryMs) {
      this.#lastProgress = now();
      write(`    ... ${text}\n`);
    }
  }

  /** Records a proof and shows it. */
  prove(claim: string, ok: boolean, measured = ""): void {
    this.#proofs.push({ claim, ok, measured });
    const mark = ok ? this.#style("green", "PASS") : this.#style("red", "FAIL");
    this.#line(`    ${mark}  ${claim}${measured && this.#style("dim", `  ${measured}`)}`);
  }

  /** Prints the table; true when there are proofs and none failed. */
  summary(): boolean {
    const width = Math.max(0, ...this.#proofs.map(({ claim }) => claim.length));
    const rows = this.#proofs.map(({ claim, ok, measured }) => {
      const mark = ok ? this.#style("green", "PASS") : this.#style("red", "FAIL");
      return `${mark}  ${claim.padEnd(width)}  ${measured}`.trimEnd();
    });
    const ok = rows.length > 0 && this.#proofs.every((proof) => proof.ok);
    const seconds = ((this.#options.now() - this.#start) / 1000).toFixed(0);
    const passed = this.#proofs.filter((proof) => proof.ok).length;
    this.#line(`\n${this.#style("bold", "What was shown")}\n${rows.join("\n")}`);
    this.#line(`\n${passed} of ${rows.length} proofs hold, ${seconds} s in all.`);
    return ok;
  }

  #line(text: string): void {
    if (this.#progressShown) this.#options.write("\r\x1b[2K");
    this.#progressShown = false;
    this.#options.write(text + "\n");
  }

  #style(format: "bold" | "cyan" | "dim" | "green" | "red", text: string): string {
    return this.#options.terminal ? styleText(format, text, { validateStream: false }) : text;
  }
}
