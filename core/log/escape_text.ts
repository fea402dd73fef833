// C0 and C1 controls and DEL; line and paragraph separators; the bidirectional controls, which reorder what is shown; zero-width
// characters, which hide; and surrogates without their other half.
const unsafe =
  // deno-lint-ignore no-control-regex
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

const short: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/**
 * Text from anywhere, made harmless for a terminal and for a line of a log: nothing in it can move the cursor, change colours,
 * reorder its neighbours or begin a new line. A backslash stays as it is: this is for reading, not for parsing back.
 */
export function escapeText(text: string): string {
  return text.replace(unsafe, escapeOne);
}

function escapeOne(character: string): string {
  const known = short[character];
  if (known !== undefined) return known;
  const code = character.charCodeAt(0);
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, "0")}`
    : `\\u${code.toString(16).padStart(4, "0")}`;
}
